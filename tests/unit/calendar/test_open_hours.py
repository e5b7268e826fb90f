"""Open hours and wall-clock steps."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import pytest

from schemas.times import QuietHours
from schemas.zones import UTC_ZONE, find_zone
from services.calendar.closed_reasons import closed_reason, reason_at
from services.calendar.customer_days import CustomerDays
from services.calendar.open_hours import (
    DAY,
    EVERY_DAY,
    WORKDAYS,
    DateSpan,
    OpenHours,
    add_days,
    check_hours,
    from_wall,
    is_open_at,
    last_open_before,
    message_hours,
    next_open,
    next_usual,
    open_days,
    to_wall,
)
from services.calendar.public_holidays import HolidayCalendar, weekend_of
from tests.unit.calendar.minutes import minutes_between

NEW_YORK = find_zone("America/New_York")
OFFICE = OpenHours(NEW_YORK)


def test_a_friday_evening_waits_for_monday_morning() -> None:
    friday_evening = datetime(2026, 3, 6, 23, tzinfo=UTC)

    assert next_open(friday_evening, OFFICE) == datetime(
        2026, 3, 9, 13, tzinfo=UTC
    )  # summer time began on Sunday


def test_an_open_moment_stays() -> None:
    noon = datetime(2026, 3, 4, 17, tzinfo=UTC)

    assert next_open(noon, OFFICE) == noon


def test_closing_time_is_closed() -> None:
    five = datetime(2026, 3, 4, 22, tzinfo=UTC)

    assert next_open(five, OFFICE) == datetime(2026, 3, 5, 14, tzinfo=UTC)


def test_a_wall_time_in_the_spring_gap_moves_forward_by_the_gap() -> None:
    half_past_two = datetime(2026, 3, 7, 7, 30, tzinfo=UTC)

    assert add_days(half_past_two, 1, NEW_YORK) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)  # 03:30 EDT


def test_a_wall_time_in_the_autumn_overlap_is_the_first_of_the_two() -> None:
    half_past_one = datetime(2026, 10, 31, 5, 30, tzinfo=UTC)

    assert add_days(half_past_one, 1, NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # still EDT


def test_a_step_over_a_night_of_change_keeps_the_wall_time() -> None:
    nine = datetime(2026, 3, 2, 14, tzinfo=UTC)

    assert add_days(nine, 7, NEW_YORK) == datetime(2026, 3, 9, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "used"),
    [
        (WORKDAYS, OpenHours(NEW_YORK)),
        (frozenset[int](), OpenHours(NEW_YORK, EVERY_DAY, is_working=False)),
        (frozenset({9}), OpenHours(NEW_YORK, EVERY_DAY, is_working=False)),
    ],
)
def test_hours_that_never_open_are_the_usual_ones_with_the_doubt_noted(
    days: frozenset[int], used: OpenHours
) -> None:
    found, doubt = check_hours(NEW_YORK, days, time(9), time(9))

    assert found == used
    assert doubt is not None


def test_described_hours_are_used() -> None:
    assert check_hours(NEW_YORK, EVERY_DAY, time(6), time(7)) == (
        OpenHours(NEW_YORK, EVERY_DAY, time(6), time(7)),
        None,
    )


NIGHT = OpenHours(NEW_YORK, frozenset({4}), time(22), time(6))


@pytest.mark.parametrize(
    ("moment", "opens_at"),
    [
        (datetime(2026, 3, 6, 23, tzinfo=UTC), datetime(2026, 3, 7, 3, tzinfo=UTC)),  # Friday 18:00 -> 22:00
        (datetime(2026, 3, 7, 4, tzinfo=UTC), datetime(2026, 3, 7, 4, tzinfo=UTC)),  # Friday 23:00 is open
        (datetime(2026, 3, 7, 10, tzinfo=UTC), datetime(2026, 3, 7, 10, tzinfo=UTC)),  # and Saturday 05:00
        (datetime(2026, 3, 7, 11, tzinfo=UTC), datetime(2026, 3, 14, 2, tzinfo=UTC)),  # 06:00: next Friday
        (datetime(2026, 3, 6, 10, tzinfo=UTC), datetime(2026, 3, 7, 3, tzinfo=UTC)),  # Friday 05:00 is closed
    ],
)
def test_a_shift_over_midnight_is_open_until_the_next_morning(moment: datetime, opens_at: datetime) -> None:
    """Row 38 of the reported faults: the shift belongs to the day on which it starts."""
    assert next_open(moment, NIGHT) == opens_at


def test_a_shift_over_midnight_is_taken_as_described() -> None:
    assert check_hours(NEW_YORK, WORKDAYS, time(22), time(6)) == (
        OpenHours(NEW_YORK, WORKDAYS, time(22), time(6)),
        None,
    )


def test_quiet_hours_after_midnight_leave_the_rest_of_the_day_open() -> None:
    hours = message_hours(UTC_ZONE, QuietHours(from_="01:00", to="06:00"))

    late = datetime(2026, 3, 4, 0, 30, tzinfo=UTC)
    assert next_open(late, hours) == late
    assert next_open(datetime(2026, 3, 4, 1, tzinfo=UTC), hours) == datetime(2026, 3, 4, 6, tzinfo=UTC)


def test_somebody_without_working_days_is_said_to_have_none() -> None:
    """Row 38: what they own is not moved to a day from Monday to Friday; it keeps its date, at their hours."""
    hours, doubt = check_hours(NEW_YORK, frozenset(), time(9), time(17))

    assert doubt is not None
    assert "no working days" in doubt
    saturday = datetime(2026, 3, 7, 15, tzinfo=UTC)
    assert next_open(saturday, hours) == saturday
    assert next_open(saturday - timedelta(hours=8), hours) == saturday - timedelta(hours=1)
    assert not hours.is_working
    assert check_hours(NEW_YORK, frozenset(), time(9), time(9)) == (
        OpenHours(NEW_YORK, EVERY_DAY, is_working=False),
        doubt,
    )


def test_a_day_that_a_zone_skipped_is_no_day_and_a_wall_time_on_it_is_the_next_day() -> None:
    """Samoa went over the date line: there was no 30 December 2011; Kwajalein had no 21 August 1993."""
    for name, day in (("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Kwajalein", date(1993, 8, 21))):
        hours = OpenHours(find_zone(name), EVERY_DAY)
        before, after = day - timedelta(days=1), day + timedelta(days=1)

        assert open_days(hours, before, after) == (before, after)
        assert closed_reason(day, hours) == f"there is no such day in {name}"
        nine = datetime.combine(before, time(9))
        assert to_wall(add_days(from_wall(nine, hours.zone), 1, hours.zone), hours.zone) == nine + timedelta(
            days=2
        )
        evening = from_wall(nine.replace(hour=17), hours.zone)
        assert to_wall(next_open(evening, hours), hours.zone) == datetime.combine(after, time(9))
        assert next_open(evening, hours) - evening == timedelta(hours=16)


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2028, 2, 29), True),  # a Tuesday in a leap year
        (date(2027, 2, 28), False),  # a Sunday, the end of a short month
        (date(2027, 3, 1), True),
        (date(2026, 12, 31), True),
    ],
)
def test_leap_days_and_ends_of_months_are_days_like_others(day: date, *, is_open: bool) -> None:
    assert (open_days(OFFICE, day, day) == (day,)) is is_open
    nine = from_wall(datetime.combine(day, time(9)), NEW_YORK)
    assert is_open_at(nine, OFFICE) is is_open


BAVARIA = HolidayCalendar("DE", "BY")
BERLIN = find_zone("Europe/Berlin")
KIM = OpenHours(
    BERLIN, holidays=BAVARIA, away=(DateSpan(date(2027, 1, 11), date(2027, 1, 12)),), person="Kim"
)


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2027, 1, 5), None),
        (date(2027, 1, 6), "public holiday Epiphany"),
        (date(2027, 1, 11), "time off of Kim"),
        (date(2027, 1, 12), "time off of Kim"),
        (date(2027, 1, 9), "no working day"),
    ],
)
def test_a_day_is_closed_for_a_reason(day: date, reason: str | None) -> None:
    """Row 43 of the reported faults, S152, S178."""
    assert closed_reason(day, KIM) == reason
    assert (open_days(KIM, day, day) == ()) is (reason is not None)


def test_nothing_is_open_on_holidays_and_in_time_off() -> None:
    eve = datetime(2027, 1, 5, 16, tzinfo=UTC)

    assert next_open(eve, KIM) == datetime(2027, 1, 7, 8, tzinfo=UTC)
    assert next_usual(eve, KIM) == datetime(2027, 1, 6, 8, tzinfo=UTC)
    assert reason_at(datetime(2027, 1, 6, 8, tzinfo=UTC), KIM) == "public holiday Epiphany"
    assert last_open_before(datetime(2027, 1, 6, 8, tzinfo=UTC), KIM) == eve
    assert next_open(datetime(2027, 1, 10, 8, tzinfo=UTC), KIM) == datetime(2027, 1, 13, 8, tzinfo=UTC)


def test_a_shift_over_midnight_neither_starts_nor_goes_on_in_time_off() -> None:
    friday = date(2026, 3, 6)
    for away in (friday, friday + timedelta(days=1)):
        hours = replace(NIGHT, away=(DateSpan(away, away),))
        moments = minutes_between(datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC))
        for moment in filter(partial(is_open_at, hours=hours), moments):
            assert to_wall(moment, NEW_YORK).date() != away


def test_somebody_who_is_away_for_years_has_their_usual_hours() -> None:
    """What they own keeps a date; it waits for somebody else, not for ever."""
    away = replace(OFFICE, away=(DateSpan(date(2026, 1, 1), date(2036, 1, 1)),))

    assert next_open(datetime(2026, 3, 6, 23, tzinfo=UTC), away) == datetime(2026, 3, 9, 13, tzinfo=UTC)


def test_people_meet_a_customer_while_both_are_open() -> None:
    """From nine to five in Berlin and outside the customer's quiet hours in New York: from 14:00 in Berlin."""
    hours = OpenHours(BERLIN, customer=CustomerDays((NEW_YORK,)))
    monday = datetime(2026, 12, 7, 7, tzinfo=UTC)

    assert next_open(monday, hours) == datetime(2026, 12, 7, 13, tzinfo=UTC)
    assert last_open_before(monday + DAY, hours) == datetime(2026, 12, 7, 16, tzinfo=UTC)


