"""Sums by CSM and week."""

from datetime import date

from services.scheduler.application.measure_capacity import CsmWeek, WeekLoad, measure_weeks

MONDAY = date(2026, 3, 2)


def test_a_week_off_leaves_nothing_available() -> None:
    away = CsmWeek("ada", 1500, None, [(MONDAY, date(2026, 3, 9))])

    first, second = measure_weeks({"ada": away}, [], MONDAY, date(2026, 3, 9))

    assert (first.available_minutes, second.available_minutes) == (0, 1500)


def test_somebody_nobody_described_has_the_usual_week() -> None:
    (week,) = measure_weeks({}, [WeekLoad("bob", MONDAY, 90, 3)], MONDAY, MONDAY)

    assert (week.week, week.weekly_minutes, week.planned_minutes, week.touches) == ("2026-W10", 2400, 90, 3)


def test_part_time_days_count_by_themselves() -> None:
    part = CsmWeek("ada", 600, frozenset({0, 1}), [(MONDAY, date(2026, 3, 3))])

    (week,) = measure_weeks({"ada": part}, [], MONDAY, MONDAY)

    assert week.available_minutes == 300


def test_a_public_holiday_on_a_working_day_takes_its_minutes_and_is_named() -> None:
    days = {MONDAY: "Carnival", date(2026, 3, 7): "on a Saturday", date(2026, 3, 20): "later"}

    (week,) = measure_weeks({"ada": CsmWeek("ada", 1500, holidays=days)}, [], MONDAY, MONDAY)

    assert week.available_minutes == 1200
    assert [(holiday.on, holiday.name) for holiday in week.holidays or ()] == [(MONDAY, "Carnival")]


def test_a_holiday_during_time_off_counts_once() -> None:
    away = [(MONDAY, date(2026, 3, 4))]

    (week,) = measure_weeks(
        {"ada": CsmWeek("ada", 1500, None, away, {MONDAY: "Carnival"})}, [], MONDAY, MONDAY
    )

    assert week.available_minutes == 900


def test_a_csm_without_working_days_has_no_time_and_it_is_said() -> None:
    """Row 38 of the reported faults: not the default days."""
    nobody = CsmWeek("ada", 600, frozenset(), doubt="has no working days")

    (week,) = measure_weeks({"ada": nobody}, [WeekLoad("ada", MONDAY, 90, 3)], MONDAY, MONDAY)

    assert (week.available_minutes, week.planned_minutes, week.doubt) == (0, 90, "has no working days")
