"""The next open moment is open and never earlier, also on the nights when the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.times import QuietHours
from schemas.zones import zones_of_country
from services.calendar.open_hours import (
    OpenHours,
    add_days,
    is_open_at,
    last_open_before,
    message_hours,
    next_open,
)
from services.calendar.zones import load_zones
from tests.unit.calendar.minutes import MINUTE, is_open_on_the_wall, minutes_between
from tests.unit.calendar.plans import moments, openings, zones


@settings(deadline=None)
@given(moments, openings())
def test_the_next_open_moment_is_the_first_that_the_clock_shows(moment: datetime, opening: OpenHours) -> None:
    slot = next_open(moment, opening)

    assert slot >= moment
    assert is_open_on_the_wall(slot, opening)
    if slot > moment:
        assert not is_open_on_the_wall(slot - timedelta(microseconds=1), opening)
        near = max(moment, slot - timedelta(days=1))
        assert not any(is_open_on_the_wall(each, opening) for each in minutes_between(near, slot))
    assert next_open(slot, opening) == slot


@settings(deadline=None)
@given(moments, openings())
def test_what_ends_before_a_moment_is_the_last_that_the_clock_shows(
    moment: datetime, opening: OpenHours
) -> None:
    last = last_open_before(moment, opening)

    assert last is not None
    assert last <= moment
    assert is_open_on_the_wall(last - timedelta(microseconds=1), opening)
    assert not any(is_open_on_the_wall(each, opening) for each in minutes_between(last, moment))


@settings(deadline=None, max_examples=20)
@given(moments, openings())
def test_each_minute_of_three_days_is_open_as_the_clock_shows(moment: datetime, opening: OpenHours) -> None:
    scanned = [
        is_open_on_the_wall(each, opening) for each in minutes_between(moment, moment + timedelta(days=3))
    ]

    assert [is_open_at(moment + n * MINUTE, opening) for n in range(len(scanned))] == scanned


@given(moments, zones, st.integers(0, 800))
def test_a_step_keeps_the_wall_time_but_for_a_gap(moment: datetime, zone: ZoneInfo, days: int) -> None:
    before = moment.astimezone(zone).replace(tzinfo=None)

    after = add_days(moment, days, zone).astimezone(zone).replace(tzinfo=None)

    assert after - (before + timedelta(days=days)) in (
        timedelta(0),
        timedelta(minutes=30),
        timedelta(hours=1),
    ) or (zone.key == "Pacific/Apia")
    assert add_days(moment, days, zone).tzinfo is UTC


@given(moments, st.sampled_from(("US", "ES", "CN", "AU", "BR")))
def test_a_message_to_a_country_waits_until_none_of_its_zones_has_quiet_hours(
    moment: datetime, country: str
) -> None:
    """Row 23: of an account whose zone nobody told."""
    zone, *others = load_zones(None, zones_of_country(country))
    opening = message_hours(zone, QuietHours(), tuple(others))

    slot = next_open(moment, opening)
    assert moment <= slot <= moment + timedelta(days=1)
    assert is_open_on_the_wall(slot, opening)


def test_where_one_zone_is_always_quiet_the_first_alone_counts() -> None:
    """Row 23."""
    first, *others = load_zones(None, ("Europe/Kaliningrad", "Asia/Kamchatka"))
    opening = message_hours(first, QuietHours(from_="17:00", to="09:00"), tuple(others))

    assert next_open(datetime(2026, 1, 5, 2, tzinfo=UTC), opening) == datetime(2026, 1, 5, 7, tzinfo=UTC)
