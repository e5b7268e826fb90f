"""A book that breaks its own rules is refused, with what is wrong."""

from datetime import date

import pytest

from services.calendar.levelling import Book, InvalidBook, level, relevel
from services.calendar.levelling.model import check_book
from tests.unit.calendar.levelling.books import MONDAY, make_book, touch, working_week

WEEK = working_week(1500, 1)
ACME, BOLT = touch("1", "acme", 3), touch("2", "bolt", 3)


@pytest.mark.parametrize(
    ("book", "text"),
    [
        (Book("eve", date(2026, 3, 3), WEEK, ()), "7 days from 2026-03-03"),
        (Book("eve", MONDAY, WEEK[:6], ()), "6 days from"),
        (Book("eve", MONDAY, (), ()), "0 days from"),
        (Book("eve", MONDAY, (*WEEK[:6], -1), ()), "less than 0 minutes"),
        (Book("eve", MONDAY, WEEK, (BOLT, ACME)), "touch 1 after 2: sort"),
        (Book("eve", MONDAY, WEEK, (ACME, ACME)), "touch 1 after 1"),
        (Book("eve", MONDAY, WEEK, (ACME._replace(minutes=-5),)), "touch 1 has -5 minutes"),
        (Book("eve", MONDAY, WEEK, (ACME._replace(minutes=5_000_000),)), "5000001 minutes"),
        (Book("eve", MONDAY, (*WEEK[:6], 5_000_001), ()), "5000001 minutes"),
    ],
)
def test_a_book_that_breaks_a_rule_is_refused(book: Book, text: str) -> None:
    with pytest.raises(InvalidBook, match=text):
        check_book(book)


@pytest.mark.parametrize("function", [level, relevel])
def test_levelling_checks_its_book(function: object) -> None:
    assert callable(function)
    with pytest.raises(InvalidBook):
        function(Book("eve", MONDAY, (), ()))


def test_an_empty_book_is_level() -> None:
    book = make_book(WEEK, [])

    assert level(book) == ()
    assert relevel(book) == ((), (), ())
