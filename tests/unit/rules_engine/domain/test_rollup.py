"""U7: a parent shows what the accounts below it add up to."""

from datetime import date

from services.cadence.account import Facts
from services.rules_engine.domain.rollup import Child, roll_up
from tests.unit.cadence.events import NOW, facts_after, make_event

TODAY = NOW.date()


def contract(status: str, renews_on: date) -> Facts:
    return facts_after([make_event("contract.changed", contract_id="k", status=status, renews_on=renews_on)])


def test_the_worst_color_the_next_renewal_and_the_sum_of_the_known_revenues_are_those_of_all_children() -> (
    None
):
    children = [
        Child("green", 10.0, contract("active", date(2027, 1, 1))),
        Child("yellow", 5.0, contract("active", date(2026, 12, 1))),
        Child(None, None, contract("churned", date(2026, 7, 1))),
        Child("green", None, contract("active", date(2026, 1, 1))),
    ]

    assert roll_up(children, TODAY) == {
        "children": 4,
        "arr": 15.0,
        "arr_unknown": 2,
        "worst_color": "yellow",
        "next_renewal_on": date(2026, 12, 1),
    }


def test_what_no_child_knows_is_unknown_and_an_account_without_children_has_no_rollup() -> None:
    rollup = roll_up([Child(None, None, Facts("a"))], TODAY)
    assert rollup is not None
    assert [rollup[name] for name in ("arr", "worst_color", "next_renewal_on")] == [None, None, None]
    assert roll_up([], TODAY) is None
