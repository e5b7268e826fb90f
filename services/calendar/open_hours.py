"""Time zones, open hours and steps in wall-clock time that are right on both nights when the clocks change.

A wall time inside the spring gap moves forward by the gap; one inside the autumn overlap is the first of the two
(RFC 5545 section 3.3.5). A day is never 24 hours added in UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
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


def load_zones(name: str | None, of_country: Sequence[str]) -> tuple[TimeZone, ...]:
    """The zone of an account, or all those of its country; UTC where neither is known."""
    return (
        (load_zone(name).info,)
        if name or not of_country
        else tuple(load_zone(zone).info for zone in of_country)
    )


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Weekdays (0 is Monday) and hours from `start` up to, not including, `end`, in one zone.

    When `end` is not after `start`, the shift ends on the next day; its weekday is the one on which it starts.
    `also_in`: zones in which it has to be open at the same moment too.
    """

    zone: TimeZone
    days: frozenset[int] = WORKDAYS
    start: time = time(9)
    end: time = time(17)
    also_in: tuple[TimeZone, ...] = field(default=(), repr=False)


def message_hours(zone: TimeZone, quiet: QuietHours, also_in: tuple[TimeZone, ...] = ()) -> OpenHours:
    """When Drumbeat itself may write to a customer: on every day, while none of the zones has quiet hours."""
    return OpenHours(zone, EVERY_DAY, clock_time(quiet.to), clock_time(quiet.from_), also_in)


def check_hours(zone: TimeZone, days: frozenset[int], start: time, end: time) -> tuple[OpenHours, str | None]:
    """Open hours and None; other hours and the reason when the given ones are never open.

    Somebody without working days still owns what others gave them. It is on nobody's day, so no day is better than its
    own; customers are not called at night because of it.
    """
    weekdays = days & EVERY_DAY
    if end == start:
        return OpenHours(zone), f"working hours {start}-{end} are never open: Mon-Fri 9-17 is used"
    if not weekdays:
        doubt = "has no working days: what they own keeps its date and is on nobody's day; reassign it"
        return OpenHours(zone, EVERY_DAY, start, end), doubt
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


def closed_reason(day: date, opening: OpenHours) -> str | None:
    """Why a whole day is closed; None: it is open at some time."""
    return None if day.weekday() in opening.days else "no working day"


def next_open(moment: datetime, opening: OpenHours | None) -> datetime:
    """The first open moment not before `moment`; None is always open.

    Where zones are never open at the same moment, the first one alone counts.
    """
    if opening is None:
        return moment
    if not opening.also_in:
        return _next_open_here(moment, opening)
    everywhere = [replace(opening, zone=zone, also_in=()) for zone in (opening.zone, *opening.also_in)]
    open_at = moment
    for _ in range(FARTHEST_DAYS):
        latest = max(_next_open_here(open_at, hours) for hours in everywhere)
        if latest == open_at:
            return open_at
        open_at = latest
    return _next_open_here(moment, everywhere[0])


def _next_open_here(moment: datetime, opening: OpenHours) -> datetime:
    """The first open moment by the clock of its zone alone."""
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
