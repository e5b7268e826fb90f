"""Answers for small books by trying everything, written apart from the code that they judge."""

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product

from services.calendar.levelling import Book, Hold, Touch
from services.calendar.levelling.price import (
    APART,
    EDGE,
    LOAD,
    MOVE,
    MOVE_INVITED,
    OUTSIDE,
    OVER,
    SHORTEST_DAY,
    SHORTEST_WEEK,
)
from tests.unit.calendar.levelling.books import make_book, touch


def draw_book(rng: random.Random, *, one_length: bool, touches: int = 7, standing: bool = False) -> Book:
    """A book of three to five weeks whose touches have windows of one to five weeks."""
    weeks = rng.randint(3, 5)
    rows: list[Touch] = []
    for number in range(rng.randint(3, touches)):
        soft = rng.choice((2, 5, 9))
        target = rng.randrange(7 * weeks)
        minutes = 30 if one_length else rng.choice((15, 30, 45, 60, 90))
        day = rng.randrange(7 * weeks) if standing else -1
        hold = rng.choice((Hold.FREE, Hold.FREE, Hold.INVITED, Hold.FROZEN)) if standing else Hold.FREE
        account = rng.choice("abcdefgh")
        rows.append(
            touch(str(number), account, target, soft=soft, hard=2 * soft, minutes=minutes, day=day, hold=hold)
        )
    return make_book([rng.choice((20, 30, 40)) if d % 7 < 5 else 0 for d in range(7 * weeks)], rows)


def allowed_days(book: Book, each: Touch) -> list[int]:
    if each.hold is Hold.FROZEN:
        return [each.day]
    window = range(max(each.earliest, 0), min(each.latest, len(book.day_minutes) - 1) + 1)
    return [day for day in window if book.day_minutes[day] and day not in each.closed]


def price_touch(each: Touch, day: int) -> int:
    away = abs(day - each.target)
    price = EDGE * away // max(each.soft, 1) + (OUTSIDE if away > each.soft else 0)
    if each.day not in (-1, day):
        price += MOVE_INVITED if each.hold is Hold.INVITED else MOVE
    return price * max(each.minutes, 1)


def price_places(load: Sequence[int], available: Sequence[int], most: Sequence[int], least: int) -> int:
    rate = LOAD if least == SHORTEST_WEEK else LOAD // 4
    return sum(
        rate // max(available[place], least) * minutes**2 + OVER * max(minutes - most[place], 0)
        for place, minutes in enumerate(load)
    )


def price_days(book: Book, days: Sequence[int]) -> int:
    """The whole price of a calendar all of whose touches are on allowed days (-1: nowhere)."""
    size = len(book.day_minutes)
    by_day = [0] * size
    for each, day in zip(book.touches, days, strict=True):
        if day >= 0:
            by_day[day] += max(each.minutes, 1)
    by_week = [sum(by_day[first : first + 7]) for first in range(0, size, 7)]
    weeks = [sum(book.day_minutes[first : first + 7]) for first in range(0, size, 7)]
    placed = [(each, day) for each, day in zip(book.touches, days, strict=True) if day >= 0]
    near = sum(
        one.account_id == other.account_id and abs(day - at) < 2
        for (one, day), (other, at) in combinations(placed, 2)
    )
    return (
        price_places(by_week, weeks, weeks, SHORTEST_WEEK)
        + price_places(by_day, book.day_minutes, [2 * each for each in book.day_minutes], SHORTEST_DAY)
        + sum(price_touch(each, day) for each, day in placed)
        + APART * near
    )


def all_calendars(book: Book) -> Iterator[tuple[int, ...]]:
    yield from product(*(allowed_days(book, each) or [each.day] for each in book.touches))


