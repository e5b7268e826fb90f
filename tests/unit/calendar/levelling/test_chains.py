"""Chains of moves make room in a week where no single move does."""

import numpy as np
import pytest

from services.calendar.levelling import Touch
from services.calendar.levelling.chains import search_weeks
from services.calendar.levelling.price import Ints, Options, build_options
from services.calendar.levelling.weeks import choose_cheapest, load_weeks, shift_weeks, total_week_price
from tests.unit.calendar.levelling.books import make_book, phased_book, touch, working_week


def sum_over(options: Options, chosen: Ints) -> int:
    return int(np.maximum(load_weeks(options, chosen) - options.week_minutes, 0).sum())


def in_weeks(name: str, first: int, last: int, minutes: int = 60) -> Touch:
    """A touch whose target is the Monday of the first week, and whose window is these weeks."""
    row = touch(name, name, 7 * first, soft=1, minutes=minutes)
    return row._replace(earliest=7 * first, latest=7 * last + 6)


def test_a_touch_goes_where_another_makes_room_for_it() -> None:
    """Three hours that fit into two, with the week after them full of those that may go on."""
    rows = [in_weeks(f"1{n}", 1, 1) for n in range(2)]
    rows += [in_weeks("12", 1, 2), *(in_weeks(f"2{n}", 2, 3) for n in range(2))]
    options = build_options(make_book(working_week(120, 5), rows))
    chosen = choose_cheapest(options)

    assert sum_over(options, chosen) == 60
    assert load_weeks(options, search_weeks(options, chosen)).tolist() == [0, 120, 120, 60, 0]


def test_a_longer_touch_changes_places_with_a_shorter_one() -> None:
    """Ten minutes too many: forty go, thirty come back."""
    rows = [in_weeks("10", 1, 1, 90), in_weeks("11", 1, 2, 40), in_weeks("20", 2, 2, 90)]
    rows.append(touch("21", "21", 14, soft=1, minutes=30)._replace(earliest=7, latest=20))
    options = build_options(make_book(working_week(130, 4), rows))
    options.week_minutes[1] -= 5
    chosen = choose_cheapest(options)

    assert sum_over(options, shift_weeks(options, chosen)) > 0
    assert load_weeks(options, search_weeks(options, chosen)).tolist() == [0, 120, 130, 0]


@pytest.mark.parametrize("squeeze", [75, 100])
def test_chains_never_make_a_book_dearer_and_never_leave_more_above_what_weeks_hold(squeeze: int) -> None:
    book = phased_book("bench-0", "mixed")
    book = book._replace(day_minutes=tuple(minutes * squeeze // 100 for minutes in book.day_minutes))
    options = build_options(book)
    single, chained = (search(options, choose_cheapest(options)) for search in (shift_weeks, search_weeks))

    assert total_week_price(options, chained) <= total_week_price(options, single)
    assert sum_over(options, chained) <= sum_over(options, single)
    if squeeze == 100:
        assert sum_over(options, single) > 0 == sum_over(options, chained)
