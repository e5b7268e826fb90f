"""The day of each touch in its week: level over the days, near the target, two days from others of its account.

Touches begin where they stand, and one changes its day only when that lowers the price of the whole calendar, so the
passes end. One that stands beside another of its account may go to any of its days, in any week. Before a pass all are
asked at once: most stay, and are asked again only where another has moved since.
"""

from array import array
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from services.calendar.levelling.model import NOWHERE, WEEK
from services.calendar.levelling.price import APART, OVER, Ints, Options, spread_ranges

UNKNOWN: Final = np.iinfo(np.int64).max
"""Dearer than any day."""


def place_days(options: Options, chosen: Ints) -> Ints:
    """The day of each touch, -1 for one without options. `chosen`: the index of its week option."""
    if not len(options.week):
        return np.full(len(chosen), NOWHERE, np.int64)
    placing = _Placing(options, chosen)
    active = set(range(len(options.week_minutes)))
    while active:
        active = placing.improve(active)
    return np.array(placing.days, np.int64)


class _Columns(NamedTuple):
    """The days of the chosen weeks as columns, sorted by touch; `place_of` (less the day), `week_of` by touch.

    `placed`: the touches that have any.
    """

    touch: Ints
    day: Ints
    minutes: Ints
    base: Ints
    slope: Ints
    most: Ints
    place: Ints
    place_of: Ints
    placed: Ints
    week_of: Ints

    def list_options(self) -> tuple[list[int], ...]:
        return tuple(each.tolist() for each in (self.day, self.base, self.slope, self.most, self.place))

    def find_movable(self, days: Sequence[int], load: Sequence[int], near: "array[int]") -> list[bool]:
        """By touch whether it would move as all stand: where a day of its week is cheaper, or it may go to any week."""
        standing, beside = np.array(days, np.int64), np.frombuffer(near, np.int64)
        at = standing[self.touch]
        there = np.array(load, np.int64)[self.day] - np.where(self.day == at, self.minutes, 0)
        is_own = (at != NOWHERE) & (np.abs(self.day - at) < 2)
        price = self.base + self.slope * there + APART * (beside[self.place] - is_own)
        price += OVER * np.clip(there - self.most, 0, self.minutes)
        movable = np.ones(len(standing), np.bool_)
        if len(self.placed):
            runs = np.searchsorted(self.touch, self.placed)
            present = np.where(self.day == at, price, UNKNOWN)
            least = np.minimum.reduceat(price, runs)
            movable[self.placed] = least < np.minimum.reduceat(present, runs)
        stands = (standing >= 0) & (standing // WEEK == self.week_of)
        is_crowded = beside[self.place_of + np.maximum(standing, 0)] > 1
        return (movable | ~stands | is_crowded).tolist()


class _Placing:
    """Where touches are while they are placed. Plain lists, because one touch is placed after another.

    Of the days of its chosen week each touch has, from `first` to before `beyond`: `day`, `base` and `slope` (its price
    there is base + slope * load of the day), `most` (a load above costs OVER) and `place`, where `near` counts the
    touches of its account on the same or a neighbouring day, itself included.
    """

    def __init__(self, options: Options, chosen: Ints) -> None:
        self.options = options
        here, placed = np.maximum(chosen, 0), chosen >= 0
        first = np.where(placed, options.first_day[:-1][here], 0)
        beyond = np.where(placed, options.first_day[1:][here], 0)
        touch, option = spread_ranges(first, beyond - 1)
        day, minutes = options.day[option], options.minutes[touch]
        rate = options.day_rate[day]
        self.width = len(options.day_minutes) + 2
        self.columns = _Columns(
            touch, day, minutes, rate * minutes * minutes + options.cost[option], 2 * rate * minutes,
            2 * options.day_minutes[day] - minutes, options.account[touch] * self.width + day + 1,
            options.account * self.width + 1, np.flatnonzero(placed), np.where(placed, options.week[here], -1),
        )  # fmt: skip
        self.day, self.base, self.slope, self.most, self.place = self.columns.list_options()
        ends = np.cumsum(beyond - first)
        self.first: list[int] = (ends - beyond + first).tolist()
        self.beyond: list[int] = ends.tolist()
        self.minutes: list[int] = options.minutes.tolist()
        self.account: list[int] = (options.account * self.width + 1).tolist()
        self.week: list[int] = np.where(placed, options.week[here], -1).tolist()
        order = np.lexsort((-options.priority, beyond - first, options.week[here]))
        self.order: list[int] = order[placed[order]].tolist()
        at = options.find_days(options.standing)
        stays = placed & (at >= first) & (at < beyond)
        self._start(np.where(stays, options.standing, NOWHERE))

    def _start(self, days: Ints) -> None:
        self.days: list[int] = days.tolist()
        self.load: list[int] = self.options.load_days(days).tolist()
        self.near = array("q", bytes(8 * self.width * (max(self.account, default=0) // self.width + 1)))
        for touch in np.flatnonzero(days >= 0).tolist():
            self._count(touch, self.days[touch], 1)

    def improve(self, active: set[int]) -> set[int]:
        """Ask each touch of these weeks once; the weeks in which the answer may have changed by what moved."""
        changed: set[int] = set()
        moved: set[int] = set()
        may_move = self.columns.find_movable(self.days, self.load, self.near)
        for touch in self.order:
            before = self.days[touch]
            week = self.week[touch] if before == NOWHERE else before // WEEK
            if week not in active or not (may_move[touch] or week in moved):
                continue
            after = self._find_day(touch, before)
            if after != before:
                self._move(touch, before, after)
                moved.update(day // WEEK for at in (before, after) for day in (at - 1, at, at + 1))
                for each in {after // WEEK, week}:
                    changed.update((each - 1, each, each + 1))
        return changed

    def _find_day(self, touch: int, before: int) -> int:
        if before == NOWHERE:
            return self._find_in_week(touch, before)
        is_crowded = self.near[self.account[touch] + before] > 1
        self.load[before] -= self.minutes[touch]
        if is_crowded or before // WEEK != self.week[touch]:
            after = self._find_in_any_week(touch, before)
        else:
            after = self._find_in_week(touch, before)
        self.load[before] += self.minutes[touch]
        return after

    def _find_in_week(self, touch: int, before: int) -> int:
        """The cheapest day of its chosen week; of equal ones the present, else the first."""
        first, beyond, load, near = self.first[touch], self.beyond[touch], self.load, self.near
        best, least = NOWHERE, 0
        for option in range(first, beyond):
            at = self.day[option]
            there = load[at]
            price = self.base[option] + self.slope[option] * there
            others = near[self.place[option]]
            if others:
                price += APART * (others - (before != NOWHERE and -2 < at - before < 2))
            if there > self.most[option]:
                price += OVER * min(there - self.most[option], self.minutes[touch])
            if best == NOWHERE or price < least or (price == least and at == before):
                best, least = at, price
        return best

    def _find_in_any_week(self, touch: int, before: int) -> int:
        """The cheapest of all its days, the load of the weeks counted as well; the present if none is cheaper."""
        options, minutes = self.options, self.minutes[touch]
        weeks = slice(options.first_week[touch], options.first_week[touch + 1])
        own = slice(options.first_day[weeks.start], options.first_day[weeks.stop])
        day = options.day[own]
        load = np.array(self.load, np.int64)
        by_week = load.reshape(-1, WEEK).sum(axis=1)[day // WEEK]
        near = np.array([self.near[self.account[touch] + at] for at in day.tolist()], np.int64)
        near -= np.abs(day - before) < 2
        price = options.cost[own] + APART * near
        price += options.day_rate[day] * minutes * (2 * load[day] + minutes)
        price += OVER * np.clip(load[day] + minutes - 2 * options.day_minutes[day], 0, minutes)
        price += options.week_rate[day // WEEK] * minutes * (2 * by_week + minutes)
        price += OVER * np.clip(by_week + minutes - options.week_minutes[day // WEEK], 0, minutes)
        best = int(np.argmin(price))
        present = np.flatnonzero(day == before)
        return before if len(present) and price[present[0]] == price[best] else int(day[best])

    def _move(self, touch: int, before: int, after: int) -> None:
        if before != NOWHERE:
            self.load[before] -= self.minutes[touch]
            self._count(touch, before, -1)
        self.load[after] += self.minutes[touch]
        self._count(touch, after, 1)
        self.days[touch] = after

    def _count(self, touch: int, day: int, sign: int) -> None:
        place = self.account[touch] + day
        for each in (place - 1, place, place + 1):
            self.near[each] += sign
