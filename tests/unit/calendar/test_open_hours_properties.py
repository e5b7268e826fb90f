"""The next open moment is open and never earlier, also on the nights when the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from schemas.times import QuietHours
from schemas.zones import zones_of_country
from services.calendar.open_hours import (
    OpenHours,
    add_days,
    is_open,
    load_zones,
    message_hours,
    next_open,
    to_wall,
)
from tests.unit.calendar.plans import moments, openings, zones


@given(moments, openings())
def test_a_slot_is_never_earlier_than_asked_and_is_open(moment: datetime, opening: OpenHours) -> None:
    slot = next_open(moment, opening)
    wall = slot.astimezone(opening.zone)

    assert slot >= moment
    if opening.start < opening.end:
        assert wall.weekday() in opening.days
        # An hour of the morning may be missing on a night of change; what is left of the day is then open.
        assert opening.start <= wall.time() < opening.end
    else:
        assert wall.time() >= opening.start or wall.time() < opening.end
        began_on = wall if wall.time() >= opening.start else wall - timedelta(days=1)
        assert began_on.weekday() in opening.days
    assert is_open(wall.replace(tzinfo=None), opening)


@given(moments, openings())
def test_an_open_slot_is_its_own_slot(moment: datetime, opening: OpenHours) -> None:
    slot = next_open(moment, opening)

    assert next_open(slot, opening) == slot


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
    assert all(is_open(to_wall(slot, each), opening) for each in (zone, *others))


def test_where_one_zone_is_always_quiet_the_first_alone_counts() -> None:
    """Row 23."""
    first, *others = load_zones(None, ("Europe/Kaliningrad", "Asia/Kamchatka"))
    opening = message_hours(first, QuietHours(from_="17:00", to="09:00"), tuple(others))

    assert next_open(datetime(2026, 1, 5, 2, tzinfo=UTC), opening) == datetime(2026, 1, 5, 7, tzinfo=UTC)
