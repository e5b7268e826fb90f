"""The hash of what a plan specifies, and when a horizon is extended."""

from dataclasses import replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from services.calendar.open_hours import OpenHours
from services.calendar.reconciliation.context import AccountHours
from services.calendar.reconciliation.spec import hash_spec
from services.scheduler.application.reconcile_calendar import find_extend_at
from tests.unit.calendar.plans import HOURS, NOW, UTC_ZONE, calendar, one_off, plan, reason, rhythm


def test_a_new_reason_of_a_rhythm_or_a_new_contact_keeps_the_hash() -> None:
    before = hash_spec(plan([rhythm(7)]), HOURS)

    assert hash_spec(plan([rhythm(7, reason=reason("new"))], version=2), HOURS) == before
    assert hash_spec(plan([rhythm(7, last_touch_at=NOW)], version=2), HOURS) == before


def test_all_that_moves_a_touchpoint_changes_the_hash() -> None:
    ada_early = AccountHours(UTC_ZONE, HOURS.default, {"ada": OpenHours(UTC_ZONE, start=time(7))})
    shapes = {
        hash_spec(plan([rhythm(7)]), HOURS),
        hash_spec(plan([rhythm(8)]), HOURS),
        hash_spec(plan([rhythm(7, owner="sales")]), HOURS),
        hash_spec(plan([rhythm(7, csm_id="bob")]), HOURS),
        hash_spec(plan([rhythm(7)], [one_off()]), HOURS),
        hash_spec(plan([rhythm(7)], [one_off(days=11)]), HOURS),
        hash_spec(plan([rhythm(7)]), ada_early),
        hash_spec(plan([rhythm(7)]), replace(HOURS, zone=ZoneInfo("Asia/Tokyo"))),
    }

    assert len(shapes) == 8


def test_a_horizon_is_extended_when_it_reaches_the_next_occurrence() -> None:
    human = calendar(plan([rhythm(7)]))
    digital = calendar(plan([rhythm(7, owner="automation", csm_id=None)]))

    assert find_extend_at(human.series.values(), HOURS) == NOW + timedelta(days=53 * 7 - 365)
    assert find_extend_at(digital.series.values(), HOURS) == NOW + timedelta(days=5)
    assert find_extend_at([], HOURS) is None
