"""The minimum-cost flow: exact for touches of one length, else a bound; what is installed is named."""

import random
from math import prod

import numpy as np
import pytest

from services.calendar.levelling import FlowNotInstalled, Start, find_start, level
from services.calendar.levelling.flow import choose_by_flow
from services.calendar.levelling.price import build_options
from services.calendar.levelling.weeks import choose_cheapest, shift_weeks, total_week_price
from tests.conftest import IS_SOAK
from tests.unit.calendar.levelling import brute_force
from tests.unit.calendar.levelling.books import make_book, phased_book, touch, working_week

IS_INSTALLED = find_start() is Start.FLOW
BOOKS = 500 if IS_SOAK else 60

with_flow = pytest.mark.skipif(not IS_INSTALLED, reason="needs the extra [levelling]")
pytestmark = pytest.mark.timeout(1200 if IS_SOAK else 60)


@with_flow
@pytest.mark.parametrize("one_length", [True, False])
def test_no_choice_of_weeks_costs_less_than_the_bound(*, one_length: bool) -> None:
    rng = random.Random(8)
    for _ in range(BOOKS):
        book = brute_force.draw_book(rng, one_length=one_length)
        if prod(len({d // 7 for d in brute_force.allowed_days(book, t)}) or 1 for t in book.touches) > 2000:
            continue
        options = build_options(book)
        chosen, bound = choose_by_flow(options)
        best = min(brute_force.price_weeks(book, weeks) for weeks in brute_force.all_weeks(book))
        assert bound <= best
        if one_length:
            assert bound == best == total_week_price(options, shift_weeks(options, chosen))


@with_flow
def test_a_book_of_a_year_is_within_a_fifth_of_a_percent_of_the_bound() -> None:
    for segment in ("mixed", "small", "enterprise"):
        options = build_options(phased_book("flow", segment))
        chosen, bound = choose_by_flow(options)

        assert total_week_price(options, shift_weeks(options, chosen)) * 1000 <= bound * 1002
        assert (
            total_week_price(options, shift_weeks(options, choose_cheapest(options))) * 1000 <= bound * 1005
        )


@with_flow
def test_touches_longer_than_all_weeks_and_without_a_week_have_a_start_as_well() -> None:
    touches = [touch("1", "a", 9, minutes=4000), touch("2", "a", -90), touch("3", "b", 2, minutes=1)]
    options = build_options(make_book(working_week(600, 4), touches))

    chosen, _ = choose_by_flow(options)

    assert np.flatnonzero(chosen < 0).tolist() == [1]
    assert options.week_touch[chosen[chosen >= 0]].tolist() == [0, 2]


@with_flow
def test_a_book_of_many_minutes_is_counted_in_coarser_units() -> None:
    touches = [touch(f"{n}", f"{n}", 9 + n, minutes=601 + n) for n in range(9)]
    options = build_options(make_book(working_week(1_000_000, 5), touches))

    chosen, _ = choose_by_flow(options)

    assert (chosen >= 0).all()


@with_flow
def test_levelling_uses_the_flow_where_it_is_installed() -> None:
    book = phased_book("installed", "mixed", 20)

    assert level(book) == level(book, Start.FLOW)


@pytest.mark.skipif(IS_INSTALLED, reason="OR-tools is installed")
def test_without_the_extra_the_flow_is_refused_by_name_and_levelling_works() -> None:
    book = phased_book("without", "mixed", 20)

    assert find_start() is Start.CHEAPEST
    assert level(book) == level(book, Start.CHEAPEST)
    with pytest.raises(FlowNotInstalled, match=r"install drumbeat\[levelling\]"):
        level(book, Start.FLOW)
