"""Levelling a book: `relevel` after a change, `level` anew.

What stands stays unless leaving pays for the disturbance, and a change is taken only if the price of the whole calendar
falls. The price is a whole number, so repetition comes to rest; both functions repeat until it has, so that levelling
what is level changes nothing.
"""

from typing import Final

import numpy as np

from services.calendar.levelling.chains import search_weeks
from services.calendar.levelling.days import place_days
from services.calendar.levelling.flow import Start, choose_by_flow, find_start
from services.calendar.levelling.model import (
    NOWHERE,
    Book,
    Hold,
    Homeless,
    Obstacle,
    Relevelled,
    Touch,
    check_book,
)
from services.calendar.levelling.moves import explain_moves, undo_moves
from services.calendar.levelling.price import Ints, Options, build_options, total_price
from services.calendar.levelling.weeks import choose_cheapest, choose_standing

MOST_UNDONE: Final = 4
"""A move in two steps may not pay as a whole: it is undone and the rest asked again, at most so many times."""


def relevel(book: Book) -> Relevelled:
    """The book after a change: the days of its touches, which moved and why, which have no allowed day.

    A touch beyond the end of the book stays there. Raises InvalidBook.
    """
    check_book(book)
    options = build_options(book)
    days = _settle(book, options)
    for _ in range(MOST_UNDONE):
        kept = undo_moves(options, days)
        if np.array_equal(kept, days):
            break
        days = _settle(_with_days(book, kept))
    return Relevelled(tuple(days.tolist()), explain_moves(book, options, days), _find_homeless(book, options))


def level(book: Book, start: Start | None = None) -> tuple[int, ...]:
    """The days of all touches anew, whatever the free ones had; invited and frozen ones stay.

    `start`: where the search begins, else what `find_start` names for this installation. Raises InvalidBook, and
    FlowNotInstalled when the flow is asked for without OR-tools.
    """
    check_book(book)
    size = len(book.day_minutes)
    touches = tuple(
        each._replace(day=NOWHERE) if each.hold is Hold.FREE and 0 <= each.day < size else each
        for each in book.touches
    )
    options = build_options(book._replace(touches=touches))
    by_flow = (start or find_start()) is Start.FLOW
    chosen = choose_by_flow(options)[0] if by_flow else choose_cheapest(options)
    days = _keep_others(options, place_days(options, search_weeks(options, chosen)))
    placed = _with_days(book._replace(touches=touches), days)
    return tuple(_settle(placed).tolist())


def _settle(book: Book, options: Options | None = None) -> Ints:
    """Repeat until nothing changes: the price falls by a whole number each time. `options`: those of the book."""
    while True:
        options = options or build_options(book)
        chosen = search_weeks(options, choose_standing(options))
        days = _keep_others(options, place_days(options, chosen))
        days = undo_moves(options, days)
        if total_price(options, days) >= total_price(options, options.standing):
            return options.standing
        book, options = _with_days(book, days), None


def _keep_others(options: Options, days: Ints) -> Ints:
    """Touches without an allowed day stay where they are."""
    return np.where(options.has_any, days, options.standing)


def _with_days(book: Book, days: Ints) -> Book:
    placed = zip(book.touches, days.tolist(), strict=True)
    return book._replace(
        touches=tuple(each if each.day == day else each._replace(day=day) for each, day in placed)
    )


def _find_homeless(book: Book, options: Options) -> tuple[Homeless, ...]:
    size = len(book.day_minutes)
    return tuple(
        Homeless(touch.id, _find_obstacle(book, touch))
        for touch, has_any in zip(book.touches, options.has_any.tolist(), strict=True)
        if not has_any and touch.latest < size and touch.hold is not Hold.FROZEN
    )


def _find_obstacle(book: Book, touch: Touch) -> Obstacle:
    window = range(max(touch.earliest, 0), touch.latest + 1)
    if not window:
        return Obstacle.PASSED
    if any(book.day_minutes[day] for day in window):
        return Obstacle.CLOSED
    if book.idle.isdisjoint(window):
        return Obstacle.AWAY
    return Obstacle.NO_HOURS if book.idle.intersection(window).difference(touch.closed) else Obstacle.CLOSED
