"""What a calendar costs: the weights, and every allowed day of every touch with its price.

    sum over weeks   LOAD * minutes^2 / available         + OVER for each minute above what the week holds
    sum over days    LOAD / 4 * minutes^2 / available     + OVER for each minute above twice what the day holds
    sum over touches minutes * (EDGE * distance / soft + OUTSIDE if outside the soft window + MOVE if it leaves its day)
    sum over pairs   APART for two touches of one account on the same or on neighbouring days

The square over what is available makes equal shares of a week the best calendar, so a week of three working days gets
three fifths. Everything is a 64-bit whole number: the same bytes on every machine. docs/calendar.md gives the reasons
and the measurements behind the weights.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.calendar.levelling.model import WEEK, Book, Hold

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LOAD: Final = 10_000_000
"""Of one more minute in a week that is half full."""
EDGE: Final = 1_000_000
"""For each minute of a touch at the edge of its soft window: 5 % of load."""
OUTSIDE: Final = 6_000_000
"""For each minute of a touch outside its soft window, on top."""
MOVE: Final = 2_000_000
"""For each minute of a touch that leaves its day: 10 % of load."""
MOVE_INVITED: Final = 100_000_000
"""The same once people are invited: less than OVER, so that it moves only out of what cannot stand."""
OVER: Final = 200_000_000
"""For each minute above what a week, or twice what a day, holds."""
APART: Final = 2_700_000_000
"""For a pair of touches of one account nearer than two days: as 60 million for each of 45 minutes."""
FORBIDDEN: Final = 1_000_000_000_000
"""For each minute of a touch on a day that is not allowed, or nowhere although it has an allowed day."""
SHORTEST_WEEK: Final = 60
SHORTEST_DAY: Final = 15
"""Minutes that a week and a day count as at least where they are divided by: prices stay within 64 bits."""


@dataclass(frozen=True, slots=True)
class Options:
    """A book as columns. Day options are sorted by touch, then day; week options are the runs of one touch in one week.

    Per touch: `minutes` (1 for those without any), `account` (a number), `standing` (its day, -1: nowhere in the book),
    `first_week` (the index of its first week option, one more element than touches). Per day option: `touch`, `day`,
    `cost` (for all its minutes). Per week option: `week_touch`, `week`, `week_cost` (the cheapest of its days) and
    `first_day` (the index of its first day option, one more element). `week_rate`, `day_rate`: LOAD / available.
    """

    minutes: Ints
    account: Ints
    standing: Ints
    hold: Ints
    priority: Ints
    day_minutes: Ints
    week_minutes: Ints
    day_rate: Ints
    week_rate: Ints
    touch: Ints
    day: Ints
    cost: Ints
    week_touch: Ints
    week: Ints
    week_cost: Ints
    first_week: Ints
    first_day: Ints

    @property
    def has_any(self) -> Bools:
        """By touch whether it has an allowed day."""
        return np.diff(self.first_week) > 0

    def find_days(self, days: Ints) -> Ints:
        """By touch the index of the day option with this day, -1: none."""
        if not len(self.touch):
            return np.full(len(days), -1, np.int64)
        width = len(self.day_minutes) + 1
        keys = self.touch * width + self.day
        wanted = np.arange(len(days)) * width + np.where((days >= 0) & (days < width - 1), days, width - 1)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, at, -1)

    def load_weeks(self, days: Ints) -> Ints:
        """Minutes by week of touches on these days; those outside the book do not count."""
        inside = (days >= 0) & (days < len(self.day_minutes))
        return sum_minutes(days[inside] // WEEK, self.minutes[inside], len(self.week_minutes))

    def load_days(self, days: Ints) -> Ints:
        """Minutes by day, as `load_weeks`."""
        inside = (days >= 0) & (days < len(self.day_minutes))
        return sum_minutes(days[inside], self.minutes[inside], len(self.day_minutes))


def sum_minutes(places: Ints, minutes: Ints, size: int) -> Ints:
    """Minutes by place, as whole numbers."""
    total = np.zeros(size, np.int64)
    np.add.at(total, places, minutes)
    return total


def build_options(book: Book) -> Options:
    """Every allowed day of every touch with its price.

    A frozen touch has its own day only, allowed or not; one that stands beyond the end of the book has none and stays.
    """
    rows = [touch[3:9] + touch[10:] for touch in book.touches]
    columns = np.array(rows, np.int64).reshape(len(rows), 8).T
    priority, minutes, target, soft, earliest, latest, hold, standing = columns
    minutes, size = np.maximum(minutes, 1), len(book.day_minutes)
    accounts = {
        account: number for number, account in enumerate(dict.fromkeys(t.account_id for t in book.touches))
    }
    frozen = hold == Hold.FROZEN
    first = np.where(frozen, standing, np.maximum(earliest, 0))
    last = np.where(frozen, standing, np.minimum(latest, size - 1))
    is_elsewhere = (standing >= size) & (standing <= latest) | frozen & ((standing < 0) | (standing >= size))
    last = np.where(is_elsewhere, first - 1, last)
    touch, day = spread_ranges(first, last)
    day_minutes = np.array(book.day_minutes, np.int64)
    keep = (day_minutes[day] > 0) & ~_is_closed(book, touch, day) | frozen[touch]
    touch, day = touch[keep], day[keep]
    distance, soft = np.abs(day - target[touch]), np.maximum(soft, 1)[touch]
    cost = EDGE * distance // soft + np.where(distance > soft, OUTSIDE, 0)
    leaves = (standing[touch] >= 0) & (day != standing[touch])
    cost += np.where(leaves, np.where(hold[touch] == Hold.INVITED, MOVE_INVITED, MOVE), 0)
    cost *= minutes[touch]
    week = day // WEEK
    is_first = np.ones(len(touch), np.bool_)
    is_first[1:] = (touch[1:] != touch[:-1]) | (week[1:] != week[:-1])
    runs = np.flatnonzero(is_first)
    week_minutes = day_minutes.reshape(-1, WEEK).sum(axis=1)
    return Options(
        minutes, np.array([accounts[t.account_id] for t in book.touches], np.int64), standing, hold, priority,
        day_minutes, week_minutes, LOAD // 4 // np.maximum(day_minutes, SHORTEST_DAY),
        LOAD // np.maximum(week_minutes, SHORTEST_WEEK), touch, day, cost, touch[runs], week[runs],
        np.minimum.reduceat(cost, runs) if len(runs) else cost,
        np.searchsorted(touch[runs], np.arange(len(rows) + 1)), np.append(runs, len(touch)),
    )  # fmt: skip


def spread_ranges(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """(row, number) for each number from first to last of each row; none where last is less."""
    lengths = np.maximum(last - first + 1, 0)
    touch = np.repeat(np.arange(len(first)), lengths)
    return touch, np.arange(len(touch)) - np.repeat(np.cumsum(lengths) - lengths - first, lengths)


def _is_closed(book: Book, touch: Ints, day: Ints) -> Bools:
    size = len(book.day_minutes)
    keys = [
        number * size + closed
        for number, each in enumerate(book.touches)
        for closed in each.closed
        if 0 <= closed < size
    ]
    is_closed = np.zeros(len(book.touches) * size, np.bool_)
    is_closed[keys] = True
    return is_closed[touch * size + day]


def price_weeks(load: Ints, options: Options) -> Ints:
    """The price of each week with this load. Convex in the load, without rounding."""
    return options.week_rate * load * load + OVER * np.maximum(load - options.week_minutes, 0)


def price_days(load: Ints, options: Options) -> Ints:
    """The price of each day with this load."""
    return options.day_rate * load * load + OVER * np.maximum(load - 2 * options.day_minutes, 0)


def count_near(options: Options, days: Ints) -> Ints:
    """By touch how many others of its account stand on the same or a neighbouring day; 0 for those nowhere."""
    width = max(int(days.max(initial=0)), len(options.day_minutes)) + 3
    keys = options.account * width + days + 1
    ordered = np.sort(keys[days >= 0])
    near = np.searchsorted(ordered, keys + 1, "right") - np.searchsorted(ordered, keys - 1, "left") - 1
    return np.where(days >= 0, near, 0)


def total_price(options: Options, days: Ints) -> int:
    """What a calendar costs, everything counted: the one number that must fall for a change to be worth making."""
    at = options.find_days(days)
    allowed = options.cost[at[at >= 0]].tolist()
    wrong = options.minutes[(at < 0) & options.has_any].tolist()
    return (
        int(price_weeks(options.load_weeks(days), options).sum())
        + int(price_days(options.load_days(days), options).sum())
        + sum(allowed)
        + FORBIDDEN * sum(wrong)
        + APART * int(count_near(options, days).sum()) // 2
    )
