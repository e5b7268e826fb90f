"""Room for weeks above what they hold: chains of moves, where no single move helps any more.

A touch leaves the overfull week for a full one, another of the same length leaves that one, and so on to a week with
room: only the loads of the first and the last week change. A shorter touch may come back from the last to the first.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from services.calendar.levelling.price import Ints, Options, price_weeks
from services.calendar.levelling.weeks import load_weeks, shift_weeks, total_week_price

LONGEST: Final = 5
"""Moves in a chain."""
TRIED: Final = 8
"""Chains of one kind that are looked at when better ones pass a week twice."""
UNREACHABLE: Final = 1 << 60


def search_weeks(options: Options, chosen: Ints) -> Ints:
    """Single moves until none saves anything, then chains while these leave fewer minutes above what weeks hold."""
    chosen = shift_weeks(options, chosen)
    over, price = _sum_over(options, chosen), total_week_price(options, chosen)
    while over:
        moves = _find_best(options, chosen)
        chained = chosen.copy()
        chained[options.week_touch[moves]] = moves
        chained = shift_weeks(options, chained)
        over_before, over = over, _sum_over(options, chained)
        price_before, price = price, total_week_price(options, chained)
        if over >= over_before or price >= price_before:
            break
        chosen = chained
    return chosen


def _sum_over(options: Options, chosen: Ints) -> int:
    return int(np.maximum(load_weeks(options, chosen) - options.week_minutes, 0).sum())


@dataclass(frozen=True, slots=True)
class _Moves:
    """The moves of touches of one length: `arcs`: [from, to] the cheapest, without the loads, `options`: the week option.

    `steps`: for each length of a chain [overfull week, last week] the cheapest; `before`: the last week but one.
    """

    arcs: Ints
    options: Ints
    steps: list[Ints]
    before: list[Ints]

    def trace(self, source: int, row: int, end: int) -> list[int]:
        """The week options of the cheapest chain, empty when it passes a week twice."""
        length = int(np.argmin([step[row, end] for step in self.steps]))
        weeks = [end]
        for before in reversed(self.before[:length]):
            weeks.append(int(before[row, weeks[-1]]))
        weeks.append(source)
        if len(set(weeks)) < len(weeks):
            return []
        return [int(self.options[before, after]) for after, before in pairwise(weeks)]


def _find_best(options: Options, chosen: Ints) -> list[int]:
    """The week options of the chain out of an overfull week that saves most; empty without one."""
    load = load_weeks(options, chosen)
    sources = np.flatnonzero(load > options.week_minutes)
    lengths: list[int] = np.unique(options.minutes[chosen >= 0]).tolist()
    moves = {minutes: _tabulate_moves(options, chosen, minutes, sources) for minutes in lengths}
    best: tuple[int, list[int]] = (0, [])
    for minutes, forth in moves.items():
        cheapest = np.min(forth.steps, axis=0)
        for shorter in (0, *(each for each in lengths if each < minutes)):
            back = moves[shorter] if shorter else None
            total = cheapest + _price_ends(options, load, sources, minutes - shorter)
            if back is not None:
                total += back.arcs.T[sources]
            for place in np.argsort(total, axis=None, kind="stable")[:TRIED].tolist():
                row, end = divmod(place, total.shape[1])
                saved = int(total[row, end])
                if saved < best[0] and (chain := forth.trace(int(sources[row]), row, end)):
                    best = saved, chain if back is None else [*chain, int(back.options[end, sources[row]])]
    return best[1]


def _price_ends(options: Options, load: Ints, sources: Ints, minutes: int) -> Ints:
    """[overfull week, week]: the price difference when minutes go from one to the other."""
    here = price_weeks(load, options)
    leave, enter = price_weeks(load - minutes, options) - here, price_weeks(load + minutes, options) - here
    return leave[sources][:, None] + enter[None, :]


def _tabulate_moves(options: Options, chosen: Ints, minutes: int, sources: Ints) -> _Moves:
    size = len(options.week_minutes)
    moves = np.flatnonzero(
        (options.minutes[options.week_touch] == minutes) & (chosen[options.week_touch] >= 0)
    )
    here = chosen[options.week_touch[moves]]
    source, target = options.week[here], options.week[moves]
    rise = options.week_cost[moves] - options.week_cost[here]
    order = np.lexsort((moves, rise))[::-1]  # of equal places the last is kept
    arcs, movers = np.full((size, size), UNREACHABLE, np.int64), np.full((size, size), -1, np.int64)
    arcs[source[order], target[order]] = rise[order]
    movers[source[order], target[order]] = moves[order]
    np.fill_diagonal(arcs, UNREACHABLE)
    steps, before = [arcs[sources]], list[Ints]()
    for _ in range(LONGEST - 1):
        through = steps[-1][:, :, None] + arcs[None, :, :]
        before.append(np.argmin(through, axis=1))
        steps.append(np.minimum(through.min(axis=1), UNREACHABLE))
    return _Moves(arcs, movers, steps, before)
