"""Follow newer releases of zone rules and public holidays: what they move is planned again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.zones import ZONE_RELEASE
from services.calendar.public_holidays import holidays_release
from services.calendar.rezoning import RuleChange, Rules, find_changed, read_rules


@dataclass(frozen=True, slots=True)
class StoredReleases:
    """The releases that calendars follow, with the rules of zones; None before the first start."""

    holidays: str | None = None
    tzdata: str | None = None
    rules: Mapping[str, Rules] | None = None


class ReleaseRepository(Protocol):
    """The releases in the database, inside one transaction."""

    async def find_tzdata(self) -> str | None:
        """The release whose zones calendars follow; None before the first start."""
        ...

    async def lock(self) -> StoredReleases: ...

    async def save_holidays(self, release: str) -> None: ...

    async def save_rules(self, change: RuleChange, rules: Mapping[str, Rules]) -> None: ...

    async def mark_places(self, release: str) -> None:
        """Plan again whatever public holidays may move, by those of that release."""
        ...

    async def mark_zones(self, zones: Collection[str], release: str) -> None:
        """Plan again what is in these zones, by their new rules."""
        ...


def read_newer_rules(followed: str | None, now: datetime) -> Mapping[str, Rules] | None:
    """The rules of the release in force; None where calendars follow it already.

    Reading those of all zones takes a second or so of computation, for which no transaction may stay open.
    """
    return None if followed == ZONE_RELEASE else read_rules(now)


async def follow_releases(releases: ReleaseRepository, rules: Mapping[str, Rules] | None) -> None:
    """Compare the releases in force with those that calendars follow, and mark the accounts that differences move.

    `rules`: those of `read_newer_rules`, read before.
    """
    stored = await releases.lock()
    if stored.holidays != holidays_release():
        await releases.save_holidays(holidays_release())
        if stored.holidays is not None:
            await releases.mark_places(holidays_release())
    if rules is not None and stored.tzdata != ZONE_RELEASE:
        change = RuleChange(ZONE_RELEASE, find_changed(stored.rules or {}, rules))
        await releases.save_rules(change, rules)
        if change.former:
            await releases.mark_zones(sorted(change.former), change.release)
