"""The moves of a relevelling: those that do not pay by themselves are undone, the others are explained."""

from typing import NamedTuple

import numpy as np

from services.calendar.levelling.model import WEEK, Book, Move
from services.calendar.levelling.price import APART, OVER, Ints, Options


class _Undoing(NamedTuple):
    """A touch that moved, with the indices of its day options before and after."""

    touch: int
    before: int
    after: int


def undo_moves(options: Options, days: Ints) -> Ints:
    """The days without the moves that are not worth it: moving back, alone, costs nothing."""
    days = days.copy()
    undoings = _find_undoings(options, days)
    while True:
        calendar = _Calendar(options, days)
        undone = 0
        for each in undoings:
            if days[each.touch] != options.standing[each.touch] and calendar.price_undoing(each) <= 0:
                calendar.undo(each)
                undone += 1
        if not undone:
            return days


def explain_moves(book: Book, options: Options, days: Ints) -> tuple[Move, ...]:
    """Every touch that stood on a day and now stands on another. `options` are of the book as it stood."""
    calendar = _Calendar(options, days)
    prices = {each.touch: calendar.price_undoing(each) for each in _find_undoings(options, days)}
    load_before, load_after = options.load_weeks(options.standing).tolist(), calendar.week_load.tolist()
    available = options.week_minutes.tolist()
    moves: list[Move] = []
    for touch in np.flatnonzero((days != options.standing) & (options.standing >= 0)).tolist():
        before = book.touches[touch].day
        week = min(before // WEEK, len(available) - 1)
        figures = load_before[week], load_after[week], available[week]
        moves.append(Move(book.touches[touch].id, before, int(days[touch]), *figures, prices.get(touch, 0)))
    return tuple(moves)


def _find_undoings(options: Options, days: Ints) -> list[_Undoing]:
    before, after = options.find_days(options.standing), options.find_days(days)
    moved = np.flatnonzero((days != options.standing) & (before >= 0) & (after >= 0)).tolist()
    return [_Undoing(touch, int(before[touch]), int(after[touch])) for touch in moved]


class _Calendar:
    """Days with their load."""

    def __init__(self, options: Options, days: Ints) -> None:
        self.options = options
        self.days = days
        self.week_load = options.load_weeks(days)
        self.day_load = options.load_days(days)

    def price_undoing(self, undoing: _Undoing) -> int:
        """By how much the calendar costs more when this touch alone moves back."""
        options, (touch, before, after) = self.options, undoing
        minutes, day, target = int(options.minutes[touch]), int(options.day[after]), int(options.day[before])
        rise = int(options.cost[before] - options.cost[after])
        rise += APART * (self._count_near(touch, target) - self._count_near(touch, day))
        rise += _price_shift(
            minutes, (self.day_load, options.day_rate, 2 * options.day_minutes), (day, target)
        )
        if day // WEEK != target // WEEK:
            weeks = self.week_load, options.week_rate, options.week_minutes
            rise += _price_shift(minutes, weeks, (day // WEEK, target // WEEK))
        return rise

    def undo(self, undoing: _Undoing) -> None:
        options, (touch, before, after) = self.options, undoing
        for option, sign in ((before, 1), (after, -1)):
            day = int(options.day[option])
            self.week_load[day // WEEK] += sign * options.minutes[touch]
            self.day_load[day] += sign * options.minutes[touch]
        self.days[touch] = options.day[before]

    def _count_near(self, touch: int, day: int) -> int:
        others = self.options.account == self.options.account[touch]
        others[touch] = False
        return int(np.count_nonzero(others & (np.abs(self.days - day) <= 1) & (self.days >= 0)))


def _price_shift(minutes: int, places: tuple[Ints, Ints, Ints], between: tuple[int, int]) -> int:
    """The price difference when minutes go from one day, or week, to another. `places`: load, rate and limit of each."""
    load, rate, limit = places
    source, target = between
    rise = int(rate[target]) * minutes * (2 * int(load[target]) + minutes)
    rise -= int(rate[source]) * minutes * (2 * int(load[source]) - minutes)
    over = min(max(int(load[target] - limit[target]) + minutes, 0), minutes)
    return rise + OVER * (over - min(max(int(load[source] - limit[source]), 0), minutes))
