"""Levelling after a change: what stands stays unless it must move or pays for it."""

import random
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from services.calendar.levelling import (
    Book,
    Hold,
    Homeless,
    Obstacle,
    Start,
    Touch,
    level,
    relevel,
)
from services.calendar.levelling.price import build_options, total_price
from tests.conftest import IS_SOAK
from tests.unit.calendar.levelling import brute_force
from tests.unit.calendar.levelling.books import (
    BOOKS,
    SIZE,
    make_book,
    phased_book,
    touch,
    with_days,
    working_week,
)
from tests.unit.calendar.levelling.changes import CHANGES, add_account, level_in_service

SEGMENTS = tuple(BOOKS)
COMPANY = 60 if IS_SOAK else 3
SMALL = 500 if IS_SOAK else 40

pytestmark = pytest.mark.timeout(1200 if IS_SOAK else 60)


def find_forced(book: Book) -> set[str]:
    """The touches that stand where they may not."""
    return {t.id for t in book.touches if t.day >= 0 and t.day not in brute_force.allowed_days(book, t)}


def check_days(book: Book, days: Sequence[int]) -> None:
    """Each on an allowed day, or where it was, if it has none."""
    for each, day in zip(book.touches, days, strict=True):
        allowed = brute_force.allowed_days(book, each)
        assert day in allowed if allowed else day == each.day


@pytest.mark.parametrize("segment", SEGMENTS)
def test_a_level_book_does_not_move(segment: str) -> None:
    """The same plan twice moves nothing."""
    for number in range(COMPANY):
        book = phased_book(f"{segment}-{number}", segment)
        days = level(book, Start.CHEAPEST)
        check_days(book, days)

        again = relevel(with_days(book, days))

        assert again.days == days
        assert again.moves == ()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("segment", ["enterprise", "mid_market", "mixed"])
def test_after_a_change_only_what_must_or_pays_for_it_moves(segment: str, change: str) -> None:
    """What leaves a week off pushes others out of the weeks beside it, where each of these pays for itself."""
    for number in range(COMPANY):
        before = level_in_service(f"{segment}-{number}", segment)
        book = CHANGES[change](before)
        done = relevel(book)
        forced = find_forced(book)
        moved = {move.touch_id for move in done.moves}
        new = sum(each.day < 0 for each in book.touches)
        hold = {each.id: each.hold for each in book.touches}

        check_days(book, done.days)
        assert forced <= moved | {each.touch_id for each in done.homeless}
        assert len(moved - forced) <= new + 2 * len(forced)
        assert all(move.saved > 0 for move in done.moves if move.touch_id not in forced)
        assert not {name for name in moved - forced if hold[name] is not Hold.FREE}
        assert relevel(with_days(book, done.days)).moves == ()


