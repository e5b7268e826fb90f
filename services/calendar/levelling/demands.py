"""What a book asks of its weeks: for each touch the minutes, and the weeks in which they may lie."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.calendar.levelling.model import Book, Hold, Touch
from services.calendar.levelling.price import build_options
from services.calendar.levelling.week_flow import Weeks
from services.calendar.weeks import name_week


@dataclass(frozen=True, slots=True)
class Demand:
    """A touch whose window ends within the book, and the weeks in which it may lie, ascending."""

    touch: Touch
    minutes: int
    weeks: Weeks


def list_demands(book: Book) -> tuple[list[Demand], list[int]]:
    """The demands of a book, in the order of its touches, and the minutes that each week holds.

    A touch whose window reaches beyond the end of the book proves nothing about its last weeks; one without an allowed
    day, or frozen in a week that is not worked, asks nothing of any week. Neither is a demand.
    """
    options = build_options(book)
    capacity: list[int] = options.week_minutes.tolist()
    weeks, first = options.week.tolist(), options.first_week.tolist()
    size = len(book.day_minutes)
    demands: list[Demand] = []
    for number, touch in enumerate(book.touches):
        own = tuple(weeks[first[number] : first[number + 1]])
        if own and capacity[own[0]] and (touch.latest < size or touch.hold is Hold.FROZEN):
            demands.append(Demand(touch, max(touch.minutes, 1), own))
    return demands, capacity


def find_confined(demands: Iterable[Demand], weeks: Iterable[int]) -> list[Demand]:
    """The demands that can lie only in these weeks."""
    within = frozenset(weeks)
    return [each for each in demands if within.issuperset(each.weeks)]


def describe_weeks(book: Book, weeks: Sequence[int]) -> str:
    """The ISO weeks, such as `in 2026-W10` or `from 2026-W10 to 2026-W11`; only the first and the last count."""
    first, last = (name_week(book.first_day + timedelta(weeks=week)) for week in (min(weeks), max(weeks)))
    return f"in {first}" if first == last else f"from {first} to {last}"
