"""The books of the levelling benchmark are what their figures say."""

from datetime import UTC, datetime

import pytest

from tests.benchmarks.plans import one_off, pause, plan, rhythm
from tests.benchmarks.relevel import REVIEW_DAYS, SIZES, TOUCHES, check_in_days

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize("accounts", SIZES)
def test_a_book_has_about_a_thousand_touchpoints_a_year(accounts: int) -> None:
    a_year = accounts * (365 / check_in_days(accounts) + 365 / REVIEW_DAYS)
    assert a_year == pytest.approx(TOUCHES, rel=0.1)


def test_a_plan_of_the_benchmarks_is_one_that_the_scheduler_reads() -> None:
    meeting = one_off("00000000-0000-0000-0000-000000000001", "risk_action_plan", (NOW, NOW), csm_id="ada")
    command = plan(
        "acme", 3, NOW, [rhythm("check_in", 7, csm_id="ada")], touchpoints=[meeting], avoid=[pause(NOW, 14)]
    )
    assert command.plan is not None
    assert (command.account_id, command.version) == ("acme", 3)
    assert [each.every_days for each in command.plan.rhythms] == [7]
    assert [each.touchpoint_type for each in command.plan.touchpoints] == ["risk_action_plan"]
    assert [(each.to - each.from_).days for each in command.plan.avoid if each.to] == [14]
