"""What goes back because a release of public holidays has no such day any more names that release."""

from dataclasses import replace
from datetime import timedelta

from schemas.directory import HolidayRecord
from services.calendar.holiday_changes import name_holidays
from services.calendar.open_hours import OpenHours
from services.calendar.public_holidays import HolidayCalendar
from services.calendar.reconciliation.context import AccountHours, ChangeKind
from tests.unit.calendar.plans import HOURS, NOW, UTC_ZONE, calendar, plan, reconciled, rhythm

WEEKLY = plan([rhythm(7, last_touch_at=NOW - timedelta(days=7))])


def hours_with(*days: str) -> AccountHours:
    """Of a CSM for whom these days, as `03-16`, are public holidays."""
    added = tuple(HolidayRecord(name=f"Day {on}", on=on) for on in days)
    holidays = HolidayCalendar(None, extra=added)
    return replace(HOURS, by_csm={"ada": OpenHours(UTC_ZONE, holidays=holidays)})


def test_what_goes_back_to_a_day_that_is_no_holiday_any_more_names_the_release() -> None:
    before = calendar(WEEKLY, hours=hours_with("03-16", "03-23"))
    after = hours_with("03-16", "03-30")

    result = name_holidays(reconciled(WEEKLY, before, after), before, "0.110")

    moved = {each.touchpoint.start_at.day: each for each in result.changes if each.kind is ChangeKind.MOVE}
    assert {day: each.reason for day, each in moved.items()} == {
        23: "public holidays changed with holidays 0.110",
        30: "moved: public holiday Day 03-30",
    }
    assert moved[23].touchpoint.due_at.day == 23
    # What stands elsewhere for the same day still, and what never moved, is as it was.
    unchanged = reconciled(WEEKLY, before, hours_with("03-16", "03-23"))
    assert name_holidays(unchanged, before, "0.110") == unchanged
