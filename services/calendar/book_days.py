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
from services.calendar.stretches import DAY_LENGTH, LAST_YEAR, Span, from_micros, to_micros

_NEVER_OPEN: Final = 2 * DAY_LENGTH
"""Longer than any day."""
_CACHED_HOURS: Final = 256
"""The hours of a year of days take 6 KiB."""


class _OpenFor(NamedTuple):
    """By day, from its start to its first open moment and to the end of its last open stretch, in microseconds.

    Where nothing is open the one is `_NEVER_OPEN` and the other 0. `closed`: these days.
    """

    begins: Sequence[int]
    length: Sequence[int]
    closed: Sequence[int]

    def closed_in(self, days: range) -> tuple[int, ...]:
        """Those of the days on which nothing is open."""
        return tuple(self.closed[bisect_left(self.closed, days.start) : bisect_left(self.closed, days.stop)])


class BookDays:
    """`count` days in a row from `first`, numbered from 0, by the wall clock of a zone; other days are in no answer."""

    def __init__(self, zone: TimeZone, first: date, count: int) -> None:
        self._zone = zone
        self._first = first
        self._starts = [self._instant(day, time()) for day in range(count + 1)]
        self._open_for = lru_cache(_CACHED_HOURS)(self._find_open_for)

    def number_of(self, moment: datetime) -> int:
        """The day on which that moment is; negative before the first one."""
        at = to_micros(moment)
        if self._starts[0] <= at < self._starts[-1]:
            return bisect_right(self._starts, at) - 1
        return (to_wall(moment, self._zone).date() - self._first).days

    def unavailable(
        self, availability: Availability, days: range, window: tuple[datetime, datetime]
    ) -> tuple[int, ...]:
        """Those of the days on which no moment of the window, both ends included, is available.

        The window begins on the first of the days or before it, and ends on the last one or after it.
        """
        days = self._inside(days)
        if not days:
            return ()
        within = to_micros(window[0]), to_micros(window[1]) + 1
        opening = availability.opening
        found = None if opening is None else self._open_for(opening)
        first, beyond = self._starts[days.start], self._starts[days.stop]
        spans = [(to_micros(period.from_), to_micros(end_of(period))) for period in availability.periods]
        spans = [(start, end) for start, end in spans if start < beyond and end > first]
        if spans:
            return tuple(
                day
                for day in days
                if (found is not None and not found.length[day])
                or not self._has_available(availability, spans, day, within)
            )
        if found is None:
            return ()
        closed, edges = found.closed_in(days), (days.start, days.stop - 1)
        cut = [each for each in edges if not self._is_open_within(availability, found, each, within)]
        return tuple(sorted({*closed, *cut})) if cut else closed

    def _is_open_within(self, availability: Availability, found: _OpenFor, day: int, within: Span) -> bool:
        """Whether something of a day is open in the window, which may cut off both its ends."""
        start, (opens, closes) = self._starts[day], within
        if opens <= start:
            return start + found.begins[day] < closes
        if closes >= self._starts[day + 1]:
            return start + found.length[day] > opens
        return to_micros(availability.first_available(from_micros(opens))) < closes

    def _has_available(
        self, availability: Availability, spans: Iterable[Span], day: int, within: Span
    ) -> bool:
        """Whether there is an available moment of the window on a day with open hours. `spans`: the times to avoid."""
        start, end = max(self._starts[day], within[0]), min(self._starts[day + 1], within[1])
        around = [(first, beyond) for first, beyond in spans if first < end and beyond > start]
        if not around and (start, end) == (self._starts[day], self._starts[day + 1]):
            return True
        if any(first <= start and beyond >= end for first, beyond in around):
            return False
        return to_micros(availability.first_available(from_micros(start))) < end

    def _find_open_for(self, hours: OpenHours) -> _OpenFor:
        spans = list(pairwise(self._starts))
        begins = array("q", (self._find_first_open(hours, *span) for span in spans))
        length = array("q", (self._find_last_open(hours, *span) for span in spans))
        closed = array("h", (day for day, until in enumerate(length) if not until))
        return _OpenFor(begins, length, closed)

    def _find_first_open(self, hours: OpenHours, start: int, end: int) -> int:
        for year in {from_micros(start).year: None, from_micros(end - 1).year: None}:
            found = find_open(hours, year).find_next(start) if year <= LAST_YEAR else None
            if found is not None and found < end:
                return found - start
        return _NEVER_OPEN

    def _find_last_open(self, hours: OpenHours, start: int, end: int) -> int:
        for year in {from_micros(end - 1).year: None, from_micros(start).year: None}:
            found = find_open(hours, year).find_last(end) if year <= LAST_YEAR else None
            if found is not None and found > start:
                return found - start
        return 0

    def _inside(self, days: range) -> range:
        last = len(self._starts) - 1
        return range(min(max(days.start, 0), last), min(max(days.stop, 0), last))

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
