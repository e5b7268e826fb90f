"""Where an account is: its time zone as told, else what its country says of it."""

from functools import lru_cache
from typing import NamedTuple

from schemas.zones import UTC_ZONE, ZONE_NAMES, TimeZone, find_zone, zones_of_country
from services.cadence.account import Facts


class AccountZones(NamedTuple):
    """The fields of the directory. `zones`: those of a country whose clocks differ, when no zone was told."""

    timezone: str | None = None
    timezone_derived: bool = False
    zones: tuple[str, ...] = ()


def zones_of(facts: Facts) -> AccountZones:
    """The zone that was told, else the one of the country, else all of the country; nothing for an unknown country."""
    timezone = text_fact(facts, "timezone")
    if timezone:
        return AccountZones(timezone)
    zones = zones_of_country(text_fact(facts, "country") or "")
    return AccountZones(zones[0], timezone_derived=True) if len(zones) == 1 else AccountZones(zones=zones)


def clocks_of(facts: Facts) -> tuple[TimeZone, ...]:
    """What its clocks show: its zone, or all those of its country; UTC where neither is known."""
    place = zones_of(facts)
    names = (place.timezone,) if place.timezone else place.zones
    return _load(names) if names else (UTC_ZONE,)


@lru_cache(maxsize=1024)
def _load(names: tuple[str, ...]) -> tuple[TimeZone, ...]:
    return tuple(find_zone(name) if name in ZONE_NAMES else UTC_ZONE for name in names)


def text_fact(facts: Facts, name: str) -> str | None:
    """One described field without decoding all of them: this runs for every account of every batch."""
    for fields in facts.account.values():
        if name in fields:
            value = fields[name]
            return None if value is None else str(value)
    return None
