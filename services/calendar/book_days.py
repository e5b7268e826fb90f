"""The days of a book by number: on which a moment is, and on which of them a touchpoint may not be due.

Looked up for whole windows: a book of a thousand touchpoints asks for tens of thousands of days.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from schemas.zones import TimeZone
from services.calendar.avoid import Availability, end_of
from services.calendar.open_hours import DAY, OpenHours, find_open, from_wall, open_days, to_wall
from services.calendar.stretches import DAY_LENGTH, LAST_YEAR, from_micros, to_micros

_SECOND = 1_000_000
_CACHED_HOURS: Final = 256
"""The hours of a year of days take 3 KiB."""


class _OpenFor(NamedTuple):
    """By day, from its start to the end of its last open stretch; 0 where nothing is open. Microseconds.

    `closed`: the days where nothing is open. `shortest`: the least of the others; 0 without any.
    """

    length: Sequence[int]
    closed: Sequence[int]
    shortest: int

    def closed_in(self, days: range) -> tuple[int, ...]:
        """Those of the days on which nothing is open."""
        return tuple(self.closed[bisect_left(self.closed, days.start) : bisect_left(self.closed, days.stop)])


class BookDays:
    """`count` days in a row from `first`, numbered from 0, by the wall clock of a zone; other days are in no answer."""

    def __init__(self, zone: TimeZone, first: date, count: int) -> None:
        self._zone = zone
        self._first = first
        self._starts = [self._instant(day, time()) for day in range(count + 1)]
        lengths = (end - start for start, end in pairwise(self._starts))
        self._odd = frozenset(day for day, length in enumerate(lengths) if length != DAY_LENGTH)
        self._open_for = lru_cache(_CACHED_HOURS)(self._find_open_for)

    def number_of(self, moment: datetime) -> int:
        """The day on which that moment is; negative before the first one."""
        at = to_micros(moment)
        if self._starts[0] <= at < self._starts[-1]:
            return bisect_right(self._starts, at) - 1
        return (to_wall(moment, self._zone).date() - self._first).days

    def closed_from(self, clock: time, hours: OpenHours, days: range) -> tuple[int, ...]:
        """Those of the days on which nothing is open at that time of day or later."""
        into_day = ((clock.hour * 60 + clock.minute) * 60 + clock.second) * _SECOND + clock.microsecond
        found, days = self._open_for(hours), self._inside(days)
        if into_day < found.shortest and self._odd.isdisjoint(days):
            return found.closed_in(days)
        return tuple(
            day
            for day in days
            if (self._into_odd_day(day, clock) if day in self._odd else into_day) >= found.length[day]
        )

    def unavailable(self, availability: Availability, days: range) -> tuple[int, ...]:
        """Those of the days on which no moment is available."""
        opening = availability.opening
        found = None if opening is None else self._open_for(opening)
        days = self._inside(days)
        first, beyond = self._starts[days.start], self._starts[days.stop]
        spans = [(to_micros(period.from_), to_micros(end_of(period))) for period in availability.periods]
        spans = [(start, end) for start, end in spans if start < beyond and end > first]
        if not spans:
            return () if found is None else found.closed_in(days)
        return tuple(
            day
            for day in days
            if (found is not None and not found.length[day])
            or not self._has_available(availability, spans, day)
        )

    def _has_available(self, availability: Availability, spans: Iterable[tuple[int, int]], day: int) -> bool:
        """Whether there is an available moment on a day with open hours. `spans`: the periods to avoid."""
        start, end = self._starts[day], self._starts[day + 1]
        around = [(first, beyond) for first, beyond in spans if first < end and beyond > start]
        if not around:
            return True
        if any(first <= start and beyond >= end for first, beyond in around):
            return False
        return self.number_of(availability.first_available(from_micros(start))) == day

    def _find_open_for(self, hours: OpenHours) -> _OpenFor:
        """From the start of each day to the end of its last open stretch; 0 where nothing is open."""
        length = array("q", (self._find_last_open(hours, *span) for span in pairwise(self._starts)))
        closed = array("h", (day for day, until in enumerate(length) if not until))
        return _OpenFor(length, closed, min(filter(None, length), default=0))

    def _find_last_open(self, hours: OpenHours, start: int, end: int) -> int:
        for year in {from_micros(end - 1).year: None, from_micros(start).year: None}:
            found = find_open(hours, year).find_last(end) if year <= LAST_YEAR else None
            if found is not None and found > start:
                return found - start
        return 0

    def _inside(self, days: range) -> range:
        last = len(self._starts) - 1
        return range(min(max(days.start, 0), last), min(max(days.stop, 0), last))

    def _into_odd_day(self, day: int, clock: time) -> int:
        return self._instant(day, clock) - self._starts[day]

    def _instant(self, day: int, clock: time) -> int:
        return to_micros(from_wall(datetime.combine(self._first + day * DAY, clock), self._zone))


@lru_cache(maxsize=16)
def share_days(zone: TimeZone, first: date, count: int) -> BookDays:
    """The same object for equal days: books are levelled again and again on one day, and colleagues share customers."""
    return BookDays(zone, first, count)


@lru_cache(maxsize=256)
def number_open_days(hours: OpenHours, first: date, count: int) -> frozenset[int]:
    """The numbers of the days, of `count` from `first`, on which somebody with these hours works."""
    return frozenset((day - first).days for day in open_days(hours, first, first + (count - 1) * DAY))
