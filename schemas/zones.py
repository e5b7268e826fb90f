"""Time zones: one pinned release of the IANA database for every process, that of the package `tzdata`.

`GET /v1/clock` tells the release in force, such as `2026f`. Python's `zoneinfo` would read the files of the operating
system first, which may be older, newer or absent, and which have names of their own such as `localtime`. Here it is told
to read none of them, so that every machine has the same rules. Nothing else imports `zoneinfo`; SQL reckons in UTC only,
so PostgreSQL's own copy is never asked (a test checks both).

The release also says which zones a country has: `iso3166.tab` has the codes and English names of countries, `zone.tab`
the zones of each.
"""

import zoneinfo
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from tzdata import IANA_VERSION

ZONE_RELEASE: Final = IANA_VERSION
"""The release in force, such as `2026f`."""
TimeZone = zoneinfo.ZoneInfo
"""A time zone: a `datetime.tzinfo`. Get one with `find_zone`."""

zoneinfo.reset_tzpath(to=())
TimeZone.clear_cache()

_NO_PLACE: Final = frozenset({"Factory"})
"""Names of the database that say that no zone is set."""
ZONE_NAMES: Final = frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split()) - _NO_PLACE
"""The names of the release, with the older names that the database keeps as links (`Asia/Calcutta`, `US/Eastern`).

Not among them: `localtime`, `posixrules`, `posix/...` and `right/...`, which only some systems have.
"""
_SPELLINGS: Final = {name.casefold(): name for name in ZONE_NAMES}


class UnknownZone(LookupError):
    """A text that names no time zone of the release in force."""


@lru_cache(maxsize=len(ZONE_NAMES) + 1)
def find_zone(name: str) -> TimeZone:
    """The zone of that exact IANA name. Raises UnknownZone."""
    if name not in ZONE_NAMES:
        raise UnknownZone(name)
    return TimeZone(name)


def spell_zone(text: str) -> str:
    """The name as the database spells it, whatever the letter case and with `_` for a blank; other texts stay."""
    return _SPELLINGS.get("_".join(text.split()).casefold(), text)


UTC_ZONE: Final = find_zone("UTC")


@lru_cache(maxsize=4096)
def span_of_days(first: date, last: date, zones: tuple[TimeZone, ...]) -> tuple[datetime, datetime]:
    """From when until when (UTC) it is one of these days, both included, on a clock of any of the zones."""
    after = last + timedelta(days=1)
    starts = [datetime.combine(first, time(), zone).astimezone(UTC) for zone in zones]
    ends = [datetime.combine(after, time(), zone).astimezone(UTC) for zone in zones]
    return min(starts), max(ends)


_FIRST_COMPARED: Final = datetime(2025, 1, 1, 12, tzinfo=UTC)
_COMPARED_DAYS: Final = 13 * 366
"""Up to 2037, the last year that the database writes out in full; compared once a fortnight."""
_IN_USE: Final = {
    "UK": "GB",
    "EL": "GR",
    "USA": "US",
    "United Kingdom": "GB",
    "Great Britain": "GB",
    "United States of America": "US",
    "Russian Federation": "RU",
    "Czechia": "CZ",
    "Türkiye": "TR",
    "Ivory Coast": "CI",
    "Viet Nam": "VN",
}
"""Codes and names in common use that the table of the database spells in another way or does not have."""


def spell_country(text: str) -> str:
    """The ISO 3166-1 alpha-2 code (`JP`) of a code in any letter case (`jp`) or an English name; other texts stay."""
    return text if text in _zones_by_country() else _country_codes().get(_plain_name(text), text)


def is_country(text: str) -> bool:
    """Whether the text is an ISO 3166-1 alpha-2 code."""
    return text in _zones_by_country()


@lru_cache(maxsize=1024)
def zones_of_country(country: str) -> tuple[str, ...]:
    """The zones of a country, given by code or name, as the database lists them; none for an unknown country.

    Of zones whose clocks show the same time from 2025 on only the first is named: `("Europe/Berlin",)` for Germany.
    """
    zones: dict[tuple[timedelta | None, ...], str] = {}
    for name in _zones_by_country().get(spell_country(country), ()):
        zones.setdefault(_offsets(find_zone(name)), name)
    return tuple(zones.values())


def _offsets(zone: TimeZone) -> tuple[timedelta | None, ...]:
    days = range(0, _COMPARED_DAYS, 14)
    return tuple((_FIRST_COMPARED + timedelta(days=day)).astimezone(zone).utcoffset() for day in days)


@cache
def _zones_by_country() -> Mapping[str, tuple[str, ...]]:
    """Every code of ISO 3166-1 and its zones; a few uninhabited countries have none."""
    zones: dict[str, list[str]] = {code: [] for code, _ in _rows("iso3166.tab")}
    for code, _, name, *_ in _rows("zone.tab"):
        zones[code].append(name)
    return {code: tuple(names) for code, names in zones.items()}


@cache
def _country_codes() -> Mapping[str, str]:
    """Plain code or name -> code. `Korea (South)` is also South Korea; `Korea` alone would be two countries."""
    codes, variants = dict[str, str](), defaultdict[str, set[str]](set)
    for code, name in _rows("iso3166.tab"):
        codes |= {code.casefold(): code, _plain_name(name): code}
        short, _, addition = name.removesuffix(")").partition(" (")
        for variant in (short, f"{addition} {short}"):
            variants[_plain_name(variant)].add(code)
    clear = {name: min(found) for name, found in variants.items() if len(found) == 1}
    return {**clear, **{_plain_name(name): code for name, code in _IN_USE.items()}, **codes}


def _plain_name(text: str) -> str:
    return " ".join(text.replace("&", " and ").casefold().split())


def _rows(table: str) -> Iterator[list[str]]:
    """The columns of each line of a table of the release."""
    text = files("tzdata.zoneinfo").joinpath(table).read_text("utf-8")
    yield from (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
