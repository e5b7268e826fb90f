"""The weeks of small books, against all their choices of weeks."""

import random
from fractions import Fraction
from math import prod

import pytest

from services.calendar.levelling import Book
from services.calendar.levelling.price import build_options
from services.calendar.levelling.weeks import choose_cheapest, choose_standing, shift_weeks, total_week_price
from tests.conftest import IS_SOAK
from tests.unit.calendar.levelling import brute_force

BOOKS = 500 if IS_SOAK else 60
MOST_CHOICES = 6000

pytestmark = pytest.mark.timeout(1200 if IS_SOAK else 60)


def weeks_of(book: Book, chosen: list[int], week: list[int]) -> list[int]:
    return [-1 if option < 0 else week[option] for option, _ in zip(chosen, book.touches, strict=True)]


def search_and_try_all(*, one_length: bool, seed: int) -> list[Fraction]:
    """By book the price of the local search over the least price of all choices."""
    rng = random.Random(seed)
    ratios: list[Fraction] = []
    while len(ratios) < BOOKS:
        book = brute_force.draw_book(rng, one_length=one_length)
        if (
            prod(len({d // 7 for d in brute_force.allowed_days(book, t)}) or 1 for t in book.touches)
            > MOST_CHOICES
        ):
            continue
        options = build_options(book)
        chosen = shift_weeks(options, choose_cheapest(options))
        price = total_week_price(options, chosen)
        assert price == brute_force.price_weeks(book, weeks_of(book, chosen.tolist(), options.week.tolist()))
        best = min(brute_force.price_weeks(book, weeks) for weeks in brute_force.all_weeks(book))
        ratios.append(Fraction(price, max(best, 1)))
    return ratios


@pytest.mark.parametrize(("one_length", "optimal", "mean"), [(True, 85, 103), (False, 60, 108)])
def test_the_search_finds_the_best_weeks_of_most_small_books_and_none_that_are_far_off(
    *, one_length: bool, optimal: int, mean: int
) -> None:
    """Small books are the worst case: their weeks hold two or three touches. Percent, of 500 books in `make soak`."""
    ratios = search_and_try_all(one_length=one_length, seed=8)

    assert min(ratios) >= 1
    assert 100 * sum(ratio == 1 for ratio in ratios) >= optimal * len(ratios)
    assert 100 * sum(ratios) <= mean * len(ratios)


def test_what_stands_in_an_allowed_week_begins_there() -> None:
    rng = random.Random(3)
    for _ in range(40):
        book = brute_force.draw_book(rng, one_length=False, standing=True)
        options = build_options(book)
        started = weeks_of(book, choose_standing(options).tolist(), options.week.tolist())
        for each, week in zip(book.touches, started, strict=True):
            weeks = {day // 7 for day in brute_force.allowed_days(book, each)}
            assert week in (weeks or {-1})
            assert week == each.day // 7 or each.day // 7 not in weeks
