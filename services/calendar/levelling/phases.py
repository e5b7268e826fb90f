"""The phase of a rhythm: the day of its interval on which it beats.

It is chosen once, when the rhythm is new, and decides most of the level: windows alone cannot spread what is anchored
on one day. It moves nobody else.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from services.calendar.levelling.model import WEEK, Beat, Book, check_book
from services.calendar.levelling.price import LOAD, SHORTEST_WEEK, sum_minutes

PASSES = 3
"""Every rhythm of an import is asked so many times; a single new one answers at once."""


def choose_phases(book: Book, beats: Sequence[Beat]) -> dict[tuple[str, str], int]:
    """By (account_id, kind) the first day, from `first` to `last`, whose beats cost least on average.

    The load is that of the touches of the book where they stand, else at their targets. The rhythm with the most minutes
    a day is first; of equal days the earliest counts. A day after the end of the book costs nothing, so a beat whose
    every candidate lies there keeps its `first`. Raises InvalidBook.
    """
    check_book(book)
    phases = _Phases(book)
    order = sorted(beats, key=lambda beat: (Fraction(-beat.minutes, beat.every), beat.account_id, beat.kind))
    chosen: dict[tuple[str, str], int] = {}
    for _ in range(PASSES):
        before = dict(chosen)
        for beat in order:
            key = beat.account_id, beat.kind
            if key in chosen:
                phases.add(beat, chosen[key], -beat.minutes)
            chosen[key] = phases.find_cheapest(beat)
            phases.add(beat, chosen[key], beat.minutes)
        if chosen == before:
            break
    return chosen


class _Phases:
    """The load of each week while phases are chosen."""

    def __init__(self, book: Book) -> None:
        self.size = len(book.day_minutes)
        self.week_of = np.arange(self.size) // WEEK
        days = [each.day if each.day >= 0 else each.target for each in book.touches]
        inside = [
            (day // WEEK, each.minutes)
            for day, each in zip(days, book.touches, strict=True)
            if 0 <= day < self.size
        ]
        weeks, minutes = np.array(inside, np.int64).reshape(-1, 2).T
        self.load = sum_minutes(weeks, minutes, self.size // WEEK)
        available = np.array(book.day_minutes, np.int64).reshape(-1, WEEK).sum(axis=1)
        self.rate = LOAD // np.maximum(available, SHORTEST_WEEK)

    def add(self, beat: Beat, first: int, minutes: int) -> None:
        np.add.at(self.load, np.arange(max(first, 0), self.size, beat.every) // WEEK, minutes)

    def find_cheapest(self, beat: Beat) -> int:
        """The first day whose beats in the book, on average, raise the price of their weeks least."""
        start, minutes = max(beat.first, 0), max(beat.minutes, 1)
        span = min(beat.last, self.size - 1) - start + 1
        if span <= 0:
            return beat.first
        price = (self.rate * minutes * (2 * self.load + minutes))[self.week_of[start:]]
        rows = -(-len(price) // beat.every)
        table = np.zeros(rows * beat.every, np.int64)
        table[: len(price)] = price
        sums = table.reshape(rows, beat.every)[::-1].cumsum(axis=0)[::-1].reshape(-1)[:span]
        counts = -(-(len(price) - np.arange(span)) // beat.every)
        return start + int(np.argmin(sums // counts))
