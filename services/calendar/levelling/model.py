"""The book of one person as values: what is to be met, within which days, and what the days hold.

Days are whole numbers that count from `Book.first_day`, a Monday; weeks are seven of them. Minutes are whole numbers.
"""

from datetime import date
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

HORIZON_WEEKS: Final = 53
"""A year in whole weeks. A book is one interval longer, so that its last weeks are as full as the others."""
MOST_MINUTES: Final = 5_000_000
"""The sum of minutes in a book up to which every price fits 64 bits; a person works some 90,000 a year."""
NOWHERE: Final = -1
WEEK: Final = 7


class Hold(IntEnum):
    """How firmly a touch stands: free to move, invited (moves only if it cannot stand), frozen (never moves)."""

    FREE = 0
    INVITED = 1
    FROZEN = 2


class Touch(NamedTuple):
    """One meeting. `priority`: the higher yields last, 0 routine to 3 renewal. `minutes` include preparation.

    `target`: the nominal day. `soft`: half width of the soft window, in days. `earliest` to `latest`: the hard window,
    both included. `closed`: days in it on which the account cannot be met. `day`: where it stands, -1: nowhere.
    """

    id: str
    account_id: str
    kind: str
    priority: int
    minutes: int
    target: int
    soft: int
    earliest: int
    latest: int
    closed: tuple[int, ...] = ()
    hold: Hold = Hold.FREE
    day: int = NOWHERE


class Beat(NamedTuple):
    """A rhythm of one meeting every so many days, whose first day is to be chosen from `first` to `last`."""

    account_id: str
    kind: str
    every: int
    minutes: int
    first: int
    last: int


class Book(NamedTuple):
    """The touches of one person, sorted by id, and the minutes for touches on each day: 0 is a day not worked.

    Whole weeks from `first_day`, a Monday. A day that has passed keeps its minutes: what may not lie there says so by
    its `earliest`, and what took place there is frozen. `idle`: days on which the person works without such minutes.
    """

    csm_id: str
    first_day: date
    day_minutes: tuple[int, ...]
    touches: tuple[Touch, ...]
    idle: frozenset[int] = frozenset()


class Move(NamedTuple):
    """Why a touch moved: the minutes of the week that it leaves, before and after all moves, and what that week holds.

    `saved`: the price of moving it back, alone; 0 when it may not stand where it stood.
    """

    touch_id: str
    before: int
    after: int
    week_minutes_before: int
    week_minutes_after: int
    available: int
    saved: int


class Obstacle(StrEnum):
    """Why a touch has no allowed day."""

    AWAY = "away"
    """The person works on no day of its window."""
    NO_HOURS = "no_hours"
    """The person works on days of its window, but has no minutes for touchpoints on any."""
    CLOSED = "closed"
    """The account cannot be met on any day of its window that the person works."""
    PASSED = "passed"
    """Its window ended before the book begins, or has no day."""


class Homeless(NamedTuple):
    """A touch without any allowed day in the book, and why."""

    touch_id: str
    obstacle: Obstacle


class Relevelled(NamedTuple):
    """The day of every touch of the book in its order (-1: nowhere), those that moved, those without an allowed day."""

    days: tuple[int, ...]
    moves: tuple[Move, ...]
    homeless: tuple[Homeless, ...]


class InvalidBook(ValueError):
    """A book that breaks its own rules; the text says which touch and which rule."""


def check_book(book: Book) -> None:
    """Raises InvalidBook: whole weeks from a Monday, touches with distinct ids in their order, minutes that fit."""
    if book.first_day.weekday() != 0 or not book.day_minutes or len(book.day_minutes) % WEEK:
        raise InvalidBook(
            f"book of {book.csm_id}: {len(book.day_minutes)} days from {book.first_day}; "
            "it needs whole weeks from a Monday"
        )
    if min(book.day_minutes) < 0:
        raise InvalidBook(f"book of {book.csm_id}: a day holds less than 0 minutes")
    before = ""
    for touch in book.touches:
        if touch.id <= before:
            raise InvalidBook(f"touch {touch.id} after {before}: sort the touches by id, each id once")
        if touch.minutes < 0:
            raise InvalidBook(f"touch {touch.id} has {touch.minutes} minutes; it needs 0 or more")
        before = touch.id
    most = max(sum(touch.minutes for touch in book.touches) + len(book.touches), *book.day_minutes)
    if most > MOST_MINUTES:
        raise InvalidBook(
            f"book of {book.csm_id}: {most} minutes; one person's book has at most {MOST_MINUTES}"
        )
