"""Rhythms by the calendar over changes of the plan: order and identity stay, Wednesdays stay Wednesdays."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from services.calendar.open_hours import to_wall
from services.calendar.reconciliation.context import AccountHours, ChangeKind, StoredCalendar
from services.calendar.touchpoint import Touchpoint
from tests.unit.calendar.plans import (
    HOURS,
    NOW,
    OFFICE,
    apply_changes,
    by_rule,
    calendar,
    plan,
    reconciled,
    rhythm,
    season,
)

TIPS = {
    "touchpoint_type": "tips",
    "owner": "marketing",
    "csm_id": None,
    "topic": "education",
    "channel": "email",
}
WEDNESDAYS = by_rule("FREQ=WEEKLY;BYDAY=WE", **TIPS)
LOS_ANGELES = ZoneInfo("America/Los_Angeles")


def planned(stored: StoredCalendar) -> list[Touchpoint]:
    return sorted(
        (each for each in stored.touchpoints if each.status == "planned"), key=lambda each: each.due_at
    )


def test_a_change_to_a_pattern_times_the_open_occurrences_anew_in_their_order() -> None:
    first = calendar(plan([rhythm(7, **TIPS, last_touch_at=NOW - timedelta(days=3))]))
    changed = reconciled(plan([WEDNESDAYS], version=2), first)
    second = apply_changes(first, changed)

    assert [each.id for each in planned(first)][:4] == [each.id for each in planned(second)][:4]
    assert {each.due_at.weekday() for each in planned(second)} == {2}
    moved = next(change for change in changed.changes if change.kind is ChangeKind.MOVE)
    assert moved.reason == "every Wednesday"
    assert all(
        change.kind is ChangeKind.KEEP for change in reconciled(plan([WEDNESDAYS], version=3), second).changes
    )


def test_the_horizon_goes_on_with_the_same_wednesdays() -> None:
    stored = calendar(plan([WEDNESDAYS]))
    later = NOW + timedelta(days=20)
    further = calendar(plan([WEDNESDAYS], version=2, at=NOW), stored, HOURS, later)

    assert {each.due_at.weekday() for each in further.touchpoints} == {2}
    assert (
        len({each.due_at for each in further.touchpoints})
        == len(further.touchpoints)
        > len(stored.touchpoints)
    )


def test_who_turns_out_to_be_in_another_zone_keeps_their_wednesdays() -> None:
    """S134: each on a Wednesday where the customer is, and never twice in one week."""
    stored = calendar(plan([WEDNESDAYS]))
    hours = AccountHours(LOS_ANGELES, OFFICE, {})
    moved = calendar(plan([WEDNESDAYS], version=2), stored, hours)

    days = [to_wall(each.due_at, LOS_ANGELES).date() for each in planned(moved)]
    assert {day.weekday() for day in days} == {2}
    assert len(set(days)) == len(days)
    assert [each.id for each in planned(stored)] == [each.id for each in planned(moved)][
        : len(planned(stored))
    ]
    again = reconciled(plan([WEDNESDAYS], version=3), moved, hours)
    assert all(change.kind is ChangeKind.KEEP for change in again.changes)


def test_a_season_moves_a_wednesday_and_its_end_brings_it_back() -> None:
    free = calendar(plan([WEDNESDAYS]))
    first = planned(free)[1].due_at
    around = season((first - NOW).total_seconds() / 86_400 - 1, (first - NOW).total_seconds() / 86_400 + 1)
    avoiding = plan([WEDNESDAYS], version=2, avoid=[around])

    blocked = calendar(avoiding, free)
    back = calendar(plan([WEDNESDAYS], version=3), blocked)

    assert all(not around.from_ <= each.due_at < (around.to or NOW) for each in planned(blocked))
    assert [each.due_at for each in planned(back)] == [each.due_at for each in planned(free)]


def test_a_monthly_review_on_a_weekend_is_on_the_nearest_working_day_with_its_reason() -> None:
    review = by_rule("FREQ=MONTHLY;BYMONTHDAY=1", touchpoint_type="business_review", never_skip=True)
    made = planned(calendar(plan([review])))

    assert all(each.due_at.weekday() < 5 for each in made)
    assert [each.shift for each in made if each.due_at.date() != each.start_at.date()].count(None) == 0
    shift = next(each.shift for each in made if f"{each.start_at:%d %B}" == "01 August")
    assert shift == "moved to the nearest open day: Saturday 1 August is closed (no working day)"