def test_where_two_are_never_open_at_one_moment_the_hours_of_ours_count_and_the_days_of_both() -> None:
    los_angeles, kolkata = find_zone("America/Los_Angeles"), find_zone("Asia/Kolkata")
    customer = CustomerDays((kolkata,), weekend=frozenset({5, 6}), holidays=HolidayCalendar("IN"))
    hours = OpenHours(los_angeles, customer=customer)

    wednesday = from_wall(datetime(2026, 12, 9, 6), los_angeles)  # noqa: DTZ001
    assert to_wall(next_open(wednesday, hours), los_angeles) == datetime(2026, 12, 9, 9)  # noqa: DTZ001
    friday_noon = from_wall(datetime(2026, 12, 11, 12), los_angeles)  # noqa: DTZ001 - Saturday in Kolkata
    assert to_wall(next_open(friday_noon, hours), los_angeles) == datetime(2026, 12, 14, 9)  # noqa: DTZ001
    assert closed_reason(date(2026, 12, 12), hours) == "no working day"
    independence_day = date(2025, 8, 15)
    assert "public holiday Independence Day of the customer" in {
        closed_reason(independence_day, hours),
        reason_at(from_wall(datetime.combine(independence_day, time(9)), los_angeles), hours),
    }


def test_where_two_share_no_day_those_of_ours_count() -> None:
    hours = OpenHours(
        UTC_ZONE, frozenset({5, 6}), customer=CustomerDays((UTC_ZONE,), weekend=frozenset({5, 6}))
    )

    saturday = datetime(2026, 3, 7, 9, tzinfo=UTC)
    assert next_open(saturday, hours) == saturday