def test_a_new_account_moves_at_most_as_many_touches_as_it_brings() -> None:
    """A newcomer may push a few aside where that pays; nobody who is invited, and on most days nobody at all."""
    counts: list[int] = []
    for number in range(COMPANY):
        book = add_account(level_in_service(f"new-{number}", "mixed"))
        done = relevel(book)
        counts.append(len(done.moves))
        assert len(done.moves) <= sum(each.day < 0 for each in book.touches)
        assert all(each.day < 0 or each.hold is Hold.FREE or each.day == day
                   for each, day in zip(book.touches, done.days, strict=True))  # fmt: skip

    assert sorted(counts)[len(counts) // 2] <= 2


def test_a_move_names_the_load_of_the_week_it_leaves_and_what_it_saves() -> None:
    for change in CHANGES.values():
        book = change(level_in_service("moves", "mixed"))
        done = relevel(book)
        options, days = build_options(book), np.array(done.days)
        before, after = options.load_weeks(options.standing), options.load_weeks(days)
        forced = find_forced(book)
        numbers = {each.id: number for number, each in enumerate(book.touches)}
        for move in done.moves:
            number, week = numbers[move.touch_id], move.before // 7
            assert (move.before, move.after) == (book.touches[number].day, done.days[number])
            assert move.week_minutes_before == before[week]
            assert move.week_minutes_after == after[week]
            assert move.available == sum(book.day_minutes[7 * week : 7 * week + 7])
            back = days.copy()
            back[number] = move.before
            if move.touch_id in forced:
                assert move.saved == 0
            else:
                assert move.saved == total_price(options, back) - total_price(options, days) > 0


def test_small_books_cost_about_as_little_as_the_cheapest_of_all_their_calendars() -> None:
    """F5: against every calendar of 500 small books in `make soak`. Only two moves at once would find the others."""
    rng = random.Random(21)
    ratios: list[Fraction] = []
    for _ in range(SMALL):
        book = brute_force.draw_book(rng, one_length=rng.random() < 0.5, touches=4)
        book = book._replace(
            touches=tuple(
                each._replace(soft=2, earliest=each.target - 3, latest=each.target + 3)
                for each in book.touches
            )
        )
        price = brute_force.price_days(book, level(book, Start.CHEAPEST))
        best = min(brute_force.price_days(book, each) for each in brute_force.all_calendars(book))
        ratios.append(Fraction(price, max(best, 1)))

    assert min(ratios) >= 1
    assert sum(ratio == 1 for ratio in ratios) * 100 >= SMALL * 70
    assert sum(ratios) * 100 <= SMALL * 115


@pytest.mark.parametrize("standing", [False, True])
def test_no_touch_leaves_its_hard_window_or_stands_on_a_closed_day(*, standing: bool) -> None:
    rng = random.Random(5)
    for _ in range(SMALL * 3):
        book = brute_force.draw_book(rng, one_length=False, standing=standing)
        closed = tuple(rng.sample(range(len(book.day_minutes)), 6))
        book = book._replace(touches=tuple(each._replace(closed=closed) for each in book.touches))
        for days in (relevel(book).days, level(book, Start.CHEAPEST)):
            check_days(book, days)
            for each, day in zip(book.touches, days, strict=True):
                assert each.hold is not Hold.FROZEN or day == each.day
        done = relevel(book)
        again = relevel(with_days(book, done.days))
        assert (again.days, again.moves) == (done.days, ())


def test_invited_touches_move_only_out_of_what_cannot_stand() -> None:
    calls = [touch(f"{n}", f"{n}", 9, minutes=60, day=9, hold=Hold.INVITED) for n in range(4)]

    full = relevel(make_book(working_week(240, 4), calls))
    overfull = relevel(make_book(working_week(180, 4), calls))

    assert {day // 7 for day in full.days} == {1}
    assert Counter(day // 7 == 1 for day in overfull.days) == {True: 3, False: 1}


def test_frozen_touches_never_move_whatever_the_day_holds() -> None:
    frozen = [
        touch(f"{n}", "a", 3, minutes=600, day=day, hold=Hold.FROZEN) for n, day in enumerate((5, 5, 6, 20))
    ]

    done = relevel(make_book(working_week(60, 4), frozen))

    assert done == ((5, 5, 6, 20), (), ())


def test_a_touch_beyond_the_end_of_the_book_stays_there() -> None:
    beyond = touch("1", "a", 27, soft=4, hard=9, day=30)
    passed = touch("2", "a", 20, soft=4, hard=9, day=40)

    done = relevel(make_book(working_week(600, 4), [beyond, passed]))

    assert done.days[0] == 30
    assert done.days[1] in range(11, 28)


@pytest.mark.parametrize(
    ("row", "obstacle"),
    [
        (touch("1", "a", 11, soft=1, hard=2), Obstacle.AWAY),
        (touch("1", "a", 2, soft=1, hard=2, closed=range(5), day=3), Obstacle.CLOSED),
        (touch("1", "a", -9, soft=1, hard=2), Obstacle.PASSED),
        (touch("1", "a", 2, soft=0, hard=-1), Obstacle.PASSED),
    ],
)
def test_a_touch_without_an_allowed_day_says_why_and_stays_where_it_is(
    row: Touch, obstacle: Obstacle
) -> None:
    minutes = list(working_week(600, 4))
    minutes[7:14] = [0] * 7

    done = relevel(make_book(minutes, [row]))

    assert done.days == (row.day,)
    assert done.homeless == (Homeless("1", obstacle),)


@pytest.mark.parametrize(
    ("closed", "obstacle"),
    [((), Obstacle.NO_HOURS), (range(9, 11), Obstacle.NO_HOURS), (range(9, 14), Obstacle.CLOSED)],
)
def test_a_week_that_is_worked_without_minutes_is_no_absence(
    closed: Sequence[int], obstacle: Obstacle
) -> None:
    row = touch("1", "a", 11, soft=1, hard=2, closed=closed)
    book = make_book([0] * 28, [row])._replace(idle=frozenset(range(7, 12)))

    assert relevel(book).homeless == (Homeless("1", obstacle),)
    assert relevel(book._replace(idle=frozenset())).homeless == (Homeless("1", Obstacle.AWAY),)


def test_two_touches_of_one_account_keep_two_days_apart() -> None:
    calls = [touch(f"{n}", "acme", 9, soft=2, hard=4) for n in range(3)]

    days = sorted(level(make_book(working_week(1500, 4), calls), Start.CHEAPEST))

    assert all(later - earlier >= 2 for earlier, later in pairwise(days))


def test_levelling_anew_forgets_where_free_touches_stand_and_keeps_the_others() -> None:
    book = phased_book("anew", "small", 30)
    anew = level(book, Start.CHEAPEST)
    crowded = with_days(book, [each.day if each.hold else 100 for each in book.touches])
    held_ids = {each.id for each in book.touches[::9]}
    invited = book._replace(
        touches=tuple(
            each._replace(hold=Hold.FROZEN, day=day) if each.id in held_ids else each
            for each, day in zip(book.touches, anew, strict=True)
        )
    )

    assert level(crowded, Start.CHEAPEST) == anew
    kept = dict(zip((t.id for t in book.touches), level(invited, Start.CHEAPEST), strict=True))
    assert all(
        kept[each.id] == day for each, day in zip(book.touches, anew, strict=True) if each.id in held_ids
    )


def test_weeks_are_even_and_touches_near_their_targets() -> None:
    """Full weeks of a person with 45 accounts: the busiest, the idlest, and what stays in its soft window."""
    book = phased_book("even", "mixed")
    days = np.array(level(book, Start.CHEAPEST))
    options = build_options(book)
    load, available = options.load_weeks(days), options.week_minutes
    full = np.flatnonzero(available * 4 >= available.max() * 3)[2:-2]
    mean = int(load[full].sum()) * 1000 // int(available[full].sum())
    used = load[full] * 1000 // available[full]
    soft = [
        abs(day - each.target) <= each.soft for each, day in zip(book.touches, days.tolist(), strict=True)
    ]

    assert len(book.day_minutes) == SIZE
    assert used.max() * 2 <= mean * 3
    assert used.min() * 10 >= mean * 6
    assert sum(soft) * 100 >= len(soft) * 94
