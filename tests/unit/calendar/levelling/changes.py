"""What happens to a book in service: somebody comes, goes on holiday, or cannot be met for a while."""

import random
from collections.abc import Callable, Mapping

from services.calendar.levelling import Book, Hold, Start, Touch, choose_phases, level
from tests.unit.calendar.levelling.books import Rhythm, phased_book, with_days, with_touches


def level_in_service(seed: str, segment: str, now: int = 28) -> Book:
    """A levelled book after four weeks, with two weeks invited and half of the six after them."""
    rng = random.Random(seed)
    book = phased_book(seed, segment)
    book = with_days(book, level(book, Start.CHEAPEST))

    def hold(each: Touch) -> Hold:
        if 0 <= each.day < now:
            return Hold.FROZEN
        is_invited = now <= each.day < now + 14 or (now <= each.day < now + 56 and rng.random() < 0.5)
        return Hold.INVITED if is_invited else Hold.FREE

    return book._replace(touches=tuple(each._replace(hold=hold(each)) for each in book.touches))


def add_account(book: Book, name: str = "9999") -> Book:
    rhythms = [Rhythm(name, "check_in", 14, 45, 0, 28), Rhythm(name, "business_review", 90, 120, 2, 28)]
    phases = choose_phases(book, [each.beat(28) for each in rhythms])
    return with_touches(book, [t for each in rhythms for t in each.touches(phases[name, each.kind])])


def take_week_off(book: Book) -> Book:
    minutes = list(book.day_minutes)
    week = next(w for w in range(20, 50) if sum(minutes[7 * w : 7 * w + 7]) >= 4 * max(minutes))
    minutes[7 * week : 7 * week + 7] = [0] * 7
    return book._replace(day_minutes=tuple(minutes))


def close_account(book: Book) -> Book:
    account = next(each.account_id for each in book.touches if each.day > 100)
    days = tuple(range(100, 128))
    return book._replace(
        touches=tuple(
            each._replace(
                closed=tuple(sorted({*each.closed, *(d for d in days if each.earliest <= d <= each.latest)}))
            )
            if each.account_id == account
            else each
            for each in book.touches
        )
    )


CHANGES: Mapping[str, Callable[[Book], Book]] = {
    "new account": add_account,
    "week off": take_week_off,
    "closed account": close_account,
}
