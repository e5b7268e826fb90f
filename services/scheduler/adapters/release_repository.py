"""The releases of zone rules and public holidays that calendars follow."""

from collections.abc import Collection, Mapping

import orjson

from services.calendar.rezoning import RuleChange, Rules
from services.chassis.database import Connection
from services.scheduler.application.follow_releases import StoredReleases

# Replicas that start at the same time follow one after the other.
LOCK = "LOCK TABLE data_release IN EXCLUSIVE MODE"
TZDATA = "SELECT release FROM data_release WHERE name = 'tzdata'"
RELEASES = "SELECT name, release, details::text FROM data_release"
SAVE = """
INSERT INTO data_release (name, release, details) VALUES ($1, $2, $3::text::jsonb)
ON CONFLICT (name) DO UPDATE SET release = excluded.release, details = excluded.details
"""
MARK_PLACES = """
UPDATE account_calendar a SET extend_at = '-infinity', holidays_changed = $1
WHERE plan IS NOT NULL AND (country IS NOT NULL OR EXISTS (
    SELECT 1 FROM touchpoint t JOIN person p ON p.csm_id = t.csm_id
    WHERE t.account_id = a.account_id AND t.status = 'planned' AND p.country IS NOT NULL))
"""
MARK_ZONES = """
UPDATE account_calendar a SET extend_at = '-infinity', rules_changed = $2
WHERE plan IS NOT NULL AND (timezone = ANY($1::text[]) OR zones && $1::text[] OR EXISTS (
    SELECT 1 FROM touchpoint t JOIN person p ON p.csm_id = t.csm_id
    WHERE t.account_id = a.account_id AND t.status = 'planned' AND p.timezone = ANY($1::text[])))
"""
RULE_CHANGE = "SELECT release, (details -> 'former')::text FROM data_release WHERE name = 'tzdata'"


class PostgresReleases:
    """ReleaseRepository on one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_tzdata(self) -> str | None:
        return await self._connection.fetchval(TZDATA)

    async def lock(self) -> StoredReleases:
        await self._connection.execute(LOCK)
        found = {row[0]: (row[1], row[2]) for row in await self._connection.fetch(RELEASES)}
        holidays, _ = found.get("holidays", (None, None))
        tzdata, details = found.get("tzdata", (None, None))
        return StoredReleases(holidays, tzdata, None if details is None else orjson.loads(details)["rules"])

    async def save_holidays(self, release: str) -> None:
        await self._connection.execute(SAVE, "holidays", release, "{}")

    async def save_rules(self, change: RuleChange, rules: Mapping[str, Rules]) -> None:
        details = orjson.dumps({"rules": rules, "former": change.former}).decode()
        await self._connection.execute(SAVE, "tzdata", change.release, details)

    async def mark_places(self, release: str) -> None:
        await self._connection.execute(MARK_PLACES, release)

    async def mark_zones(self, zones: Collection[str], release: str) -> None:
        await self._connection.execute(MARK_ZONES, list(zones), release)


async def load_rule_change(connection: Connection) -> RuleChange | None:
    """The last change of zone rules."""
    row = await connection.fetchrow(RULE_CHANGE)
    return None if row is None else RuleChange(row[0], orjson.loads(row[1]))
