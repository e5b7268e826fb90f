"""Phases: what is anchored on one day is spread over its interval, and nobody else moves."""

from collections import Counter

import pytest

from services.calendar.levelling import Beat, Book, InvalidBook, choose_phases, level
from tests.unit.calendar.levelling.books import (
    MONDAY,
    Rhythm,
    draft_book,
    make_book,
    touch,
    working_week,
)

WEEKS = 53
LAST_WHOLE = 50
"""The weeks after it lose touches to the end of the book."""


def plan_rhythms(count: int, every: int, minutes: int = 30) -> tuple[Book, dict[tuple[str, str], int]]:
    """A levelled book of so many equal accounts that began on one day, and their phases."""
    empty = make_book(working_week(1500), [])
    rhythms = [Rhythm(f"{number:03d}", "check_in", every, minutes, 0, 0) for number in range(count)]
    phases = choose_phases(empty, [each.beat() for each in rhythms])
    touches = [each for rhythm in rhythms for each in rhythm.touches(phases[rhythm.account_id, "check_in"])]
    return make_book(working_week(1500), touches), phases


def count_weeks(days: tuple[int, ...]) -> list[int]:
    counted = Counter(day // 7 for day in days)
    return [counted[week] for week in range(LAST_WHOLE)]


def test_a_hundred_monthly_accounts_become_twenty_five_a_week() -> None:
    """S150, X11."""
    book, phases = plan_rhythms(100, every=28)

    weeks = count_weeks(level(book))

    assert Counter(first // 7 for first in phases.values()) == {0: 25, 1: 25, 2: 25, 3: 25}
    assert max(weeks) - min(weeks) <= 1
    assert sum(weeks) == 25 * LAST_WHOLE


@pytest.mark.parametrize("every", [30, 31])
def test_monthly_rhythms_that_are_not_whole_weeks_are_even_as_well(every: int) -> None:
    """S150: thirty days do not divide into weeks; the windows even out what the phases leave."""
    book, _ = plan_rhythms(100, every=every)

    weeks = count_weeks(level(book))[1:-1]

    assert max(weeks) - min(weeks) <= 2


def test_twenty_five_accounts_every_other_week_are_fifty_in_any_four_weeks() -> None:
    """X10."""
    book, _ = plan_rhythms(25, every=14, minutes=45)

    weeks = count_weeks(level(book))

    assert {sum(weeks[first : first + 4]) for first in range(len(weeks) - 3)} == {50}
    assert set(weeks) == {12, 13}


def test_weekly_rhythms_are_spread_over_the_working_days() -> None:
    _, phases = plan_rhythms(20, every=7)

    assert Counter(phases.values()) == {0: 4, 1: 4, 2: 4, 3: 4, 4: 4}


def test_a_new_account_joins_the_emptiest_week_and_moves_nobody() -> None:
    """S150: the hundred and first."""
    book, _ = plan_rhythms(100, every=28)
    placed = tuple(each._replace(day=day) for each, day in zip(book.touches, level(book), strict=True))

    (first,) = choose_phases(book._replace(touches=placed), [Beat("new", "check_in", 28, 30, 0, 27)]).values()

    assert 0 <= first < 28
    assert first % 7 < 5


def test_the_heaviest_rhythm_is_placed_first_and_the_order_of_the_beats_is_no_matter() -> None:
    draft = draft_book("order", "mixed")
    beats = draft.beats()

    chosen = choose_phases(draft.book, beats)

    assert chosen == choose_phases(draft.book, beats[::-1])
    assert all(beat.first <= chosen[beat.account_id, beat.kind] <= beat.last for beat in beats)


def test_a_phase_avoids_the_weeks_that_a_person_is_away() -> None:
    minutes = list(working_week(1500))
    minutes[14:28] = [0] * 14
    book = make_book(minutes, [])

    chosen = choose_phases(book, [Beat("a", "review", 365, 60, 10, 30)])

    assert chosen["a", "review"] in range(10, 14) or chosen["a", "review"] in range(28, 31)


def test_load_that_stands_counts_where_it_stands_and_not_at_its_target() -> None:
    standing = touch("t", "b", 0, soft=10, hard=20, minutes=600, day=8)
    book = make_book(working_week(1500), [standing])

    assert choose_phases(book, [Beat("a", "call", 400, 60, 0, 13)])["a", "call"] == 0


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(371, 400, 371), (360, 500, range(360, 371)), (-9, 3, range(4)), (5, 5, 5)],
)
def test_candidates_outside_the_book_are_not_chosen_while_others_are_inside(
    first: int, last: int, expected: int | range
) -> None:
    book = make_book(working_week(1500), [])

    chosen = choose_phases(book, [Beat("a", "call", 28, 30, first, last)])["a", "call"]

    assert chosen == expected if isinstance(expected, int) else chosen in expected


def test_a_book_without_a_working_day_still_gives_a_phase() -> None:
    assert choose_phases(make_book([0] * 14, []), [Beat("a", "call", 7, 30, 3, 9)]) == {("a", "call"): 3}


@pytest.mark.parametrize(
    ("beat", "text"),
    [
        (Beat("acme", "call", 0, 30, 0, 6), "call of acme: 30 minutes every 0 days"),
        (Beat("acme", "call", 7, -1, 0, 6), "call of acme: -1 minutes"),
        (Beat("acme", "call", 7, 30, 6, 0), "between 6 and 0"),
        (Beat("acme", "call", 1, 100_000, 0, 0), "37100000 minutes"),
    ],
)
def test_an_impossible_beat_is_refused_by_its_name(beat: Beat, text: str) -> None:
    with pytest.raises(InvalidBook, match=text):
        choose_phases(Book("csm", MONDAY, working_week(1500), ()), [beat])