def price_weeks(book: Book, weeks: Sequence[int]) -> int:
    """The price of weeks alone (-1: nowhere): each touch on its cheapest day of its week."""
    load = [0] * (len(book.day_minutes) // 7)
    price = 0
    for each, week in zip(book.touches, weeks, strict=True):
        if week >= 0:
            load[week] += max(each.minutes, 1)
            price += min(price_touch(each, day) for day in allowed_days(book, each) if day // 7 == week)
    available = [sum(book.day_minutes[first : first + 7]) for first in range(0, len(book.day_minutes), 7)]
    return price + price_places(load, available, available, SHORTEST_WEEK)


def all_weeks(book: Book) -> Iterator[tuple[int, ...]]:
    yield from product(
        *(sorted({day // 7 for day in allowed_days(book, each)}) or [-1] for each in book.touches)
    )


Demand = tuple[str, int, int, tuple[int, ...]]
"""id, minutes, priority, weeks."""


def draw_demands(rng: random.Random, *, one_length: bool, holes: bool) -> tuple[list[Demand], list[int]]:
    """A few demands, some of whose windows lack a week in the middle, and what the weeks hold."""
    weeks = rng.randint(2, 5)
    demands: list[Demand] = []
    for number in range(rng.randint(3, 8)):
        first = rng.randrange(weeks)
        span = list(range(first, min(weeks, first + 1 + rng.randrange(4))))
        if holes and len(span) > 2 and rng.random() < 0.6:
            span.pop(1)
        minutes = 1 if one_length else rng.choice((1, 2, 3, 4))
        demands.append((f"d{number}", minutes, rng.choice((1, 2, 3)), tuple(span)))
    return demands, [rng.randint(0, 3) if one_length else rng.randint(0, 7) for _ in range(weeks)]


def book_of_demands(demands: Sequence[Demand], capacity: Sequence[int]) -> Book:
    """A book in which each week is worked on its Monday."""
    touches = [
        Touch(
            name, name, "call", priority, minutes, weeks[0] * 7, 3, weeks[0] * 7, weeks[-1] * 7 + 6,
            tuple(day for day in range(weeks[0] * 7, weeks[-1] * 7 + 7) if day // 7 not in weeks),
        )
        for name, minutes, priority, weeks in demands
    ]  # fmt: skip
    return make_book([minutes if day == 0 else 0 for minutes in capacity for day in range(7)], touches)


def find_housed(demands: Sequence[Demand], capacity: Sequence[int]) -> list[Demand]:
    """The demands that have a week in which the person works; the others are not a matter of room."""
    return [each for each in demands if any(capacity[week] for week in each[3])]


def fit_whole(demands: Sequence[Demand], capacity: Sequence[int]) -> bool:
    """Whether all fit without splitting any, by trying."""
    if not demands:
        return True
    (_, minutes, _, weeks), *rest = demands
    for week in weeks:
        if capacity[week] >= minutes:
            left = list(capacity)
            left[week] -= minutes
            if fit_whole(rest, left):
                return True
    return False


def worst_ratio(demands: Sequence[Demand], capacity: Sequence[int]) -> Fraction:
    """The greatest ratio of needed to available minutes over all sets of weeks, at least 1."""
    worst = Fraction(1)
    for bits in range(1, 1 << len(capacity)):
        weeks = {week for week in range(len(capacity)) if bits >> week & 1}
        holds = sum(capacity[week] for week in weeks)
        if holds:
            worst = max(worst, Fraction(sum(each[1] for each in demands if weeks.issuperset(each[3])), holds))
    return worst


def fewest_that_do_not_fit(demands: Sequence[Demand], capacity: Sequence[int]) -> int:
    sizes = range(1, len(demands) + 1)
    return next(
        size for size in sizes if any(not fit_whole(some, capacity) for some in combinations(demands, size))
    )


def most_worth_keeping(demands: Sequence[Demand], capacity: Sequence[int]) -> int:
    """The greatest sum of 10^priority of demands that fit together."""
    return max(
        sum(10 ** each[2] for each in some)
        for size in range(len(demands) + 1)
        for some in combinations(demands, size)
        if fit_whole(some, capacity)
    )
