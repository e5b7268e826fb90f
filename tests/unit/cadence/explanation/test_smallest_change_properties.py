"""The smallest change makes a condition hold, and no smaller one does."""

from itertools import combinations

import pytest
from hypothesis import given

from services.cadence.account import Plain
from services.cadence.explanation.smallest_change import Need, smallest_change
from services.cadence.expressions.analysis import satisfiable
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.parser import parse
from services.cadence.expressions.trace import trace
from services.cadence.expressions.tree import Node, names
from services.cadence.features.registry import FEATURES
from tests.unit.cadence.expression_trees import atoms_of, conditions, rows, single

Row = dict[str, Plain]


@given(conditions(single, 5), rows)
def test_what_is_needed_makes_the_condition_hold(tree: Node, row: Row) -> None:
    needs = smallest_change(tree, row, FEATURES)

    if needs is None:
        assert satisfiable(tree, FEATURES).answer == "no"
        return
    changed = {**row, **{name: value for need in needs for name, value in need.to.items()}}
    assert holds(tree, changed)
    assert (needs == ()) == holds(tree, row)


@given(conditions(single, 4), rows, rows)
def test_no_other_account_makes_it_hold_with_fewer_clauses_turned(tree: Node, row: Row, other: Row) -> None:
    needs = smallest_change(tree, row, FEATURES)
    read = names(tree)
    for count in range(1, min(len(read), 2) + 1):
        for changed in combinations(read, count):
            account = {**row, **{name: other[name] for name in changed}}
            if holds(tree, account):
                assert needs is not None
                assert sum(map(_counted, needs)) <= _turned(tree, row, account)


def _counted(need: Need) -> int:
    """Its clauses; a guard costs nothing beside another need of its word."""
    return max(1, sum(not clause.endswith("is not null") for clause in need.clauses))


def _turned(tree: Node, row: Row, account: Row) -> int:
    """Clauses that read differently over two accounts, guards counted."""
    before, after = atoms_of(trace(tree, row)), atoms_of(trace(tree, account))
    return sum(one.holds is not two.holds for one, two in zip(before, after, strict=True))


@given(conditions(), rows)
def test_what_is_needed_between_words_is_never_wrong_where_values_are_told(tree: Node, row: Row) -> None:
    needs = smallest_change(tree, row, FEATURES)

    if needs and all(set(need.to) == set(need.words) for need in needs):
        changed = {**row, **{name: value for need in needs for name, value in need.to.items()}}
        assert holds(tree, changed)


@pytest.mark.parametrize(
    ("text", "values", "told"),
    [
        ("seat_ratio is not null and seat_ratio >= 0.9", {"seat_ratio": 0.5}, ["seat_ratio at least 0.9"]),
        ("seat_ratio is not null and seat_ratio >= 0.9", {"seat_ratio": None}, ["seat_ratio at least 0.9"]),
        (
            'segment == "enterprise" and color is not null and color in ["red", "yellow"]',
            {"segment": "mid_market", "color": "green"},
            ['segment "enterprise"', 'color one of "red", "yellow"'],
        ),
        ("not paid_success", {"paid_success": True}, ["paid_success false"]),
        ("paid_success or (arr is not null and arr > 3)", {"arr": 1}, ["paid_success true"]),
        (
            "arr is not null and arr between 10 and 20 and arr != 12",
            {"arr": 30},
            ["arr at least 10 and at most 20 and not 12"],
        ),
        ("health_score is null", {"health_score": 3}, ["health_score null"]),
        ("health_score is not null", {"health_score": None}, ["health_score known"]),
        (
            "seats is not null and seats_used is not null and seats_used > seats - 5",
            {"seats": 100, "seats_used": 10},
            ["seats_used > seats - 5"],
        ),
        ("false", {}, None),
        ("true", {}, []),
    ],
)
def test_a_change_is_told_in_words(text: str, values: Row, told: list[str] | None) -> None:
    tree = parse(text)
    needs = smallest_change(tree, {**dict.fromkeys(names(tree), False), **values}, FEATURES)

    assert (
        needs
        if needs is None
        else [" ".join((*need.words, need.want)) if len(need.words) == 1 else need.want for need in needs]
    ) == told


def test_a_word_that_has_to_move_along_is_told() -> None:
    tree = parse(
        '(industry is null or industry != "DE") and industry is not null and country is not null and industry == country'
    )
    row: Row = {"industry": "DE", "country": "DE"}

    needs = smallest_change(tree, row, FEATURES)

    assert needs is not None
    assert [need.words for need in needs] == [("industry",), ("industry", "country")]
    assert holds(tree, {**row, **{name: value for need in needs for name, value in need.to.items()}})
