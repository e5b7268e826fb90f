"""How much open time lies between two moments, and why there is none.

Hours of None are always open.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from services.calendar.closed_reasons import closed_reason
from services.calendar.open_hours import DAY, OpenHours, find_open, to_wall
from services.calendar.stretches import MICROSECOND, Span, from_micros, to_micros

MOST_REASONS = 3


def open_time(start: datetime, end: datetime, hours: OpenHours | None) -> timedelta:
    """The open time from `start` up to `end`; nothing when that is not later."""
    if hours is None:
        return max(end - start, timedelta())
    return sum((until - begin for begin, until in _spans(start, end, hours)), 0) * MICROSECOND


def last_moment_with(
    left: timedelta, start: datetime, end: datetime, hours: OpenHours | None
) -> datetime | None:
    """The last moment from `start` on after which `left` of open time, which is positive, is left before `end`.

    None: there is less already.
    """
    if hours is None:
        return end - left if end - left >= start else None
    rest = left // MICROSECOND
    for begin, until in reversed([*_spans(start, end, hours)]):
        if until - begin >= rest:
            return from_micros(until - rest)
        rest -= until - begin
    return None


def name_reasons(start: datetime, end: datetime, hours: OpenHours) -> str:
    """Why nothing is open from one moment to the day of the other: `no working day, public holiday Epiphany`."""
    day, last = (to_wall(moment, hours.zone).date() for moment in (start, end))
    reasons: dict[str, None] = {}
    while day < last and len(reasons) < MOST_REASONS:
        reason = closed_reason(day, hours)
        if reason is not None:
            reasons[reason] = None
        day += DAY
    return ", ".join(reasons) or "no working hours"


def find_absence(start: datetime, end: datetime, hours: OpenHours) -> tuple[date, date] | None:
    """The first and the last day of the time off that touches the time between two moments; None: there is none."""
    first, last = (to_wall(moment, hours.zone).date() for moment in (start, end))
    spans = [span for span in hours.away if span.first <= last and first <= span.last]
    return (min(span.first for span in spans), max(span.last for span in spans)) if spans else None


def _spans(start: datetime, end: datetime, hours: OpenHours) -> Iterator[Span]:
    """The open stretches between two moments, in order."""
    if start >= end:
        return
    bounds = to_micros(start), to_micros(end)
    for year in range(from_micros(bounds[0]).year, from_micros(bounds[1]).year + 1):
        yield from zip(*find_open(hours, year).clip(bounds), strict=True)
