"""What lies in weeks without minutes alone is a conflict, with all its minutes missing."""

from datetime import date
from fractions import Fraction

from services.calendar.idle_weeks import find_idle_weeks
from services.calendar.levelling import Book, Hold, Touch
from services.calendar.levelling.conflicts import Group

MONDAY = date(2026, 3, 2)
DAYS = 28
WORKED = frozenset(day for day in range(DAYS) if day % 7 < 5)


def touch(name: str, earliest: int, latest: int, minutes: int = 30, **changed: object) -> Touch:
    target = (earliest + latest) // 2
    return Touch(name, "acme", "check_in", 0, minutes, target, 2, earliest, latest)._replace(**changed)


def book(*touches: Touch, minutes: tuple[int, ...] = (0,) * DAYS) -> Book:
    return Book("ada", MONDAY, minutes, touches, WORKED)


def test_touches_that_share_weeks_are_one_conflict_and_others_are_another() -> None:
    found = find_idle_weeks(
        book(touch("a", 0, 4), touch("b", 2, 9, 60), touch("c", 22, 24, 45, kind="business_review"))
    )

    assert [(each.weeks, each.needed, each.available, each.touch_ids) for each in found] == [
        ((0, 1), 90, 0, ("b",)),
        ((3,), 45, 0, ("c",)),
    ]
    assert found[0].headcount == 1 + Fraction(90, 2 * 2400)
    assert found[0].groups == (Group("check_in", "acme", 2, 90),)
    assert found[1].groups == (Group("business_review", "acme", 1, 45),)


def test_what_has_a_day_with_minutes_or_none_that_is_worked_is_no_conflict() -> None:
    minutes = (*(0,) * 14, 60, *(0,) * 13)

    assert find_idle_weeks(book(touch("a", 10, 15), minutes=minutes)) == ()
    (found,) = find_idle_weeks(book(touch("a", 10, 15, closed=(14,)), minutes=minutes))
    assert found.weeks == (1, 2)
    assert find_idle_weeks(book(touch("a", 0, 4, closed=tuple(range(5))))) == ()
    assert find_idle_weeks(book(touch("a", 5, 6))) == ()
    assert find_idle_weeks(book(touch("a", 25, 40))) == ()
    assert find_idle_weeks(book(touch("a", 0, 4, hold=Hold.FROZEN))) == ()
