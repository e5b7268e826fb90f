"""Prices, against the same sums written plainly."""

import random

import numpy as np

from services.calendar.levelling import Hold
from services.calendar.levelling.price import FORBIDDEN, build_options, total_price
from tests.unit.calendar.levelling import brute_force
from tests.unit.calendar.levelling.books import make_book, phased_book, touch, working_week


def test_the_price_of_a_calendar_is_the_sum_of_its_parts() -> None:
    rng = random.Random(4)
    for number in range(60):
        book = brute_force.draw_book(rng, one_length=False, standing=number % 2 == 1)
        days = [
            rng.choice(brute_force.allowed_days(book, each) or [-1])
            if each.hold is not Hold.FROZEN
            else each.day
            for each in book.touches
        ]
        assert total_price(build_options(book), np.array(days)) == brute_force.price_days(book, days)


def test_the_options_of_a_touch_are_its_allowed_days() -> None:
    book = phased_book("options", "mixed", 20)
    options = build_options(book)
    by_touch: dict[int, list[int]] = {}
    for number, day in zip(options.touch.tolist(), options.day.tolist(), strict=True):
        by_touch.setdefault(number, []).append(day)

    assert any(each.closed for each in book.touches)
    for number, each in enumerate(book.touches):
        assert by_touch.get(number, []) == brute_force.allowed_days(book, each)


def test_a_day_that_is_not_allowed_costs_more_than_any_calendar() -> None:
    book = make_book(working_week(1500, 4), [touch("1", "acme", 9, minutes=30)])
    options = build_options(book)

    assert total_price(options, np.array([10])) < FORBIDDEN
    for day in (12, 26, -1):
        assert total_price(options, np.array([day])) >= 30 * FORBIDDEN


def test_a_touch_without_minutes_is_drawn_to_its_target_as_one_of_a_minute() -> None:
    book = make_book(working_week(1500, 4), [touch("1", "acme", 9, minutes=0)])

    assert build_options(book).minutes.tolist() == [1]


def test_everything_is_a_64_bit_integer() -> None:
    options = build_options(phased_book("kinds", "small", 10))

    columns = [getattr(options, name) for name in type(options).__slots__]
    assert {column.dtype for column in columns} == {np.dtype(np.int64)}
