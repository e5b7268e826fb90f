"""Dates as other systems write them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.mapping.dates import check_form, read_day, read_instant

MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS)
def test_a_moment_is_the_same_in_every_form(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    seconds = int(moment.timestamp())
    for value, form in (
        (seconds, "seconds"),
        (str(seconds), "seconds"),
        (float(seconds), "seconds"),
        (seconds * 1000, "milliseconds"),
        (moment.isoformat(), "iso"),
        (moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000"), "iso"),
        (moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "iso"),
    ):
        assert read_instant(value, [form], None) == moment
        assert read_day(value, [form], None) == moment.date()
    assert read_instant(moment.strftime("%d.%m.%Y %H:%M:%S"), ["DD.MM.YYYY HH:mm:ss"], "UTC") == moment


@pytest.mark.parametrize(
    ("value", "form", "day"),
    [
        ("2027-03-01", "iso", date(2027, 3, 1)),
        ("31.12.2027", "DD.MM.YYYY", date(2027, 12, 31)),
        ("3/1/2027", "M/D/YYYY", date(2027, 3, 1)),
        ("01-Mar-2027", "DD-MMM-YYYY", date(2027, 3, 1)),
        ("March 1 2027", "MMM D YYYY", date(2027, 3, 1)),
        ("20270301", "YYYYMMDD", date(2027, 3, 1)),
        (1_803_859_200_000, "milliseconds", date(2027, 3, 1)),
    ],
)
def test_days_by_their_form(value: object, form: str, day: date) -> None:
    check_form(form)
    assert read_day(value, [form], None) == day


def test_an_instant_is_the_day_that_it_has_in_the_zone() -> None:
    assert read_day("2027-03-01T23:30:00Z", ["iso"], "Europe/Berlin") == date(2027, 3, 2)
    assert read_day("2027-03-01T23:30:00Z", ["iso"], None) == date(2027, 3, 1)
    assert read_day("2027-03-01", ["iso"], "Pacific/Auckland") == date(2027, 3, 1)


def test_a_text_without_a_zone_needs_one() -> None:
    with pytest.raises(ValueError, match="names no time zone"):
        read_instant("2027-07-01T09:00:00", ["iso"], None)
    assert read_instant("2027-07-01T09:00:00", ["iso"], "Europe/Berlin").hour == 7


@pytest.mark.parametrize(
    ("value", "form", "problem"),
    [
        (1_803_859_200, "milliseconds", "looks like seconds"),
        (1_803_859_200_000, "seconds", "looks like milliseconds"),
        (9_999_999_999_999_999, "milliseconds", "year 10000"),
        ("2027-02-30", "iso", "not an existing"),
        ("31.02.2027", "DD.MM.YYYY", "not an existing"),
        ("next spring", "iso", "is no date of the form iso"),
        (True, "seconds", "is no date"),
        (None, "iso", "is no date"),
        ({"a": 1}, "iso", "is no date"),
        (float("inf"), "seconds", "is no date"),
        (1.5, "seconds", "is no date"),
        ("01-Foo-2027", "DD-MMM-YYYY", "no English month"),
        ("\u0662\u0660\u0662\u0667-03-01", "iso", "is no date"),
    ],
)
def test_what_is_no_date_is_refused(value: object, form: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_day(value, [form], None)


@given(st.text(max_size=30) | st.integers() | st.floats() | st.none() | st.booleans())
def test_anything_else_raises_nothing_but_value_errors(value: object) -> None:
    for form in ("iso", "milliseconds", "seconds", "DD.MM.YYYY"):
        try:
            moment = read_instant(value, [form], "UTC")
        except ValueError:
            continue
        assert moment.tzinfo is UTC
