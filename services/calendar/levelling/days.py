"""The day of each touch in its week: level over the days, near the target, two days from others of its account.

Touches begin where they stand, and one changes its day only when that lowers the price of the whole calendar, so the
passes end. One that stands beside another of its account may go to any of its days, in any week.
"""

from collections.abc import Iterable

import numpy as np

from services.calendar.levelling.model import NOWHERE, WEEK
from services.calendar.levelling.price import APART, OVER, Ints, Options


def place_days(options: Options, chosen: Ints) -> Ints:
    """The day of each touch, -1 for one without options. `chosen`: the index of its week option."""
    placing = _Placing(options, chosen)
    active = set(range(len(options.week_minutes)))
    while active:
        active = placing.improve(active)
    return np.array(placing.days, np.int64)


class _Placing:
    """Where touches are while they are placed, with the load of days and weeks. Plain lists: one touch at a time."""

    def __init__(self, options: Options, chosen: Ints) -> None:
        self.minutes: list[int] = options.minutes.tolist()
        self.day: list[int] = options.day.tolist()
        self.cost: list[int] = options.cost.tolist()
        self.day_minutes: list[int] = options.day_minutes.tolist()
        self.week_minutes: list[int] = options.week_minutes.tolist()
        self.day_rate: list[int] = options.day_rate.tolist()
        self.week_rate: list[int] = options.week_rate.tolist()
        here, placed = np.maximum(chosen, 0), chosen >= 0
        starts = options.first_day
        self.first: list[int] = np.where(placed, starts[here], 0).tolist()
        self.beyond: list[int] = np.where(placed, starts[here + 1], 0).tolist()
        self.all_first: list[int] = starts[options.first_week[:-1]].tolist()
        self.all_beyond: list[int] = starts[options.first_week[1:]].tolist()
        self.week: list[int] = np.where(placed, options.week[here], -1).tolist()
        width = len(options.day_minutes) + 2
        self.account: list[int] = (options.account * width + 1).tolist()
        self.day_load = [0] * len(self.day_minutes)
        self.week_load = [0] * len(self.week_minutes)
        self.near: dict[int, int] = {}
        count = np.array(self.beyond) - np.array(self.first)
        order = np.lexsort((-options.priority, count, options.week[here]))
        self.order: list[int] = order[placed[order]].tolist()
        at = options.find_days(options.standing)
        stays = placed & (at >= np.array(self.first)) & (at < np.array(self.beyond))
        self.days: list[int] = np.where(stays, options.standing, NOWHERE).tolist()
        for touch in self.order:
            if self.days[touch] != NOWHERE:
                self._put(touch, self.days[touch], 1)

    def improve(self, active: set[int]) -> set[int]:
        """Ask each touch of these weeks once; the weeks in which the answer may have changed by what moved."""
        changed: set[int] = set()
        for touch in self.order:
            before = self.days[touch]
            week = self.week[touch] if before == NOWHERE else before // WEEK
            if week not in active:
                continue
            after = self._place_again(touch, before)
            if after != before:
                for each in {after // WEEK, week}:
                    changed.update((each - 1, each, each + 1))
        return changed

    def _place_again(self, touch: int, before: int) -> int:
        if before != NOWHERE:
            self._put(touch, before, -1)
        if before != NOWHERE and (self._count_near(touch, before) or before // WEEK != self.week[touch]):
            after = self._find_in_any_week(touch, before)
        else:
            after = self._find_cheapest(touch, range(self.first[touch], self.beyond[touch]), before)
        self.days[touch] = after
        self._put(touch, after, 1)
        return after

    def _find_cheapest(self, touch: int, candidates: Iterable[int], before: int) -> int:
        """The cheapest day of one week; of equal ones the present, else the first."""
        minutes, day, cost, load = self.minutes[touch], self.day, self.cost, self.day_load
        near, account = self.near, self.account[touch]
        best, least = NOWHERE, 0
        for option in candidates:
            at = day[option]
            price = self.day_rate[at] * minutes * (2 * load[at] + minutes) + cost[option]
            key = account + at
            beside = near.get(key - 1, 0) + near.get(key, 0) + near.get(key + 1, 0)
            if beside:
                price += APART * beside
            room = 2 * self.day_minutes[at] - load[at]
            if room < minutes:
                price += OVER * (minutes - max(room, 0))
            if best == NOWHERE or price < least or (price == least and at == before):
                best, least = at, price
        return best

    def _find_in_any_week(self, touch: int, before: int) -> int:
        """The cheapest of all its days, the load of the weeks counted as well."""
        best, least = NOWHERE, 0
        for option in range(self.all_first[touch], self.all_beyond[touch]):
            at = self.day[option]
            price = self._price_day(touch, option)
            if best == NOWHERE or price < least or (price == least and at == before):
                best, least = at, price
        return best

    def _price_day(self, touch: int, option: int) -> int:
        """By how much the calendar costs more with the touch on the day of this option than without it."""
        minutes, at = self.minutes[touch], self.day[option]
        week = at // WEEK
        price = self.day_rate[at] * minutes * (2 * self.day_load[at] + minutes) + self.cost[option]
        price += self.week_rate[week] * minutes * (2 * self.week_load[week] + minutes)
        price += APART * self._count_near(touch, at)
        price += OVER * max(minutes - max(2 * self.day_minutes[at] - self.day_load[at], 0), 0)
        return price + OVER * max(minutes - max(self.week_minutes[week] - self.week_load[week], 0), 0)

    def _count_near(self, touch: int, day: int) -> int:
        key = self.account[touch] + day
        near = self.near
        return near.get(key - 1, 0) + near.get(key, 0) + near.get(key + 1, 0)

    def _put(self, touch: int, day: int, sign: int) -> None:
        minutes, key = sign * self.minutes[touch], self.account[touch] + day
        self.day_load[day] += minutes
        self.week_load[day // WEEK] += minutes
        self.near[key] = self.near.get(key, 0) + sign
