"""Whether a book fits, before the weeks come: which weeks, which touches, how many minutes and people are missing.

More minutes confined to some weeks than these hold prove that nothing fits (Hall's condition); no search is needed. For
windows without holes the weeks are an interval, and all intervals are checked at once; with holes (days on which the
account cannot be met) a maximum flow finds them. Exact when a meeting may be split over weeks, so also when all are of
one length. With several lengths a book may be free of conflicts and still not fit as a whole (21 of 1000 random books
of a few touches and weeks); then levelling leaves an overload.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np

from services.calendar.levelling.demands import Demand, find_confined, list_demands
from services.calendar.levelling.model import Book, check_book
from services.calendar.levelling.price import Ints
from services.calendar.levelling.week_flow import Weeks, find_overfull

MOST_NAMED: Final = 20
"""A conflict of more touches than this is not listed touch by touch: nobody reads it."""


class Group(NamedTuple):
    """The touches of one kind and account that are confined to the weeks of a conflict."""

    kind: str
    account_id: str
    touches: int
    minutes: int


class Conflict(NamedTuple):
    """Weeks (numbers from the first of the book) whose demands do not fit.

    `needed`: minutes that can lie nowhere else. `available`: what the weeks hold. `touch_ids`: the fewest touches that
    already do not fit, sorted; empty above `MOST_NAMED`. `headcount`: people needed per person there is, in the worst
    of the weeks. `groups`: all of the demands, those with the most minutes first.
    """

    first_week: int
    last_week: int
    needed: int
    available: int
    touch_ids: tuple[str, ...]
    headcount: Fraction
    groups: tuple[Group, ...]
    weeks: Weeks


class _Overload(NamedTuple):
    weeks: Weeks
    headcount: Fraction


def find_conflicts(book: Book) -> tuple[Conflict, ...]:
    """The conflicts of a book in the order of its weeks, none sharing a week; empty when it fits. Raises InvalidBook.

    The weeks in which most people are missing are found first, then those of what is left; neighbours are one conflict.
    """
    check_book(book)
    demands, capacity = list_demands(book)
    overloads: list[_Overload] = []
    rest = demands
    while (worst := _find_worst(rest, capacity)) is not None:
        overloads.append(worst)
        taken = frozenset(worst.weeks)
        rest = [each for each in rest if taken.isdisjoint(each.weeks)]
    return tuple(_describe(each, demands, capacity) for each in _merge_neighbours(overloads))


def _find_worst(demands: Sequence[Demand], capacity: Sequence[int]) -> _Overload | None:
    has_holes = any(_has_hole(each.weeks, capacity) for each in demands)
    return _find_worst_weeks(demands, capacity) if has_holes else _find_worst_interval(demands, capacity)


def _has_hole(weeks: Weeks, capacity: Sequence[int]) -> bool:
    """Whether a week between the first and the last is left out that holds something."""
    if weeks[-1] - weeks[0] + 1 == len(weeks):
        return False
    return any(capacity[week] for week in range(weeks[0], weeks[-1]) if week not in weeks)


def _find_worst_weeks(demands: Sequence[Demand], capacity: Sequence[int]) -> _Overload | None:
    """By Newton's method: the ratio of the overfull weeks is the next guess, until all fits. It ends exactly."""
    worst: _Overload | None = None
    ratio = Fraction(1)
    while True:
        overfull = find_overfull(
            ((each.weeks, each.minutes * ratio.denominator) for each in demands),
            [minutes * ratio.numerator for minutes in capacity],
        )
        if not overfull:
            return worst
        weeks = tuple(sorted(overfull))
        ratio = Fraction(
            sum(each.minutes for each in find_confined(demands, weeks)), sum(capacity[w] for w in weeks)
        )
        worst = _Overload(weeks, ratio)


