"""What is given up when a book does not fit: the least that yields first, each with its reason."""

import random

import pytest

from services.calendar.levelling import Hold, find_conflicts, relieve
from tests.conftest import IS_SOAK
from tests.unit.calendar.levelling import brute_force
from tests.unit.calendar.levelling.books import make_book, phased_book, touch, working_week

BOOKS = 500 if IS_SOAK else 80

pytestmark = pytest.mark.timeout(1200 if IS_SOAK else 60)


@pytest.mark.parametrize("holes", [False, True])
def test_no_choice_keeps_more_of_what_yields_last(*, holes: bool) -> None:
    """For touches of one length: the greatest sum of 10^priority over all sets that fit."""
    rng = random.Random(11)
    for _ in range(BOOKS):
        demands, capacity = brute_force.draw_demands(rng, one_length=True, holes=holes)
        housed = brute_force.find_housed(demands, capacity)
        lost = {each.touch_id for each in relieve(brute_force.book_of_demands(demands, capacity)).given_up}
        kept = sum(10 ** each[2] for each in housed if each[0] not in lost)
        assert kept == brute_force.most_worth_keeping(housed, capacity)


@pytest.mark.parametrize("squeeze", [100, 60, 30])
def test_what_is_kept_fits_and_nothing_is_given_up_that_would_fit_with_it(squeeze: int) -> None:
    book = phased_book("relief", "mixed", 30)
    book = book._replace(day_minutes=tuple(minutes * squeeze // 100 for minutes in book.day_minutes))
    lost = {each.touch_id for each in relieve(book).given_up}
    kept = [each for each in book.touches if each.id not in lost]

    assert find_conflicts(book._replace(touches=tuple(kept))) == ()
    assert bool(lost) == bool(find_conflicts(book))
    for each in [each for each in book.touches if each.id in lost][:10]:
        assert find_conflicts(make_book(book.day_minutes, [*kept, each]))


def test_protected_touches_are_given_up_last_and_frozen_ones_never_before_others() -> None:
    routine = [touch(f"1{n}", "a", 9, soft=1, hard=2, minutes=60, priority=0) for n in range(2)]
    renewal = [touch(f"2{n}", "b", 9, soft=1, hard=2, minutes=60, priority=3) for n in range(2)]
    frozen = [touch("3", "c", 9, soft=1, hard=2, minutes=60, priority=0, hold=Hold.FROZEN, day=9)]
    invited = [touch("4", "d", 9, soft=1, hard=2, minutes=60, priority=0, hold=Hold.INVITED, day=9)]

    def lost(week: int) -> list[str]:
        book = make_book(working_week(week, 4), [*routine, *renewal, *frozen, *invited])
        return [each.touch_id for each in relieve(book).given_up]

    assert lost(360) == []
    assert lost(300) == ["11"]
    assert lost(240) == ["10", "11"]
    assert lost(180) == ["10", "11", "4"]
    assert lost(120) == ["10", "11", "4", "21"]
    assert lost(60) == ["10", "11", "4", "20", "21"]


def test_a_reason_says_which_weeks_and_minutes() -> None:
    calls = [touch(f"{n}", "a", 9, soft=1, hard=2, minutes=60) for n in range(3)]

    (given_up,) = relieve(make_book(working_week(120, 4), calls)).given_up

    assert given_up.touch_id == "2"
    assert (given_up.first_week, given_up.last_week, given_up.needed, given_up.available) == (1, 1, 180, 120)
    assert given_up.reason == (
        "no room in 2026-W11: 120 minutes, 120 of them needed by what goes before it, 60 by itself"
    )
