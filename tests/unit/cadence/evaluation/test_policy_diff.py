"""The difference of two policies is what can be counted by hand."""

from datetime import timedelta
from typing import cast

from services.cadence.account.codec import AccountState
from services.cadence.account.issued import Issued
from services.cadence.evaluation.policy_diff import Difference, Period
from services.cadence.expressions.parser import parse
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event
from tests.unit.cadence.policies import policy, rhythm, trigger


def difference_of(old: Policy, new: Policy, days: int = 60) -> Difference:
    difference = Difference(old, new, Period(NOW, days))
    for revenue in (10, 2_000):
        difference.compare(
            AccountState(facts_after([make_event("account.described", NOW, arr=revenue)]), Issued()),
            Portfolio(),
        )
    return difference


def test_touchpoints_minutes_and_changes_are_those_counted_by_hand() -> None:
    large = parse("arr is not null and arr >= 1000")
    old = policy(rhythm("all", "check_in", 30), rhythm("tips", "tips", 7, owner="automation"))
    new = policy(
        rhythm("all", "check_in", 30),
        rhythm("large", "check_in", 10, large),
        trigger("ask", "nps.answered", "advocacy_ask", 7),
    )
    difference = difference_of(old, new)

    assert (difference.compared, difference.changed, difference.undecided) == (2, 2, 0)
    check_in, tips = difference.totals["check_in"], difference.totals["tips"]
    assert (check_in["before"], check_in["after"]) == (60 / 30 * 2, 60 / 30 + 60 / 10)
    assert (check_in["minutes_before"], check_in["minutes_after"]) == (4 * 30, 8 * 30)
    assert (tips["before"], tips["after"], tips["minutes_before"]) == (60 / 7 * 2, 0, 0)
    changes = [cast("list[dict[str, str]]", account["changes"]) for account in difference.accounts]
    kinds = [{change["kind"] for change in of_account} for of_account in changes]
    assert kinds == [{"rhythm_removed"}, {"rhythm_changed", "rhythm_removed"}]


def test_one_offs_that_open_after_the_period_are_not_counted() -> None:
    old = policy()
    new = policy(trigger("later", "nps.answered", "advocacy_ask", 40, after=timedelta(days=30)))
    account_state = AccountState(facts_after([make_event("nps.answered", NOW - DAY, score=9)]), Issued())
    for days, count in ((28, 0), (31, 1)):
        difference = Difference(old, new, Period(NOW, days))
        difference.compare(account_state, Portfolio())
        assert sum(amounts["after"] for amounts in difference.totals.values()) == count
        assert difference.changed == 1
