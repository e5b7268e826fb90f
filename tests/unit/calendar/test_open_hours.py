"""Open hours and wall-clock steps."""

from datetime import UTC, datetime, time, timedelta

import pytest

from schemas.times import QuietHours
from schemas.zones import UTC_ZONE, find_zone
from services.calendar.open_hours import (
    EVERY_DAY,
    WORKDAYS,
    OpenHours,
    add_days,
    check_hours,
    load_zone,
    message_hours,
    next_open,
)

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
    "name", ["Mars/Olympus", "", "../etc/passwd", "America", "Europe/Berlin\x00", "\ud800"]
)
def test_an_unknown_zone_is_utc_with_the_doubt_noted(name: str) -> None:
    found = load_zone(name)

    assert found.info == UTC_ZONE
    assert found.doubt is not None


def test_no_zone_is_utc_without_a_doubt() -> None:
    assert load_zone(None).doubt is None


@pytest.mark.parametrize("days", [frozenset[int](), WORKDAYS, frozenset({9})])
def test_hours_that_never_open_are_the_usual_ones_with_the_doubt_noted(days: frozenset[int]) -> None:
    found, doubt = check_hours(NEW_YORK, days, time(9), time(9))

    assert found == OpenHours(NEW_YORK)
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
