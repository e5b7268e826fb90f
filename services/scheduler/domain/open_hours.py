"""Time zones, open hours and steps in wall-clock time that are right on both nights when the clocks change.

A wall time inside the spring gap moves forward by the gap; one inside the autumn overlap is the first of the two
(RFC 5545 section 3.3.5). A day is never 24 hours added in UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache

from schemas.times import QuietHours, clock_time
from schemas.zones import UTC_ZONE, TimeZone, UnknownZone, find_zone

DAY = timedelta(days=1)
WORKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))
FARTHEST_DAYS = 15


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone; `doubt`: why UTC replaces the zone that was named, if it does."""

    info: TimeZone
    doubt: str | None = None


@lru_cache(maxsize=2048)
def load_zone(name: str | None) -> Zone:
    """The zone of that IANA name; UTC without a name, and UTC with a doubt for an unknown name."""
    if name is None:
        return Zone(UTC_ZONE)
    try:
        return Zone(find_zone(name))
    except UnknownZone:
        return Zone(UTC_ZONE, f"unknown time zone {name!r}: UTC is used")


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Weekdays (0 is Monday) and hours from `start` up to, not including, `end`, in one zone.

    When `end` is not after `start`, the shift ends on the next day; its weekday is the one on which it starts.
    """

    zone: TimeZone
    days: frozenset[int] = WORKDAYS
    start: time = time(9)
    end: time = time(17)


def message_hours(zone: TimeZone, quiet: QuietHours) -> OpenHours:
    """When Drumbeat itself may write to a customer in this zone: outside the quiet hours of the policy, on every day."""
    return OpenHours(zone, EVERY_DAY, clock_time(quiet.to), clock_time(quiet.from_))


def check_hours(zone: TimeZone, days: frozenset[int], start: time, end: time) -> tuple[OpenHours, str | None]:
    """Open hours and None; the default hours and the reason when the given ones are never open.

    Somebody without working days still owns what others gave them: customers are not called at night because of it.
    """
    weekdays = days & EVERY_DAY
    if not weekdays:
        return OpenHours(zone), "has no working days: what they own comes due Mon-Fri 9-17; reassign it"
    if end == start:
        return OpenHours(zone), f"working hours {start}-{end} are never open: Mon-Fri 9-17 is used"
    return OpenHours(zone, weekdays, start, end), None


def to_wall(moment: datetime, zone: TimeZone) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def from_wall(wall: datetime, zone: TimeZone) -> datetime:
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def add_days(moment: datetime, days: int, zone: TimeZone) -> datetime:
    """The same wall time `days` days later."""
    return from_wall(to_wall(moment, zone) + timedelta(days=days), zone)


def is_open(wall: datetime, opening: OpenHours) -> bool:
    """Whether that wall time is in open hours: those of its own day, or of a shift that began the day before."""
    clock = wall.time()
    if opening.start < opening.end:
        return opening.start <= clock < opening.end and wall.weekday() in opening.days
    if clock >= opening.start:
        return wall.weekday() in opening.days
    return clock < opening.end and (wall.weekday() - 1) % 7 in opening.days


def next_open(moment: datetime, opening: OpenHours | None) -> datetime:
    """The first open moment not before `moment`; None is always open."""
    if opening is None:
        return moment
    wall = to_wall(moment, opening.zone)
    if is_open(wall, opening):
        return moment
    overnight = opening.end <= opening.start
    day = wall.date() - DAY if overnight else wall.date()
    for _ in range(FARTHEST_DAYS):
        if day.weekday() in opening.days:
            opens_at = from_wall(datetime.combine(day, opening.start), opening.zone)
            closing_day = day + DAY if overnight else day
            closes_at = from_wall(datetime.combine(closing_day, opening.end), opening.zone)
            open_at = max(moment, opens_at)
            if open_at < closes_at:
                return open_at
        day += DAY
    return moment
