"""Dates as spreadsheets write them."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.tables.dates import DayOrder, order_of, read_moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-31", "2026/12/31", "20261231", "31.12.2026", "31.12.26", "12/31/2026", "31/12/2026", "31-12-2026",
        "46387", "31-Dec-2026", "Dec 31, 2026", "31. Dezember 2026", "31 de dezembro de 2026", "31 diciembre 2026",
        "31 Desember 2026", "December 31st, 2026", "2026-12-31 00:00:00",
    ],
)  # fmt: skip
def test_a_date_is_read(text: str) -> None:
    assert read_moment(text, None).value == datetime(2026, 12, 31)  # noqa: DTZ001 - a date without a zone


@pytest.mark.parametrize(
    ("text", "hour", "minute", "is_utc"),
    [
        ("2026-12-31T09:30:00Z", 9, 30, True),
        ("2026-12-31 11:30:00 +0200", 9, 30, True),
        ("12/31/2026 9:30 PM", 21, 30, False),
        ("31.12.2026 09:30", 9, 30, False),
        ("46387.5", 12, 0, False),
    ],
)
def test_a_time_of_day_is_read(text: str, hour: int, minute: int, *, is_utc: bool) -> None:
    moment = read_moment(text, None)
    assert (moment.value.hour, moment.value.minute, moment.is_utc) == (hour, minute, is_utc)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("12/31/2026", "mdy"), ("31/12/2026", "dmy"), ("05.03.2026", "dmy"), ("05/03/2026", None), ("05/05/2026", None),
        ("2026-03-05", None), ("soon", None),
    ],
)  # fmt: skip
def test_a_value_shows_the_order_or_does_not(text: str, order: DayOrder | None) -> None:
    assert order_of(text) == order


def test_a_date_that_can_be_read_in_two_ways_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="may be 2026-03-05 or 2026-05-03; say `dates`: dmy"):
        read_moment("05/03/2026", None)
    assert read_moment("05/03/2026", "mdy").value.month == 5
    assert read_moment("05/05/2026", None).value.month == 5
    with pytest.raises(ValueError, match="is not written mdy"):
        read_moment("31/12/2026", "mdy")


@pytest.mark.parametrize(
    "text",
    ["soon", "31.02.2026", "32/13/2026", "00/00/2026", "99999", "1.2", "Foo 3, 2026", "2026-12-31 25:00"],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_moment(text, None)


@given(st.dates(min_value=date(1971, 1, 1), max_value=date(2099, 12, 31)))
def test_every_form_of_a_day_is_that_day(day: date) -> None:
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%d-%b-%Y"):
        assert read_moment(day.strftime(form), None).value.date() == day
    assert read_moment(f"{day:%m/%d/%Y}", order_of(f"{day:%m/%d/%Y}") or "mdy").value.date() == day
    serial = (day - date(1899, 12, 30)) // timedelta(days=1)
    assert read_moment(str(serial), None).value.date() == day
