"""The time zones of people and accounts, by the names that were told."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from schemas.zones import UTC_ZONE, TimeZone, UnknownZone, find_zone


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone; `doubt`: why UTC replaces the zone that was named, if it does."""

    info: TimeZone
    doubt: str | None = None


@lru_cache(maxsize=2048)
def load_zone(name: str | None) -> Zone:
    """The zone of that IANA name; UTC without a name, and UTC with a doubt for an unknown name."""
    if name is None:
        return Zone(UTC_ZONE)
    try:
        return Zone(find_zone(name))
    except UnknownZone:
        return Zone(UTC_ZONE, f"unknown time zone {name!r}: UTC is used")


def load_zones(name: str | None, of_country: Sequence[str]) -> tuple[TimeZone, ...]:
    """The zone of an account, or all those of its country; UTC where neither is known."""
    return (
        (load_zone(name).info,)
        if name or not of_country
        else tuple(load_zone(zone).info for zone in of_country)
    )
