"""Sums by CSM and week."""

from datetime import date, time
from typing import Any

from schemas.directory import HolidayRecord
from schemas.zones import UTC_ZONE
from services.calendar.open_hours import DateSpan, OpenHours
from services.calendar.person_hours import read_hours
from services.calendar.public_holidays import HolidayCalendar
from services.scheduler.application.measure_capacity import CsmWeek, WeekLoad, measure_weeks

MONDAY = date(2026, 3, 2)


def ada(weekly: int, *away: DateSpan, **hours: Any) -> dict[str, CsmWeek]:
    return {"ada": CsmWeek("ada", weekly, OpenHours(UTC_ZONE, away=away, **hours))}


def test_a_week_off_leaves_nothing_available() -> None:
    away = ada(1500, DateSpan(MONDAY, date(2026, 3, 8)))

    first, second = measure_weeks(away, [], MONDAY, date(2026, 3, 9))

    assert (first.available_minutes, second.available_minutes) == (0, 1500)


def test_somebody_nobody_described_has_the_usual_week() -> None:
    (week,) = measure_weeks({}, [WeekLoad("bob", MONDAY, 90, 3)], MONDAY, MONDAY)

    assert (week.week, week.weekly_minutes, week.planned_minutes, week.touches) == ("2026-W10", 2400, 90, 3)


def test_part_time_days_count_by_themselves() -> None:
    part = ada(600, DateSpan(MONDAY, MONDAY), days=frozenset({0, 1}))

    (week,) = measure_weeks(part, [], MONDAY, MONDAY)

    assert week.available_minutes == 300


CARNIVAL = HolidayCalendar(
    None,
    extra=(
        HolidayRecord(name="Carnival", on="03-02"),
        HolidayRecord(name="on a Saturday", on="2026-03-07"),
        HolidayRecord(name="later", on="2026-03-20"),
    ),
)


def test_a_public_holiday_on_a_working_day_takes_its_minutes_and_is_named() -> None:
    (week,) = measure_weeks(ada(1500, holidays=CARNIVAL), [], MONDAY, MONDAY)

    assert week.available_minutes == 1200
    assert [(holiday.on, holiday.name) for holiday in week.holidays or ()] == [(MONDAY, "Carnival")]


def test_a_holiday_during_time_off_counts_once() -> None:
    away = ada(1500, DateSpan(MONDAY, date(2026, 3, 3)), holidays=CARNIVAL)

    (week,) = measure_weeks(away, [], MONDAY, MONDAY)

    assert week.available_minutes == 900


def test_a_night_shift_works_on_the_days_on_which_it_starts() -> None:
    night = ada(1500, DateSpan(MONDAY, MONDAY), start=time(22), end=time(6))

    (week,) = measure_weeks(night, [], MONDAY, MONDAY)

    assert week.available_minutes == 1200


def test_a_csm_without_working_days_has_no_time_and_it_is_said() -> None:
    """Row 38 of the reported faults: not the default days."""
    hours, doubt = read_hours("Europe/Berlin", [], None, None)
    nobody = CsmWeek("ada", 600, hours, doubt)

    (week,) = measure_weeks({"ada": nobody}, [WeekLoad("ada", MONDAY, 90, 3)], MONDAY, MONDAY)

    assert (week.available_minutes, week.planned_minutes, week.doubt) == (0, 90, doubt)
    assert (week.holidays, week.time_off) == (None, ())
