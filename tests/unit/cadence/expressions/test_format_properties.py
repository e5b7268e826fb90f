"""A formatted condition parses to the same tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cadence.expressions.checker import check
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.parser import MAX_DIGITS, parse
from services.cadence.expressions.tree import Node, is_boolean
from services.cadence.features.registry import FEATURES
from tests.unit.cadence.expression_trees import conditions, without_positions


@given(conditions())
def test_a_formatted_condition_parses_to_the_same_tree(tree: Node) -> None:
    assert without_positions(parse(format_expression(tree))) == without_positions(tree)


@given(conditions())
def test_the_generator_makes_valid_conditions(tree: Node) -> None:
    errors = [error for error in check(tree, FEATURES) if not error.message.startswith("never true")]

    assert not errors
    assert is_boolean(tree) or format_expression(tree) in FEATURES


@given(st.integers(0, 10**MAX_DIGITS - 1), st.integers(0, MAX_DIGITS - 1), st.sampled_from(["", "%"]))
def test_every_number_that_can_be_written_parses_to_itself(digits: int, places: int, percent: str) -> None:
    text = str(digits).rjust(places + 1, "0")
    written = (f"{text[:-places]}.{text[-places:]}" if places else text)[: MAX_DIGITS + 1]
    if sum(map(str.isdigit, written)) > MAX_DIGITS or written.endswith("."):
        return
    tree = parse(f"arr > {written}{percent}")

    assert without_positions(parse(format_expression(tree))) == without_positions(tree)


@pytest.mark.parametrize(
    ("written", "formatted"),
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
def test_spacing_and_brackets_are_canonical(written: str, formatted: str) -> None:
    assert format_expression(parse(written)) == formatted
