"""F5: what does not fit a book, and the headcount for it, against trying everything."""

import random
from fractions import Fraction

import pytest

from services.calendar.levelling import Group, Hold, Touch, find_conflicts
from tests.conftest import IS_SOAK
from tests.unit.calendar.levelling import brute_force
from tests.unit.calendar.levelling.books import make_book, phased_book, touch, working_week

BOOKS = 500 if IS_SOAK else 100
KINDS = [(True, False), (True, True), (False, False), (False, True)]

pytestmark = pytest.mark.timeout(1200 if IS_SOAK else 60)


@pytest.mark.parametrize(("one_length", "holes"), KINDS)
def test_the_verdict_and_the_headcount_are_those_of_all_sets_of_weeks(
    *, one_length: bool, holes: bool
) -> None:
    rng = random.Random(42)
    conflicting = 0
    for _ in range(BOOKS):
        demands, capacity = brute_force.draw_demands(rng, one_length=one_length, holes=holes)
        housed = brute_force.find_housed(demands, capacity)
        conflicts = find_conflicts(brute_force.book_of_demands(demands, capacity))
        worst = brute_force.worst_ratio(housed, capacity)

        assert bool(conflicts) == (worst > 1)
        assert max((each.headcount for each in conflicts), default=Fraction(1)) == worst
        if one_length:
            assert bool(conflicts) == (not brute_force.fit_whole(housed, capacity))
        conflicting += bool(conflicts)
    assert BOOKS / 10 < conflicting < BOOKS


@pytest.mark.parametrize("holes", [False, True])
def test_the_touches_named_do_not_fit_and_without_any_of_them_the_others_do(*, holes: bool) -> None:
    rng = random.Random(7)
    for _ in range(BOOKS):
        demands, capacity = brute_force.draw_demands(rng, one_length=True, holes=holes)
        housed = brute_force.find_housed(demands, capacity)
        conflicts = find_conflicts(brute_force.book_of_demands(demands, capacity))
        for conflict in conflicts:
            named = [each for each in housed if each[0] in conflict.touch_ids]
            assert not brute_force.fit_whole(named, capacity)
            assert all(brute_force.fit_whole([x for x in named if x is not each], capacity) for each in named)
        if conflicts and not holes:
            fewest = min(len(conflict.touch_ids) for conflict in conflicts)
            assert fewest == brute_force.fewest_that_do_not_fit(housed, capacity)


def test_each_conflict_is_proved_by_what_can_lie_nowhere_else() -> None:
    book = phased_book("busy", "mixed")
    tight = book._replace(day_minutes=tuple(minutes * 45 // 100 for minutes in book.day_minutes))
    conflicts = find_conflicts(tight)

    assert conflicts
    assert find_conflicts(book) == ()
    for conflict in conflicts:
        confined = [
            each
            for each in tight.touches
            if (days := brute_force.allowed_days(tight, each))
            and each.latest < len(tight.day_minutes)
            and {day // 7 for day in days} <= set(conflict.weeks)
        ]
        assert conflict.needed == sum(each.minutes for each in confined) > conflict.available
        assert conflict.headcount >= Fraction(conflict.needed, conflict.available)
        assert (conflict.first_week, conflict.last_week) == (conflict.weeks[0], conflict.weeks[-1])
        assert sum(group.minutes for group in conflict.groups) == conflict.needed
        assert sum(group.touches for group in conflict.groups) == len(confined)


def test_a_conflict_says_weeks_minutes_people_and_groups() -> None:
    """Three calls of an hour in a week of two hours."""
    calls = [
        touch(name, account, 9, soft=1, hard=2, minutes=60)
        for name, account in (("1", "a"), ("2", "b"), ("3", "a"))
    ]
    book = make_book(working_week(120, 4), calls)

    (conflict,) = find_conflicts(book)

    assert conflict.weeks == (1,)
    assert (conflict.needed, conflict.available, conflict.headcount) == (180, 120, Fraction(3, 2))
    assert conflict.touch_ids == ("1", "2", "3")
    assert conflict.groups == (Group("check_in", "a", 2, 120), Group("check_in", "b", 1, 60))


def test_a_conflict_of_many_touches_names_none_of_them() -> None:
    calls = [touch(f"{n:02d}", f"{n}", 9, soft=1, hard=2, minutes=10) for n in range(30)]

    (conflict,) = find_conflicts(make_book(working_week(250, 4), calls))

    assert conflict.touch_ids == ()
    assert len(conflict.groups) == 30


def test_overfull_neighbours_are_one_conflict_and_distant_weeks_are_two() -> None:
    def crowd(week: int) -> list[Touch]:
        return [touch(f"{week}{n}", f"{n}", 7 * week + 2, soft=1, hard=2, minutes=60) for n in range(3)]

    calls = [each for week in (1, 2, 5) for each in crowd(week)]
    conflicts = find_conflicts(make_book(working_week(120, 8), calls))

    assert [conflict.weeks for conflict in conflicts] == [(1, 2), (5,)]


def test_windows_that_pass_the_end_of_the_book_prove_nothing() -> None:
    calls = [touch(f"{n}", f"{n}", 25, soft=2, hard=4, minutes=60) for n in range(9)]

    assert find_conflicts(make_book(working_week(120, 4), calls)) == ()
    assert find_conflicts(make_book(working_week(120, 5), calls)) != ()


def test_frozen_touches_take_their_week_and_none_outside_the_book() -> None:
    frozen = [
        touch(f"{n}", "a", 9, minutes=60, hold=Hold.FROZEN, day=day) for n, day in enumerate((8, 9, 40, 12))
    ]

    (conflict,) = find_conflicts(make_book(working_week(120, 4), frozen))

    assert (conflict.weeks, conflict.needed) == ((1,), 180)
