"""The phase of a rhythm: the day of its interval on which it beats.

It is chosen once, when the rhythm is new, and decides most of the level: windows alone cannot spread what is anchored
on one day. It moves nobody else.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from services.calendar.levelling.model import MOST_MINUTES, WEEK, Beat, Book, InvalidBook, check_book
from services.calendar.levelling.price import EDGE, LOAD, SHORTEST_DAY, SHORTEST_WEEK, Ints

PASSES = 3
"""Every rhythm of an import is asked so many times; a single new one answers at once."""


def choose_phases(book: Book, beats: Sequence[Beat]) -> dict[tuple[str, str], int]:
    """By (account_id, kind) the first day, from `first` to `last`, whose beats cost least on average.

    The load is that of the touches of the book where they stand, else at their targets. The rhythm with the most minutes
    a day is first; of equal days the earliest counts. A beat all of whose candidates lie after the end of the book keeps
    its `first`. Raises InvalidBook.
    """
    check_book(book)
    _check_beats(book, beats)
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


def _check_beats(book: Book, beats: Sequence[Beat]) -> None:
    total = sum(touch.minutes for touch in book.touches)
    for beat in beats:
        name = f"{beat.kind} of {beat.account_id}"
        if beat.every < 1 or beat.minutes < 0:
            raise InvalidBook(
                f"{name}: {beat.minutes} minutes every {beat.every} days; a beat has 0 or more, every 1 or more"
            )
        if beat.last < beat.first:
            raise InvalidBook(
                f"{name}: its first day lies between {beat.first} and {beat.last}; the last is before the first"
            )
        total += beat.minutes * -(-len(book.day_minutes) // beat.every)
    if total > MOST_MINUTES:
        raise InvalidBook(
            f"book of {book.csm_id}: {total} minutes; one person's book has at most {MOST_MINUTES}"
        )


class _Phases:
    """The load of each week and day while phases are chosen. A day not worked counts as the nearest that is."""

    def __init__(self, book: Book) -> None:
        day_minutes = np.array(book.day_minutes, np.int64)
        self.size = len(day_minutes)
        self.week_of = np.arange(self.size) // WEEK
        self.week_rate = LOAD // np.maximum(day_minutes.reshape(-1, WEEK).sum(axis=1), SHORTEST_WEEK)
        self.day_rate = LOAD // 4 // np.maximum(day_minutes, SHORTEST_DAY)
        self.week_load = np.zeros(self.size // WEEK, np.int64)
        self.day_load = np.zeros(self.size, np.int64)
        self.nearest = _find_nearest(np.flatnonzero(day_minutes), self.size)
        self.distance = np.abs(self.nearest - np.arange(self.size))
        for each in book.touches:
            self._add(np.array([each.day if each.day >= 0 else each.target], np.int64), each.minutes)

    def add(self, beat: Beat, first: int, minutes: int) -> None:
        self._add(np.arange(first, self.size, beat.every), minutes)

    def _add(self, days: Ints, minutes: int) -> None:
        inside = days[(days >= 0) & (days < self.size)]
        worked = self.nearest[inside]
        np.add.at(self.week_load, self.week_of[worked], minutes)
        np.add.at(self.day_load, worked, minutes)

    def find_cheapest(self, beat: Beat) -> int:
        """The first day whose beats in the book, on average, raise the price of their weeks and days least."""
        start, minutes = max(beat.first, 0), max(beat.minutes, 1)
        span = min(beat.last, self.size - 1) - start + 1
        if span <= 0:
            return beat.first
        by_week = self.week_rate * minutes * (2 * self.week_load + minutes)
        by_day = self.day_rate * minutes * (2 * self.day_load + minutes)
        away = self.distance * minutes * EDGE // max(1, beat.every // 5)
        price = (by_week[self.week_of[self.nearest]] + by_day[self.nearest] + away)[start:]
        rows = -(-len(price) // beat.every)
        table = np.zeros(rows * beat.every, np.int64)
        table[: len(price)] = price
        sums = table.reshape(rows, beat.every)[::-1].cumsum(axis=0)[::-1].reshape(-1)[:span]
        counts = -(-(len(price) - np.arange(span)) // beat.every)
        return start + int(np.argmin(sums // counts))


def _find_nearest(working: Ints, size: int) -> Ints:
    """By day the nearest working day, the earlier of two; the day itself when none is worked."""
    days = np.arange(size)
    if not len(working):
        return days
    after = np.minimum(np.searchsorted(working, days), len(working) - 1)
    before = np.maximum(after - 1, 0)
    is_before = np.abs(working[before] - days) <= np.abs(working[after] - days)
    return np.where(is_before, working[before], working[after])
