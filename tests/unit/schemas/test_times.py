"""Instants and times of day are read and written."""

from datetime import UTC, datetime, time, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from schemas.times import clock_time, format_instant, parse_instant

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001


@given(moment=moments)
def test_an_instant_survives_writing_and_reading(moment: datetime) -> None:
    read = parse_instant(format_instant(moment))

    assert read == moment
    assert read.tzinfo is UTC
    assert parse_instant(moment.isoformat()) == moment


def test_a_fraction_is_written_only_when_it_is_not_zero() -> None:
    assert format_instant(datetime(2026, 3, 2, tzinfo=UTC)) == "2026-03-02T00:00:00Z"
    assert format_instant(datetime(2026, 3, 2, 0, 0, 0, 5, tzinfo=UTC)) == "2026-03-02T00:00:00.000005Z"


def test_24_00_is_the_end_of_the_day() -> None:
    assert clock_time("09:30") == time(9, 30)
    assert clock_time("24:00") == time.max
