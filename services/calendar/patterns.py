"""The moments of rhythms by the calendar: on Wednesdays, on the 15th of each month, by an RRULE.

A moment has the date of the rule and the wall time of the anchor. It keeps its day when it can; a closed day moves it
to the nearest open one, the later one of two, and never beyond the middle to the moments beside it. Days are those of a
usual week: placing moves what falls on public holidays and into time off.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from schemas.recurrence_dates import iterate_dates
from schemas.recurrence_rule import RecurrenceRule
from schemas.zones import TimeZone
from services.calendar.closed_reasons import closed_reason
from services.calendar.open_hours import (
    DAY,
    OpenHours,
    from_wall,
    next_usual,
    to_wall,
    usual_of,
)

CLOSED: Final = "moved to the nearest open day: "
"""How the reason begins for a moment whose own day is closed."""
_MOST_DAYS_BEFORE: Final = 31
_LOOK_BACK: Final = timedelta(days=400)


class Moment(NamedTuple):
    """A nominal moment and when it is due; `closed`: why that is on another day, beginning with `CLOSED`."""

    nominal: datetime
    due_at: datetime
    closed: str | None = None


def iterate_moments(
    rule: RecurrenceRule,
    anchor: datetime,
    zone: TimeZone,
    opening: OpenHours | None,
    after: datetime | None,
) -> Iterator[Moment]:
    """In order, without end, from one that is not later than `after` or from the anchor.

    Left out: those whose nearest open day is nearer to another one, as at the weekend for a daily rule, and those on a
    day that the zone skipped, if the next day has one of its own.
    """
    wall = to_wall(anchor, zone)
    first = wall.date() if after is None or after <= anchor else to_wall(after, zone).date() - DAY
    dates = iterate_dates(rule, wall.date(), max(wall.date(), first - _LOOK_BACK))
    before: date | None = None
    for day, following in pairwise(dates):
        if day >= first or following > first:
            nominal = anchor if day == wall.date() else from_wall(datetime.combine(day, wall.time()), zone)
            gap = following - day if before is None else day - before
            placed = _place(nominal, zone, opening, (gap.days - 1) // 2, (following - day).days // 2)
            is_no_day = nominal == from_wall(datetime.combine(following, wall.time()), zone)
            if placed is not None and not is_no_day:
                yield placed
        before = day


def is_moment(moment: datetime, anchor: datetime, zone: TimeZone) -> bool:
    """Whether it has the wall time of the anchor in that zone, where the clocks do not skip it."""
    clock = to_wall(anchor, zone).time()
    return from_wall(datetime.combine(to_wall(moment, zone).date(), clock), zone) == moment


def first_moment(
    rule: RecurrenceRule, clock: time, earliest: datetime, zone: TimeZone, opening: OpenHours | None
) -> datetime:
    """The first nominal moment of a rule that names its days, which is due no earlier than `earliest`.

    `clock`: its wall time, where that is open on its day.
    """
    today = to_wall(earliest, zone).date()
    for day in iterate_dates(rule, today, today):
        nominal = _open_on(day, clock, zone, opening) or from_wall(datetime.combine(day, clock), zone)
        placed = _place(nominal, zone, opening)
        if placed is not None and placed.due_at >= earliest:
            return nominal
    raise ValueError(f"{rule} falls on no day after {today}")


def find_due(nominal: datetime, zone: TimeZone, opening: OpenHours | None) -> Moment:
    """When a moment is due that stands alone."""
    return _place(nominal, zone, opening) or Moment(nominal, next_usual(nominal, opening))


def _place(
    nominal: datetime,
    zone: TimeZone,
    opening: OpenHours | None,
    most_earlier: int = _MOST_DAYS_BEFORE,
    most_later: int | None = None,
) -> Moment | None:
    """The moment on its own day or the nearest open one, at most so many days away; None where there is none."""
    if next_usual(nominal, opening) == nominal:
        return Moment(nominal, nominal)
    wall = to_wall(nominal, zone)
    day, clock = wall.date(), wall.time()
    on_day = _open_on(day, clock, zone, opening)
    if on_day is not None:
        return Moment(nominal, on_day)
    later = to_wall(next_usual(from_wall(datetime.combine(day + DAY, time()), zone), opening), zone).date()
    days_later = (later - day).days
    due_at = _open_on(later, clock, zone, opening) if most_later is None or days_later <= most_later else None
    if due_at is not None:
        most_earlier = min(most_earlier, days_later - 1)
    due_at = _open_before(wall, most_earlier, zone, opening) or due_at
    if due_at is None:
        return None
    reason = (closed_reason(day, usual_of(opening)) if opening else None) or "outside open hours"
    return Moment(nominal, due_at, f"{CLOSED}{day:%A} {day.day} {day:%B} is closed ({reason})")


def _open_before(
    wall: datetime, most_days: int, zone: TimeZone, opening: OpenHours | None
) -> datetime | None:
    """On the last open day before that one, at most so many days earlier."""
    for days in range(1, min(most_days, _MOST_DAYS_BEFORE) + 1):
        open_at = _open_on(wall.date() - days * DAY, wall.time(), zone, opening)
        if open_at is not None:
            return open_at
    return None


def _open_on(day: date, clock: time, zone: TimeZone, opening: OpenHours | None) -> datetime | None:
    """The first open moment of a day from that time on, else of the whole day; None when it is closed."""
    for start in (clock, time()):
        open_at = next_usual(from_wall(datetime.combine(day, start), zone), opening)
        if to_wall(open_at, zone).date() == day and next_usual(open_at, opening) == open_at:
            return open_at
    return None
