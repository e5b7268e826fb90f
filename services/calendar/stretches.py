"""Stretches of time: the instants of a year at which the clocks of a zone show wall times in given windows.

All numbers are microseconds since 1970: instants in UTC, wall times as if they were UTC. A window covers every instant
at which the clock shows it: both passes of an hour that clocks repeat, nothing of an hour that they skip.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.zones import TimeZone

MICROSECOND: Final = timedelta(microseconds=1)
DAY_LENGTH: Final = 86_400_000_000
WEEK_LENGTH: Final = 7 * DAY_LENGTH
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST_YEAR: Final = 9998
_FIRST_MONDAY: Final = -3 * DAY_LENGTH
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_MARGIN_DAYS: Final = 15
"""Beyond each end of a year, so that its first and its last week are whole."""
_PROBE: Final = timedelta(hours=6)
"""No zone changes its clocks twice within so short a time."""

_NEVER: Final = 2**62
_NOTHING: Final = (_NEVER, _NEVER)

Span = tuple[int, int]


class Stretches(NamedTuple):
    """Disjoint stretches in order, each from `starts[n]` up to, not including, `ends[n]`."""

    starts: Sequence[int]
    ends: Sequence[int]

    def find_next(self, at: int) -> int | None:
        """The first instant in a stretch not before `at`."""
        index = bisect_right(self.ends, at)
        return max(self.starts[index], at) if index < len(self.ends) else None

    def find_last(self, at: int) -> int | None:
        """The end, at most `at`, of the last stretch that begins before `at`."""
        index = bisect_left(self.starts, at) - 1
        return min(self.ends[index], at) if index >= 0 else None

    def has(self, at: int) -> bool:
        index = bisect_right(self.ends, at)
        return index < len(self.ends) and self.starts[index] <= at

    def around(self, at: int) -> Span:
        """The stretch around an instant; an empty one where there is none."""
        index = bisect_right(self.ends, at)
        found = index < len(self.ends) and self.starts[index] <= at
        return (self.starts[index], self.ends[index]) if found else (at, at)

    def meets(self, span: Span) -> bool:
        """Whether one of them has an instant of the span."""
        found = self.find_next(span[0])
        return found is not None and found < span[1]

    def clip(self, span: Span) -> "Stretches":
        """What of them is in the span."""
        first, beyond = bisect_right(self.ends, span[0]), bisect_left(self.starts, span[1])
        starts, ends = array("q", self.starts[first:beyond]), array("q", self.ends[first:beyond])
        if starts:
            starts[0], ends[-1] = max(starts[0], span[0]), min(ends[-1], span[1])
        return Stretches(starts, ends)


def to_micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def start_of(day: date) -> int:
    """The wall time 00:00 of a day."""
    return (day.toordinal() - _EPOCH_DAY) * DAY_LENGTH


def days_around(year: int) -> Iterator[date]:
    """The days of a year and those around it."""
    first = date(year, 1, 1).toordinal() - _MARGIN_DAYS
    last = date(year, 12, 31).toordinal() + _MARGIN_DAYS
    return map(date.fromordinal, range(max(first, 1), last + 1))


def bounds_of(year: int) -> Span:
    return start_of(date(year, 1, 1)), start_of(date(year + 1, 1, 1))


def week_of(at: int) -> int:
    """The number of the week in UTC, from Monday, in which an instant is."""
    return (at - _FIRST_MONDAY) // WEEK_LENGTH


def span_of_week(week: int) -> Span:
    start = _FIRST_MONDAY + week * WEEK_LENGTH
    return start, start + WEEK_LENGTH


def weeks_of(stretches: Stretches) -> set[int]:
    """The weeks in which there is something of them."""
    return {
        week
        for start, end in zip(*stretches, strict=True)
        for week in range(week_of(start), week_of(end - 1) + 1)
    }


def find_stretches(windows: Iterable[Span], zone: TimeZone, year: int) -> Stretches:
    """The instants of that year, and of some days around it, at which the clock is in one of the windows of wall time.

    The windows are disjoint.
    """
    wanted = sorted(windows)
    found: list[Span] = []
    for begin, end, offset in offsets_of(zone, year):
        for opens, closes in wanted:
            span = max(opens - offset, begin), min(closes - offset, end)
            if span[0] < span[1]:
                found.append(span)
    return join(found)


def join(spans: Iterable[Span]) -> Stretches:
    """Disjoint spans in order, those that touch as one."""
    starts, ends = array("q"), array("q")
    for start, end in sorted(spans):
        if ends and ends[-1] >= start:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return Stretches(starts, ends)


def intersect(one: Stretches, other: Stretches) -> Stretches:
    """What is in both."""
    starts, ends = array("q"), array("q")
    own, others = zip(*one, strict=True), zip(*other, strict=True)
    start, end = next(own, _NOTHING)
    begin, until = next(others, _NOTHING)
    while start < _NEVER and begin < _NEVER:
        if (first := max(start, begin)) < (last := min(end, until)):
            starts.append(first)
            ends.append(last)
        if end < until:
            start, end = next(own, _NOTHING)
        else:
            begin, until = next(others, _NOTHING)
    return Stretches(starts, ends)


def subtract(one: Stretches, other: Stretches) -> Stretches:
    """What is in the first and not in the second."""
    gap_starts, gap_ends = array("q", [-_NEVER, *other.ends]), array("q", [*other.starts, _NEVER])
    return intersect(one, Stretches(gap_starts, gap_ends))


@lru_cache(maxsize=4096)
def offsets_of(zone: TimeZone, year: int) -> tuple[tuple[int, int, int], ...]:
    """(from, to, offset from UTC) of each time without a change of the clocks, in that year and some days around it."""
    first, last = bounds_of(year)
    begin = from_micros(first - _MARGIN_DAYS * DAY_LENGTH)
    return find_offsets(zone, begin, from_micros(last + _MARGIN_DAYS * DAY_LENGTH), _PROBE)


def find_offsets(
    zone: TimeZone, begin: datetime, until: datetime, step: timedelta
) -> tuple[tuple[int, int, int], ...]:
    """(from, to, offset from UTC) of each time without a change; of changes within one step only their sum is found."""
    found: list[tuple[int, int, int]] = []
    probe, offset = begin, _offset(begin, zone)
    while probe < until:
        following = min(probe + step, until)
        after = _offset(following, zone)
        if after != offset:
            change = _find_change(probe, following, zone)
            found.append((to_micros(begin), to_micros(change), offset // MICROSECOND))
            begin, offset = change, after
        probe = following
    return (*found, (to_micros(begin), to_micros(until), offset // MICROSECOND))


def _find_change(before: datetime, after: datetime, zone: TimeZone) -> datetime:
    """The first second with the later offset."""
    offset = _offset(before, zone)
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(before + timedelta(seconds=middle), zone) == offset:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _offset(moment: datetime, zone: TimeZone) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def windows_of_shift(day: date, start: time, end: time) -> list[Span]:
    """The wall times of a shift that starts on that day: the part on the day and the part on the next one."""
    midnight = start_of(day)
    opens, closes = midnight + _since_midnight(start), midnight + _since_midnight(end)
    if opens < closes:
        return [(opens, closes)]
    tomorrow = midnight + DAY_LENGTH
    return [(opens, tomorrow), (tomorrow, closes + DAY_LENGTH)]


def _since_midnight(clock: time) -> int:
    """Microseconds; the last microsecond of a day stands for its end (`24:00`)."""
    if clock == time.max:
        return DAY_LENGTH
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * 1_000_000 + clock.microsecond


def windows_of_day(day: date, start: time, end: time) -> Iterator[Span]:
    """The wall times of one day that are in hours of every day."""
    midnight = start_of(day)
    opens, closes = midnight + _since_midnight(start), midnight + _since_midnight(end)
    if opens < closes:
        yield opens, closes
        return
    if midnight < closes:
        yield midnight, closes
    yield opens, midnight + DAY_LENGTH
