"""What the directories say of accounts and CSMs, as far as the calendar needs it.

A changed zone or changed hours mark the accounts concerned: the horizon sweep looks at them again in
pieces, never all of them in one transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import time
from zoneinfo import ZoneInfo

import asyncpg

from services.chassis.database import Connection
from services.scheduler.application.people import AccountEntry, PersonEntry
from services.scheduler.domain.calendar import WEEKDAYS, Hours, hours, zone

KEEP_ACCOUNTS = """
UPDATE account_calendar a SET directory_version = u.version, name = u.name, csm_id = u.csm_id,
    timezone = u.timezone, doubt = u.doubt,
    extend_at = CASE WHEN a.plan IS NOT NULL AND a.timezone IS DISTINCT FROM u.timezone
        THEN '-infinity' ELSE a.extend_at END
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[])
    u(account_id, version, name, csm_id, timezone, doubt)
WHERE a.account_id = u.account_id AND a.directory_version < u.version
"""
FORGET_ACCOUNTS = """
UPDATE account_calendar SET name = NULL, csm_id = NULL, timezone = NULL, doubt = NULL
WHERE account_id = ANY($1::text[])
"""
KEEP_PERSON = """
INSERT INTO person AS p (csm_id, version, name, email, timezone, weekly_minutes, working_days, day_start,
    day_end, away, pool, doubt)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (csm_id) DO UPDATE SET version = excluded.version, name = excluded.name, email = excluded.email,
    timezone = excluded.timezone, weekly_minutes = excluded.weekly_minutes,
    working_days = excluded.working_days, day_start = excluded.day_start, day_end = excluded.day_end,
    away = excluded.away, pool = excluded.pool, doubt = excluded.doubt
WHERE p.version < excluded.version
"""
FORGET_PERSON = "DELETE FROM person WHERE csm_id = ANY($1::text[])"
HOURS = """
SELECT csm_id, timezone, working_days, day_start, day_end FROM person WHERE csm_id = ANY($1::text[])
"""
EMAILS = "SELECT csm_id, email FROM person WHERE csm_id = ANY($1::text[]) AND email IS NOT NULL"
MARK_THEIR_ACCOUNTS = """
UPDATE account_calendar SET extend_at = '-infinity' WHERE plan IS NOT NULL AND account_id IN (
    SELECT DISTINCT account_id FROM touchpoint WHERE csm_id = ANY($1::text[]) AND status = 'planned')
"""


class PostgresDirectory:
    """Directory of the application, on one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def keep_accounts(self, entries: Sequence[AccountEntry]) -> None:
        """Store accounts whose rows are locked; an older version changes nothing."""
        newest = {each.account_id: each for each in sorted(entries, key=lambda each: each.version)}.values()
        await self._connection.execute(
            KEEP_ACCOUNTS,
            [each.account_id for each in newest],
            [each.version for each in newest],
            [each.name for each in newest],
            [each.csm_id for each in newest],
            [each.timezone for each in newest],
            [zone(each.timezone).doubt for each in newest],
        )

    async def forget_accounts(self, account_ids: Sequence[str]) -> None:
        await self._connection.execute(FORGET_ACCOUNTS, account_ids)

    async def keep_people(self, entries: Sequence[PersonEntry]) -> None:
        """Store CSMs and mark the accounts whose touchpoints stand in hours that have changed."""
        newest = {each.csm_id: each for each in sorted(entries, key=lambda each: each.version)}
        before = await csm_hours(self._connection, newest.keys())
        for name in sorted(newest):
            each = newest[name]
            _, doubt = _hours(each.timezone, each.days, each.start, each.end)
            away = [asyncpg.Range(first, last, upper_inc=True) for first, last in each.away]
            await self._connection.execute(
                KEEP_PERSON, each.csm_id, each.version, each.name, each.email, each.timezone, each.weekly_minutes,
                each.days, each.start, each.end, away, each.pool, doubt,
            )  # fmt: skip
        after = await csm_hours(self._connection, newest.keys())
        changed = [name for name in newest if before.get(name, Hours(ZoneInfo("UTC"))) != after.get(name)]
        if changed:
            await self._connection.execute(MARK_THEIR_ACCOUNTS, changed)

    async def forget_people(self, csm_ids: Sequence[str]) -> None:
        await self._connection.execute(FORGET_PERSON, csm_ids)


async def csm_hours(connection: Connection, csm_ids: Collection[str]) -> Mapping[str, Hours]:
    if not csm_ids:
        return {}
    rows = await connection.fetch(HOURS, sorted(csm_ids))
    return {row[0]: _hours(row[1], row[2], row[3], row[4])[0] for row in rows}


async def emails_of(connection: Connection, csm_ids: Collection[str]) -> dict[str, str | None]:
    if not csm_ids:
        return {}
    return {row[0]: row[1] for row in await connection.fetch(EMAILS, sorted(csm_ids))}


def _hours(
    timezone: str | None, days: Sequence[int] | None, start: time | None, end: time | None
) -> tuple[Hours, str | None]:
    place = zone(timezone)
    usual = Hours(place.info)
    kept = WEEKDAYS if days is None else frozenset(days)
    found, doubt = hours(place.info, kept, start or usual.start, end or usual.end)
    return found, place.doubt or doubt
