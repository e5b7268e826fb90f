"""What the expression language accepts means what Python means; everything else is refused with an error."""

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import Plain
from services.cadence.expressions.checker import check
from services.cadence.expressions.compile import compile_condition
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import ExpressionError
from services.cadence.features.registry import features_in_scope

FEATURES = features_in_scope()
pieces = st.sampled_from(
    [
        *(
            "and",
            "or",
            "not",
            "in",
            "is",
            "null",
            "true",
            "false",
            "between",
            "(",
            ")",
            "[",
            "]",
            ",",
            "==",
            "!=",
        ),
        *(
            "<",
            "<=",
            ">",
            ">=",
            "+",
            "-",
            "*",
            "/",
            "1",
            "0",
            "2.5",
            "90%",
            "arr",
            "segment",
            "color",
            "nope",
            "paid_success",
        ),
        *('"red"', '"enterprise"', '"', "'", "=", "$", "\x00", "é", "٣", "\n", "days_to_renewal"),
    ]
)
number = st.sampled_from(["days_since", "seen", "3", "0", "7", "2.5"])
atom = st.one_of(
    st.builds("{} {} {}".format, number, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), number),
    st.builds("{} + {} {} {} * 2".format, number, number, st.sampled_from(["<", ">"]), number),
    st.builds("{} between {} and {}".format, number, number, number),
    st.builds("{} in [{}, {}]".format, st.just("seen"), st.just("3"), st.just("7")),
    st.builds("{} not in [3]".format, st.just("seen")),
    st.sampled_from(["true", "false", "flag"]),
)
conditions = st.recursive(
    atom,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("not {}".format, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=10,
)


@given(st.lists(pieces, max_size=40).map(" ".join) | st.text(max_size=60))
def test_any_text_is_parsed_or_refused_with_an_error(text: str) -> None:
    try:
        errors = check(parse(text), FEATURES)
    except ExpressionError as error:
        errors = [error]

    assert all(0 <= error.at <= len(text) for error in errors)


@given(conditions, st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_a_condition_means_what_python_means_by_it(text: str, since: int, seen: int, flag: bool) -> None:  # noqa: FBT001
    values: dict[str, Plain] = {"days_since": since, "seen": seen, "flag": flag}
    python = text
    for low in ("days_since", "seen", "3", "0", "7", "2.5"):
        for high in ("days_since", "seen", "3", "0", "7", "2.5"):
            for item in ("days_since", "seen", "3", "0", "7", "2.5"):
                python = python.replace(f"{item} between {low} and {high}", f"({low} <= {item} <= {high})")
    expected = eval(python.replace("true", "True").replace("false", "False"), {}, dict(values))  # noqa: S307

    assert bool(compile_condition(parse(text))(values)) == bool(expected)


@given(st.lists(pieces, max_size=12).map(" ".join))
def test_a_valid_condition_never_reads_a_null(text: str) -> None:
    try:
        tree = parse(text)
    except ExpressionError:
        return
    if check(tree, FEATURES):
        return
    nothing: dict[str, Plain] = {
        name: None if feature.nullable else False if feature.kind == "truth" else (feature.values or ("",))[0]
        for name, feature in FEATURES.items()
    }

    assert compile_condition(tree)(nothing) in {True, False}
