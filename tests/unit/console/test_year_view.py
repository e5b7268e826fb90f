"""An account's year: what closes days of a month is on these days, and in words beside them."""

from datetime import UTC, date, datetime

from services.console.touchpoints import touchpoints
from services.console.year_marks import YearMark
from services.console.year_view import year_months
from tests.unit.console.test_my_day_view import item

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
MARKS = [
    YearMark("season", date(2026, 11, 15), date(2026, 12, 31), "Retail fourth quarter"),
    YearMark("holiday", date(2026, 12, 25), date(2026, 12, 25), "Christmas Day"),
]


def test_a_month_has_its_marks_on_their_days_and_in_words() -> None:
    november, december, january, *_ = year_months([], MARKS, NOW)

    assert [days for _, days in november.marks] == ["15 Nov to 31 Dec"]
    assert [days for _, days in december.marks] == ["15 Nov to 31 Dec", "25 Dec"]
    assert january.marks == ()
    christmas = next(day for week in december.weeks for day in week if day.number == 25)
    assert christmas.title == "Retail fourth quarter; Christmas Day"
    assert christmas.kinds == "season holiday"
    assert christmas.symbols == "▤●"


def test_weeks_begin_on_monday_and_leave_out_days_of_other_months() -> None:
    november = year_months([], MARKS, NOW)[0]

    assert [day.number for day in november.weeks[0]] == [0, 0, 0, 0, 0, 0, 1]
    assert [day.number for week in november.weeks for day in week if day.number] == [*range(1, 31)]
    unmarked = {day.number for week in november.weeks for day in week if not day.marks}
    assert unmarked == {*range(15)}


def test_a_day_with_a_touchpoint_is_seen_in_the_calendar_of_its_month() -> None:
    planned = touchpoints([item("one", "planned", due_at="2026-11-24T23:30:00Z")])
    (taken,) = [day for week in year_months(planned, [], NOW)[0].weeks for day in week if day.has_touchpoint]

    assert taken.number == 24
