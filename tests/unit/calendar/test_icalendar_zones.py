import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from dateutil.tz import tzical

from schemas.zones import ZONE_NAMES, UnknownZone, find_zone
from services.calendar.icalendar_zones import build_timezone

HOUR = timedelta(hours=1)


def written(zone: str, first: datetime, last: datetime) -> str:
    return build_timezone(zone, first, last).to_ical().decode()


def read(zone: str, first: datetime, last: datetime) -> Any:
    """The zone as python-dateutil understands its VTIMEZONE."""
    text = written(zone, first, last)
    found: Any = tzical(StringIO(f"BEGIN:VCALENDAR\n{text}END:VCALENDAR\n"))
    return found.get(zone)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("letter", sorted({name[0] for name in ZONE_NAMES}))
def test_every_zone_is_read_as_the_database_has_it_twice_a_month_over_three_years(letter: str) -> None:
    first, last = day("2025-12-20"), day("2028-12-20")
    for name in sorted(zone for zone in ZONE_NAMES if zone.startswith(letter)):
        zone, clocks = find_zone(name), read(name, first, last)
        for days in range(0, (last - first).days, 15):
            at = (first + timedelta(days=days)).astimezone(zone)
            local = at.replace(tzinfo=clocks)
            assert local.utcoffset() == at.utcoffset(), (name, at)


@pytest.mark.parametrize(
    "name",
    ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "America/Santiago",
     "Europe/Dublin", "Africa/Casablanca", "America/Vancouver", "Asia/Jerusalem", "Africa/Cairo"],
)  # fmt: skip
def test_the_clocks_change_at_the_very_hour(name: str) -> None:
    first, last = day("2026-01-01"), day("2026-12-31")
    zone, clocks = find_zone(name), read(name, first, last)
    hours = (first + HOUR * hour for hour in range(24 * 365))
    for at in (instant.astimezone(zone) for instant in hours):
        following = (at.astimezone(UTC) + HOUR).astimezone(zone)
        # The hour that the clocks show twice is left out: a local time alone does not say which it is.
        if not at.fold and not following.fold:
            assert at.replace(tzinfo=clocks).utcoffset() == at.utcoffset(), at


def test_a_change_that_comes_every_year_is_one_observance_with_a_rule() -> None:
    text = written("Europe/Berlin", day("2026-06-01"), day("2027-06-01"))
    assert text.count("BEGIN:STANDARD") == text.count("BEGIN:DAYLIGHT") == 1
    assert "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\n" in text
    assert "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\n" in text


def test_a_change_that_will_end_has_no_rule() -> None:
    text = written("America/Vancouver", day("2026-02-01"), day("2027-02-01"))
    assert "RRULE" not in text
    assert re.findall("DTSTART:(.*)\r", text) == ["20250309T020000", "20251102T020000", "20260308T020000"]


def test_a_zone_without_changes_has_one_observance() -> None:
    text = written("Asia/Tokyo", day("2026-02-01"), day("2027-02-01"))
    assert text.count("BEGIN:STANDARD") == 1
    assert "TZOFFSETFROM:+0900\r\nTZOFFSETTO:+0900\r\n" in text


def test_a_zone_that_skipped_a_day_is_read_on_both_sides_of_it() -> None:
    first, last = day("2011-12-28"), day("2012-01-03")
    zone, clocks = find_zone("Pacific/Apia"), read("Pacific/Apia", first, last)
    for days in range(7):
        at = (first + timedelta(days=days)).astimezone(zone)
        assert at.replace(tzinfo=clocks).utcoffset() == at.utcoffset(), at


def test_summer_is_daylight_time_where_the_database_has_it_the_other_way_round() -> None:
    text = written("Europe/Dublin", day("2026-06-01"), day("2026-07-01"))
    daylight = text.split("BEGIN:DAYLIGHT")[1].split("END:DAYLIGHT")[0]
    assert "TZOFFSETTO:+0100" in daylight


def test_no_list_of_dates_is_written() -> None:
    for name in sorted(ZONE_NAMES)[::7]:
        assert "RDATE" not in written(name, day("2026-01-01"), day("2030-01-01"))


def test_a_zone_that_the_database_does_not_have_is_refused() -> None:
    with pytest.raises(UnknownZone):
        build_timezone("Mars/Olympus", day("2026-01-01"), day("2026-02-01"))
