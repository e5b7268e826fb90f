"""Time zones: one pinned release of the IANA database for every process, that of the package `tzdata`.

`GET /v1/clock` tells the release in force, such as `2026f`. Python's `zoneinfo` would read the files of the operating
system first, which may be older, newer or absent, and which have names of their own such as `localtime`. Here it is told
to read none of them, so that every machine has the same rules. Nothing else imports `zoneinfo`; SQL reckons in UTC only,
so PostgreSQL's own copy is never asked (a test checks both).
"""

import zoneinfo
from functools import lru_cache
from importlib.resources import files
from typing import Final

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
