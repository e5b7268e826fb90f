"""Calendar: zones, open hours and steps in wall-clock time that survive both DST nights.

A wall time inside the spring gap moves forward by the gap; one inside the autumn overlap is the
first of the two (RFC 5545 3.3.5). Days are never 24 hours added in UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone, and what was wrong with the name if the name did not hold."""

    info: ZoneInfo
    doubt: str | None = None


@lru_cache(maxsize=2048)
def zone(name: str | None) -> Zone:
    """The zone of that IANA name; UTC with the doubt noted for a name nobody knows."""
    if name is None:
        return Zone(ZoneInfo("UTC"))
    try:
        return Zone(ZoneInfo(name))
    except (KeyError, ValueError, OSError):
        return Zone(ZoneInfo("UTC"), f"unknown time zone {name!r}: UTC is used")


@dataclass(frozen=True, slots=True)
class Hours:
    """Open hours: weekdays (0 is Monday) from `start` up to, not including, `end`, in one zone."""

    zone: ZoneInfo
    days: frozenset[int] = WEEKDAYS
    start: time = time(9)
    end: time = time(17)


@lru_cache(maxsize=2048)
def mail_hours(info: ZoneInfo) -> Hours:
    """When a customer may be written to, unless the policy says otherwise."""
    return Hours(info, EVERY_DAY, time(8), time(20))


def hours(info: ZoneInfo, days: frozenset[int], start: time, end: time) -> tuple[Hours, str | None]:
    """Checked open hours; the usual ones with the doubt noted when nothing would ever be open."""
    kept = days & EVERY_DAY
    if not kept or end <= start:
        return Hours(info), f"working hours {start}-{end} on days {sorted(days)} are never open: Mon-Fri 9-17"
    return Hours(info, kept, start, end), None


def to_wall(moment: datetime, info: ZoneInfo) -> datetime:
    return moment.astimezone(info).replace(tzinfo=None)


def from_wall(wall: datetime, info: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=info, fold=0).astimezone(UTC)


def step(moment: datetime, days: int, info: ZoneInfo) -> datetime:
    """The same wall time `days` days later."""
    return from_wall(to_wall(moment, info) + timedelta(days=days), info)


def next_open(moment: datetime, opening: Hours | None) -> datetime:
    """The first open moment not before `moment`; None means always open."""
    if opening is None:
        return moment
    wall = to_wall(moment, opening.zone)
    if wall.weekday() in opening.days and opening.start <= wall.time() < opening.end:
        return moment
    day = wall.date()
    for _ in range(15):
        if day.weekday() in opening.days:
            opens = from_wall(datetime.combine(day, opening.start), opening.zone)
            closes = from_wall(datetime.combine(day, opening.end), opening.zone)
            slot = max(moment, opens)
            if slot < closes:
                return slot
        day += DAY
    return moment
