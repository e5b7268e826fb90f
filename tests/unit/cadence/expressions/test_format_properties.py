"""What is spoken reads back as what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cadence.expressions.checker import check
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tokens import DIGITS
from services.cadence.expressions.tree import Node, truths
from services.cadence.features.registry import FEATURES
from tests.unit.cadence.expression_trees import conditions, unplaced


@given(conditions())
def test_a_spoken_condition_reads_back_as_the_same_tree(tree: Node) -> None:
    assert unplaced(parse(format_expression(tree))) == unplaced(tree)


@given(conditions())
def test_the_generator_makes_conditions_that_the_checker_finds_sound(tree: Node) -> None:
    never = [fault for fault in check(tree, FEATURES) if not fault.message.startswith("never true")]

    assert not never
    assert truths(tree) or format_expression(tree) in FEATURES


@given(st.integers(0, 10**DIGITS - 1), st.integers(0, DIGITS - 1), st.sampled_from(["", "%"]))
def test_every_number_that_can_be_written_reads_back_as_itself(
    digits: int, places: int, percent: str
) -> None:
    text = str(digits).rjust(places + 1, "0")
    written = (f"{text[:-places]}.{text[-places:]}" if places else text)[: DIGITS + 1]
    if sum(map(str.isdigit, written)) > DIGITS or written.endswith("."):
        return
    tree = parse(f"arr > {written}{percent}")

    assert unplaced(parse(format_expression(tree))) == unplaced(tree)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("arr>=100000", "arr >= 100_000"),
        ("not(paid_success)", "not paid_success"),
        ("not (color is null)", "color is not null"),
        ('not segment in [ "enterprise" ]', 'segment not in ["enterprise"]'),
        ("seats>=1 and seats<=5", "seats between 1 and 5"),
        ("(a or b) and (c and d) and e", "(a or b) and (c and d) and e"),
        ("a-(b-c)-d*(e+1)/2", "a - (b - c) - d * (e + 1) / 2"),
        ("seat_ratio > 90%", "seat_ratio > 0.9"),
        ("seat_ratio > 1.1%", "seat_ratio > 1.1%"),
        ("max( abs(-1),seats )>2", "max(abs(-1), seats) > 2"),
        ("(a == b) == true", "(a == b) == true"),
    ],
)
def test_spacing_and_brackets_are_canonical(written: str, told: str) -> None:
    assert format_expression(parse(written)) == told
