"""Three days around every change of the clocks of two years, against a scan of each minute (issue 12, 1).

`make soak` takes all zones, changes and kinds of hours, `make test` one change of one of the zones that change at the
same instants.
"""

import os
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest

from schemas.zones import ZONE_NAMES, TimeZone, find_zone
from services.calendar.open_hours import (
    EVERY_DAY,
    WORKDAYS,
    OpenHours,
    add_days,
    from_wall,
    is_open_at,
    last_open_before,
    next_open,
)
from tests.unit.calendar.minutes import MINUTE, is_open_on_the_wall, minutes_between

SOAK = bool(os.environ.get("DRUMBEAT_SOAK"))
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
HALF_DAY = timedelta(hours=12)
AROUND = 3 * HALF_DAY
KINDS = (
    (time(9), time(17), WORKDAYS),
    (time(1, 30), time(3, 15), EVERY_DAY),  # inside the usual hours of change
    (time(22), time(2, 30), frozenset({4, 5, 6})),  # a shift over midnight that ends in them
)

pytestmark = pytest.mark.timeout(3600 if SOAK else 120)


def changes_of(zone: TimeZone) -> Iterator[datetime]:
    """The first minutes of those years at which the clock has another offset, by asking it."""
    before = FIRST
    while before < LAST:
        after = before + HALF_DAY
        offset = after.astimezone(zone).utcoffset()
        if before.astimezone(zone).utcoffset() != offset:
            minutes = minutes_between(before, after + MINUTE)
            yield next(each for each in minutes if each.astimezone(zone).utcoffset() == offset)
        before = after


def changes_to_try() -> list[tuple[str, datetime, OpenHours]]:
    zones: dict[object, str] = {}
    for name in sorted(ZONE_NAMES):
        if changes := tuple(changes_of(find_zone(name))):
            zones.setdefault(name if SOAK else changes, name)
    every = [
        (name, change, kind)
        for name in zones.values()
        for change in changes_of(find_zone(name))
        for kind in KINDS
    ]
    return [
        (name, change, OpenHours(find_zone(name), days, start, end))
        for name, change, (start, end, days) in every[:: 1 if SOAK else 7]
    ]


def test_around_each_change_of_the_clocks_hours_are_those_of_a_scan_of_each_minute() -> None:
    tried = changes_to_try()
    assert len(tried) > (2000 if SOAK else 30)
    for name, change, hours in tried:
        moments = [*minutes_between(change - AROUND, change + AROUND)]
        is_open = [is_open_on_the_wall(moment, hours) for moment in moments]
        assert [is_open_at(moment, hours) for moment in moments] == is_open, name
        opened = [n for n, each in enumerate(is_open) if each]
        for n in range(0, len(moments), 13):
            following, before = bisect_left(opened, n), bisect_left(opened, n) - 1
            if following < len(opened):
                assert next_open(moments[n], hours) == moments[opened[following]], name
            if before >= 0:
                assert last_open_before(moments[n], hours) == moments[opened[before]] + MINUTE, name


def test_around_each_change_a_wall_time_is_the_first_that_the_clock_shows_and_a_missing_one_moves_by_the_gap() -> (
    None
):
    for name, change, hours in changes_to_try():
        zone = hours.zone
        shown: dict[datetime, datetime] = {}
        for moment in minutes_between(change - AROUND, change + AROUND):
            shown.setdefault(moment.astimezone(zone).replace(tzinfo=None), moment)
        gap = _offset(change, zone) - _offset(change - MINUTE, zone)
        for wall in minutes_between(min(shown), max(shown)):
            expected = shown[wall if wall in shown else wall + gap]
            assert from_wall(wall, zone) == expected, (name, wall)
        for wall in list(shown)[::17]:
            if (tomorrow := wall + timedelta(days=1)) in shown:
                assert add_days(shown[wall], 1, zone) == shown[tomorrow], (name, wall)


def _offset(moment: datetime, zone: TimeZone) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
