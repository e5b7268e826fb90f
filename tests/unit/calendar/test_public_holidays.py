"""Row 51: what the pinned release of the holidays knows, as a dated table; a newer release may change it."""

from datetime import date
from importlib.metadata import version

import pytest

from services.calendar.public_holidays import UnknownPlace, holidays_of, holidays_release

CHANGED_LAWS = [
    # country, date, whether it is a holiday
    ("IT", date(2025, 10, 4), False),
    ("IT", date(2026, 10, 4), True),  # Saint Francis of Assisi, again from 2026 on
    ("KR", date(2025, 7, 17), False),
    ("KR", date(2026, 7, 17), True),  # Constitution Day, again from 2026 on
    ("MA", date(2025, 10, 31), False),
    ("MA", date(2026, 10, 31), True),  # Unity Day, new in 2026
    ("SK", date(2024, 11, 17), True),
    ("SK", date(2026, 11, 17), False),  # Struggle for Freedom and Democracy Day: no day off from 2025 on
]


@pytest.mark.parametrize(("country", "day", "is_holiday"), CHANGED_LAWS)
def test_laws_that_changed_are_known(country: str, day: date, *, is_holiday: bool) -> None:
    assert (day in holidays_of(country, None, day.year)) is is_holiday


def test_a_region_adds_its_own_days() -> None:
    day = date(2026, 1, 6)
    assert holidays_of("DE", "BY", 2026)[day] == "Epiphany"
    assert day not in holidays_of("DE", None, 2026)


@pytest.mark.parametrize("country", ["DE", "de", "DEU", "Germany", "germany"])
def test_a_country_is_a_code_or_a_name(country: str) -> None:
    assert holidays_of(country, None, 2026)[date(2026, 10, 3)] == "German Unity Day"


@pytest.mark.parametrize(
    ("country", "region", "named"), [("XX", None, "XX"), ("DE", "ZZ", "DE, region ZZ"), ("", None, "for :")]
)
def test_an_unknown_place_is_named(country: str, region: str | None, named: str) -> None:
    with pytest.raises(UnknownPlace, match=named):
        holidays_of(country, region, 2026)


def test_the_release_is_that_of_the_package() -> None:
    assert holidays_release() == version("holidays")
