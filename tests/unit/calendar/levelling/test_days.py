"""The days of touches within their weeks, against every other day that they may have."""

import random

from services.calendar.levelling.days import place_days
from services.calendar.levelling.model import WEEK
from services.calendar.levelling.price import build_options, total_price
from services.calendar.levelling.weeks import choose_standing, shift_weeks
from tests.unit.calendar.levelling import brute_force
from tests.unit.calendar.levelling.books import phased_book


def test_no_touch_has_a_cheaper_day_in_its_week_at_the_end() -> None:
    """Also of those that are not asked again because nothing has moved beside them."""
    rng = random.Random(11)
    books = [brute_force.draw_book(rng, one_length=False, standing=number % 2 == 1) for number in range(80)]
    for book in (*books, phased_book("days", "monthly", 40)):
        options = build_options(book)
        days = place_days(options, shift_weeks(options, choose_standing(options)))
        least = total_price(options, days)
        for touch, day in zip(options.touch.tolist(), options.day.tolist(), strict=True):
            if day // WEEK == days[touch] // WEEK:
                other = days.copy()
                other[touch] = day
                assert total_price(options, other) >= least
