"""Public holidays as dated data: the release of the package `holidays` in force, and the days of a place.

The only module that uses the package. Laws change what it knows: a deployment shows its release on `/v1/clock` and adds
days of its own in its policy. docs/calendar.md says where libraries disagree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.metadata import version
from types import MappingProxyType
from typing import Final

from schemas.directory import HolidayRecord
from schemas.zones import spell_country

LANGUAGE: Final = "en_US"
"""Of the names; a country without English names has its own."""
USUAL_WEEKEND: Final = frozenset({5, 6})
_WEEKEND_YEAR: Final = 2026
"""Weekends are those of this year: the United Arab Emirates moved theirs in 2022."""


class UnknownPlace(ValueError):
    """No holidays are known for a country or a region; the message says for which."""


@dataclass(frozen=True, slots=True, repr=False)
class HolidayCalendar:
    """The public holidays of a country and region, with the days that a deployment adds or takes away.

    `country`: an ISO 3166-1 code or English name, None where it is not known: only added days count.
    `region`: the part of an ISO 3166-2 code after the country (`BY`), the whole code or a name.
    """

    country: str | None
    region: str | None = None
    extra: tuple[HolidayRecord, ...] = ()

    def __repr__(self) -> str:
        """Short and stable, such as `DE-BE`, with a digest of the added days."""
        place = "-".join(part for part in (self.country, self.region) if part)
        if not self.extra:
            return place
        days = b"".join(record.write() for record in self.extra)
        return f"{place}+{blake2b(days, digest_size=6).hexdigest()}"

    def name_of(self, day: date) -> str | None:
        """The name of the public holiday on that day, if it is one."""
        return days_of(self, day.year).get(day)

    @property
    def doubt(self) -> str | None:
        """What is not known of the place."""
        return find_place(self.country, self.region).doubt

    @property
    def weekend(self) -> frozenset[int]:
        """The weekdays of rest (0 is Monday); none where the country is not known."""
        return weekend_of(find_place(self.country, self.region).country)


@dataclass(frozen=True, slots=True)
class Place:
    """Codes that the package knows; `doubt`: which part of the place it does not know."""

    country: str | None = None
    region: str | None = None
    doubt: str | None = None


@cache
def holidays_release() -> str:
    """The release of the data, such as `0.109`."""
    return version("holidays")


def choose_calendar(
    country: str | None, region: str | None, extra: Iterable[HolidayRecord] = ()
) -> HolidayCalendar | None:
    """The holidays of a place, with those of the added days that concern it; None where there can be none."""
    place = find_place(country, region)
    own = tuple(record for record in extra if _concerns(record, place))
    return HolidayCalendar(country, region, own) if country or own else None


def _concerns(record: HolidayRecord, place: Place) -> bool:
    if record.country is None:
        return True
    wanted = find_place(record.country, record.region)
    same_region = record.region is None or wanted.region == place.region
    return wanted.country == place.country and same_region


@lru_cache(maxsize=8192)
def days_of(calendar: HolidayCalendar, year: int) -> Mapping[date, str]:
    """Date -> name of the holidays of a year, in order. A date with a year counts more than one of every year."""
    place = find_place(calendar.country, calendar.region)
    days = {} if place.country is None else dict(holidays_of(place.country, place.region, year))
    for record in sorted(calendar.extra, key=lambda record: len(record.on)):
        day = _day_in(record.on, year)
        if day is not None and record.works:
            days.pop(day, None)
        elif day is not None:
            days[day] = record.name
    return MappingProxyType(dict(sorted(days.items())))


def _day_in(on: str, year: int) -> date | None:
    """The day of a date (`2026-12-24`) or of a month and day (`12-24`) in that year, if there is one."""
    try:
        day = date.fromisoformat(on if len(on) > len("12-24") else f"{year:04}-{on}")
    except ValueError:  # 29 February
        return None
    return day if day.year == year else None


@cache
def holidays_of(country: str, region: str | None, year: int) -> Mapping[date, str]:
    """Date -> name of the public holidays of a year, with those that are observed on another day.

    `country` is an ISO 3166-1 code (`DE`, `DEU`) or English name, `region` the part of an ISO 3166-2 code after the
    country (`BY`) or None for the days of the whole country. Raises `UnknownPlace`.
    """
    import holidays  # noqa: PLC0415 - 0.1 s, and only the scheduler asks

    place = find_place(country, region)
    if place.country is None or place.doubt is not None:
        raise UnknownPlace(place.doubt or "no country is named")
    days = holidays.country_holidays(place.country, subdiv=place.region, years=year, language=LANGUAGE)
    return MappingProxyType(dict(sorted(days.items())))


@lru_cache(maxsize=8192)
def find_place(country: str | None, region: str | None) -> Place:
    """The codes of a place; where only its region is not known, those of the country."""
    if country is None:
        return Place()
    advice = "name an ISO 3166-1 country code and the part of an ISO 3166-2 code after it"
    code = _country_codes().get(spell_country(country).casefold().replace(" ", ""))
    if code is None:
        return Place(doubt=f"no holidays are known for {country}: {advice}")
    if region is None:
        return Place(code)
    known = _regions_of(code).get(region.casefold().removeprefix(f"{code.casefold()}-"))
    if known is None:
        return Place(code, doubt=f"no holidays are known for {country}, region {region}: {advice}")
    return Place(code, known)


@cache
def weekend_of(country: str | None) -> frozenset[int]:
    """The weekdays of rest (0 is Monday) of a country by its code; none without a country."""
    import holidays  # noqa: PLC0415

    if country is None:
        return frozenset()
    return frozenset(holidays.country_holidays(country, years=_WEEKEND_YEAR).weekend)


@cache
def _country_codes() -> Mapping[str, str]:
    """Code of two or three letters, or name without blanks, in lower case -> code of two letters."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415

    return {alias.casefold(): aliases[1] for aliases in COUNTRIES.values() for alias in aliases}


@cache
def _regions_of(country: str) -> Mapping[str, str]:
    """Code or name of a region in lower case -> its code."""
    import holidays  # noqa: PLC0415

    known = holidays.country_holidays(country)
    names = {alias.casefold(): code for alias, code in known.subdivisions_aliases.items()}
    return names | {code.casefold(): code for code in known.subdivisions}