def test_a_holiday_of_one_week_does_not_make_two_of_other_hours_meet_at_night() -> None:
    """They meet from four to five in London, on Mondays alone; on a Monday off they do not meet in that week."""
    london, los_angeles = find_zone("Europe/London"), find_zone("America/Los_Angeles")
    off = (DateSpan(date(2026, 12, 7), date(2026, 12, 7)),)
    hours = OpenHours(london, frozenset({0}), away=off, customer=CustomerDays((los_angeles,)))

    assert next_open(datetime(2026, 12, 5, tzinfo=UTC), hours) == datetime(2026, 12, 14, 16, tzinfo=UTC)


def test_the_weekend_of_a_customer_is_that_of_its_country() -> None:
    hours = OpenHours(UTC_ZONE, customer=CustomerDays((UTC_ZONE,), weekend=weekend_of("SA")))

    assert closed_reason(date(2026, 3, 6), hours) == "weekend of the customer"  # a Friday
    assert open_days(hours, date(2026, 3, 2), date(2026, 3, 8)) == tuple(
        date(2026, 3, n) for n in range(2, 6)
    )


def test_a_customer_in_an_unknown_place_restricts_no_hours() -> None:
    hours = OpenHours(find_zone("Asia/Tokyo"), customer=CustomerDays())

    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert next_open(midnight, hours) == midnight
