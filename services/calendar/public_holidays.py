"""Public holidays as dated data: the release of the package `holidays` in force, and the days of a country in a year.

The only module that uses the package. Laws change what it knows: a deployment shows its release on `/v1/clock`.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import Final

LANGUAGE: Final = "en_US"
"""Of the names; a country without English names has its own."""


class UnknownPlace(ValueError):
    """No holidays are known for a country or a region; the message says for which."""


@cache
def holidays_release() -> str:
    """The release of the data, such as `0.109`."""
    return version("holidays")


@cache
def holidays_of(country: str, region: str | None, year: int) -> Mapping[date, str]:
    """Date -> name of the public holidays of a year, with those that are observed on another day.

    `country` is an ISO 3166-1 code (`DE`, `DEU`) or English name, `region` the part of an ISO 3166-2 code after the
    country (`BY`) or None for the days of the whole country. Raises `UnknownPlace`.
    """
    import holidays  # noqa: PLC0415 - 0.1 s, and only the scheduler asks

    try:
        code = _country_codes()[country.casefold().replace(" ", "")]
        days = holidays.country_holidays(code, subdiv=region, years=year, language=LANGUAGE)
    except (KeyError, NotImplementedError):
        place = country if region is None else f"{country}, region {region}"
        raise UnknownPlace(
            f"no holidays are known for {place}: tell an ISO 3166-1 country code and the part of an ISO 3166-2 "
            f"code after it"
        ) from None
    return MappingProxyType(dict(sorted(days.items())))


@cache
def _country_codes() -> Mapping[str, str]:
    """Code of two or three letters, or name without blanks, in lower case -> code of two letters."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415

    return {alias.casefold(): aliases[1] for aliases in COUNTRIES.values() for alias in aliases}