def _find_worst_interval(demands: Sequence[Demand], capacity: Sequence[int]) -> _Overload | None:
    """The interval with the greatest ratio of needed to available; of equal ones the shortest, then the earliest."""
    needed, available = _tabulate(demands, capacity)
    first, last = np.nonzero(needed > available)
    if not len(first):
        return None
    need, have = needed[first, last], available[first, last]
    rough = need * 1_000_000 // have  # the greatest ratio is among those with the greatest rounded one
    spots = np.flatnonzero(rough == rough.max()).tolist()
    ratios = {spot: Fraction(int(need[spot]), int(have[spot])) for spot in spots}
    best = min(spots, key=lambda spot: (-ratios[spot], last[spot] - first[spot], first[spot]))
    return _Overload(tuple(range(int(first[best]), int(last[best]) + 1)), ratios[best])


def _tabulate(demands: Iterable[Demand], capacity: Sequence[int]) -> tuple[Ints, Ints]:
    """[a, b]: minutes confined to the weeks a to b, and what these hold."""
    size = len(capacity)
    exact = np.zeros((size, size), np.int64)
    for each in demands:
        exact[each.weeks[0], each.weeks[-1]] += each.minutes
    needed = exact[::-1].cumsum(axis=0)[::-1].cumsum(axis=1)
    total = np.array([0, *accumulate(capacity)], np.int64)
    available = total[None, 1:] - total[:-1, None]
    return np.triu(needed), np.triu(available)


def _merge_neighbours(overloads: Iterable[_Overload]) -> list[_Overload]:
    """Overloads whose weeks touch or enclose one another as one, with the greatest headcount; in order."""
    merged: list[_Overload] = []
    for each in sorted(overloads, key=lambda overload: overload.weeks[0]):
        if merged and each.weeks[0] <= merged[-1].weeks[-1] + 1:
            weeks = tuple(sorted((*merged[-1].weeks, *each.weeks)))
            merged[-1] = _Overload(weeks, max(merged[-1].headcount, each.headcount))
        else:
            merged.append(each)
    return merged


def _describe(overload: _Overload, demands: Sequence[Demand], capacity: Sequence[int]) -> Conflict:
    weeks = overload.weeks
    confined = find_confined(demands, weeks)
    sums: dict[tuple[str, str], list[int]] = {}
    for each in confined:
        sums.setdefault((each.touch.kind, each.touch.account_id), []).append(each.minutes)
    groups = [Group(*key, len(minutes), sum(minutes)) for key, minutes in sums.items()]
    return Conflict(
        weeks[0],
        weeks[-1],
        sum(each.minutes for each in confined),
        sum(capacity[week] for week in weeks),
        _find_fewest(confined, weeks, capacity),
        overload.headcount,
        tuple(sorted(groups, key=lambda group: (-group.minutes, group.kind, group.account_id))),
        weeks,
    )


def _find_fewest(confined: Sequence[Demand], weeks: Weeks, capacity: Sequence[int]) -> tuple[str, ...]:
    """The fewest touches that already overfill some of the weeks: the longest first, over all intervals."""
    longest = max(each.minutes for each in confined)
    holds = [capacity[week] if week in weeks else 0 for week in range(weeks[-1] + 1)]
    best: list[str] = []
    candidates = [(weeks, sum(holds)), *_list_intervals(weeks, holds, MOST_NAMED * longest)]
    for inside, limit in candidates:
        names = _overfill(find_confined(confined, inside), limit)
        if names and (not best or (len(names), names) < (len(best), best)):
            best = names
    return tuple(best) if len(best) <= MOST_NAMED else ()


def _list_intervals(weeks: Weeks, minutes: Sequence[int], limit: int) -> Iterable[tuple[Weeks, int]]:
    """The intervals of these weeks that hold less than a limit, with what they hold."""
    for first, week in enumerate(weeks):
        total = 0
        for beyond, last in enumerate(weeks[first:], first + 1):
            total += minutes[last]
            if total >= limit:
                break
            yield tuple(range(week, weeks[beyond - 1] + 1)), total


def _overfill(demands: Iterable[Demand], limit: int) -> list[str]:
    """The ids, sorted, of the longest touches that together exceed a limit; empty when all together do not."""
    names: list[str] = []
    total = 0
    for each in sorted(
        demands, key=lambda demand: (-demand.minutes, -demand.touch.priority, demand.touch.id)
    ):
        names.append(each.touch.id)
        total += each.minutes
        if total > limit:
            return sorted(names)
    return []
