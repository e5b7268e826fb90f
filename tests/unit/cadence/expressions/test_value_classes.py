"""Values of one class make every condition equally true."""

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.expressions.compile import compile_condition
from services.cadence.expressions.parser import parse
from services.cadence.expressions.value_classes import class_of, thresholds_of

CONDITIONS = (
    "arr is not null and arr >= 5000 and arr < 100000.5",
    "arr is null or arr in [1, 7]",
    'not (paid_success) or color == "red"',
    "health_score is not null and seats is not null and health_score > seats * 2",
)
numbers = st.integers(-1, 9) | st.sampled_from([4999, 5000, 5000.0, 99_999, 100_000.5, 100_001]) | st.none()


def test_only_comparisons_with_numbers_have_thresholds() -> None:
    thresholds = thresholds_of(map(parse, CONDITIONS))

    assert thresholds["arr"] == (1, 7, 5000, 100_000.5)
    assert [thresholds[name] for name in ("paid_success", "color", "health_score", "seats")] == [None] * 4


@given(numbers, numbers)
def test_two_numbers_of_one_class_make_every_condition_equally_true(
    one: float | None, other: float | None
) -> None:
    thresholds = thresholds_of(map(parse, CONDITIONS))["arr"]

    same = class_of(one, thresholds) == class_of(other, thresholds)

    for text in CONDITIONS[:2]:
        holds = compile_condition(parse(text))
        assert not same or holds({"arr": one}) == holds({"arr": other})


def test_a_value_without_thresholds_is_a_class_of_its_own() -> None:
    assert class_of(3.5, None) == 3.5
    assert class_of(value=True, thresholds=(0, 1)) is True
    assert class_of(None, (0,)) is None
