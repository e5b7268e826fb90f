"""People missing: those of one week add up, and nobody is counted twice in it."""

from fractions import Fraction

from services.calendar.headcount import find_worst_week


def test_those_who_are_short_in_one_week_add_up_and_others_do_not() -> None:
    needed = [
        ("ada", ("2026-W10", "2026-W11"), Fraction(3, 2)),
        ("bob", ("2026-W11",), Fraction(6, 5)),
        ("cyd", ("2026-W20",), Fraction(8, 5)),
    ]

    assert find_worst_week(needed) == (Fraction(7, 10), "2026-W11")
    assert find_worst_week([]) == (Fraction(0), None)


def test_of_equal_weeks_the_first_counts_and_of_one_person_the_worse() -> None:
    needed = [
        ("ada", ("2026-W12", "2026-W11"), Fraction(3, 2)),
        ("ada", ("2026-W11", "2026-W12"), Fraction(5, 4)),
    ]

    assert find_worst_week(needed) == (Fraction(1, 2), "2026-W11")
