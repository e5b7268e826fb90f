"""Time zones, open hours and steps in wall-clock time that are right on both nights when the clocks change.

A wall time inside the spring gap moves forward by the gap; one inside the autumn overlap is the first of the two
(RFC 5545 section 3.3.5). A day is never 24 hours added in UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.times import QuietHours, clock_time

DAY = timedelta(days=1)
WORKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))
FARTHEST_DAYS = 15


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone; `doubt`: why UTC replaces the zone that was named, if it does."""

    info: ZoneInfo
    doubt: str | None = None


@lru_cache(maxsize=2048)
def load_zone(name: str | None) -> Zone:
    """The zone of that IANA name; UTC without a name, and UTC with a doubt for an unknown name."""
    if name is None:
        return Zone(ZoneInfo("UTC"))
    try:
        return Zone(ZoneInfo(name))
    except (KeyError, ValueError, OSError):
        return Zone(ZoneInfo("UTC"), f"unknown time zone {name!r}: UTC is used")


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Weekdays (0 is Monday) and hours from `start` up to, not including, `end`, in one zone."""

    zone: ZoneInfo
    days: frozenset[int] = WORKDAYS
    start: time = time(9)
    end: time = time(17)


def message_hours(zone: ZoneInfo, quiet: QuietHours) -> OpenHours:
    """When Drumbeat itself may write to a customer in this zone: outside the quiet hours of the policy, on every day."""
    return OpenHours(zone, EVERY_DAY, clock_time(quiet.to), clock_time(quiet.from_))


def check_hours(zone: ZoneInfo, days: frozenset[int], start: time, end: time) -> tuple[OpenHours, str | None]:
    """Open hours and None; the default hours and the reason when the given ones are never open."""
    weekdays = days & EVERY_DAY
    if not weekdays or end <= start:
        doubt = f"working hours {start}-{end} on days {sorted(days)} are never open: Mon-Fri 9-17 is used"
        return OpenHours(zone), doubt
    return OpenHours(zone, weekdays, start, end), None


def to_wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def from_wall(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def add_days(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same wall time `days` days later."""
    return from_wall(to_wall(moment, zone) + timedelta(days=days), zone)


def next_open(moment: datetime, opening: OpenHours | None) -> datetime:
    """The first open moment not before `moment`; None is always open."""
    if opening is None:
        return moment
    wall = to_wall(moment, opening.zone)
    if wall.weekday() in opening.days and opening.start <= wall.time() < opening.end:
        return moment
    day = wall.date()
    for _ in range(FARTHEST_DAYS):
        if day.weekday() in opening.days:
            opens_at = from_wall(datetime.combine(day, opening.start), opening.zone)
            closes_at = from_wall(datetime.combine(day, opening.end), opening.zone)
            open_at = max(moment, opens_at)
            if open_at < closes_at:
                return open_at
        day += DAY
    return moment
