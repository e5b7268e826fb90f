"""Busy calendars in PostgreSQL: encrypted addresses, busy times as bytes, and who is concerned when they change."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import structlog

from services.calendar.busy_time import BusyTime, find_changes, make_busy_time
from services.calendar.icalendar_busy import CalendarOwner, ReadCalendar
from services.calendar.stretches import Stretches, from_micros, to_micros
from services.calendar.zones import load_zone
from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database
from services.chassis.secret_box import SecretBox, SecretUnreadable
from services.scheduler.adapters.person_marks import mark_people
from services.scheduler.application.busy_calendars import (
    READ_AGAIN,
    BusyCalendar,
    CalendarToRead,
    Reading,
    UnknownPerson,
    find_retry,
)

log = structlog.get_logger(__name__)

AUDIT: Final = AuditLog("scheduler")
LEASE: Final = timedelta(minutes=3)
"""Real time after which a calendar is claimed again whose reader has died: longer than reading one takes."""
CHANGED: Final = "their calendar has changed"
SHOWN: Final = """csm_id, host, made_at, next_read_at, read_at, left_out, failures, problem, failing_since,
    coalesce(octet_length(busy) / 16, 0)"""
# The row is locked, so that an address is stored before its owner is erased, and erased with them, or not at all.
FIND_PERSON: Final = "SELECT csm_id FROM person WHERE csm_id = $1 FOR KEY SHARE"
FIND_HOST: Final = "SELECT host FROM busy_calendar WHERE csm_id = $1 FOR UPDATE"
SET: Final = f"""
INSERT INTO busy_calendar AS b (csm_id, sealed_url, host) VALUES ($1, $2, $3)
ON CONFLICT (csm_id) DO UPDATE SET sealed_url = excluded.sealed_url, host = excluded.host,
    made_at = clock_timestamp(), next_read_at = clock_timestamp(), etag = NULL, modified = NULL, read_at = NULL,
    left_out = 0, failures = 0, problem = NULL, failing_since = NULL
RETURNING {SHOWN}
"""
REMOVE: Final = "DELETE FROM busy_calendar WHERE csm_id = $1 RETURNING host, busy"
LIST: Final = f"SELECT {SHOWN} FROM busy_calendar WHERE $1::text IS NULL OR csm_id = $1 ORDER BY csm_id"
CLAIM: Final = """
WITH turn AS (
    SELECT csm_id FROM busy_calendar WHERE next_read_at <= $1 ORDER BY next_read_at LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE busy_calendar b SET next_read_at = $1::timestamptz + $3::interval FROM turn LEFT JOIN person p USING (csm_id)
WHERE b.csm_id = turn.csm_id
RETURNING b.csm_id, b.sealed_url, p.timezone, p.email, b.etag, b.modified, b.failures,
    b.until_at IS NULL OR b.until_at < $4 AS is_short
"""
NEXT: Final = "SELECT min(next_read_at) FROM busy_calendar"
LOCK: Final = """
SELECT busy, coalesce(read_at, made_at) FROM busy_calendar WHERE csm_id = $1 AND sealed_url = $2 FOR UPDATE
"""
# The readings of many calendars are spread over time, whenever their addresses were stored.
SAVE_SAME: Final = """
UPDATE busy_calendar SET next_read_at = $2::timestamptz + $3::interval * (0.9 + 0.2 * random()), read_at = $2,
    failures = 0, problem = NULL, failing_since = NULL
WHERE csm_id = $1
"""
SAVE_BUSY: Final = """
UPDATE busy_calendar SET busy = $2, etag = $3, modified = $4, until_at = $5, left_out = $6 WHERE csm_id = $1
"""
SAVE_FAILURE: Final = """
UPDATE busy_calendar SET next_read_at = $2::timestamptz + $3::interval, failures = failures + 1, problem = $4,
    failing_since = coalesce(failing_since, $2)
WHERE csm_id = $1
"""
FORGET_BUSY: Final = """
UPDATE busy_calendar SET busy = NULL, etag = NULL, modified = NULL, until_at = NULL WHERE csm_id = $1
"""
OURS: Final = """
SELECT id::text FROM touchpoint WHERE id = ANY($1::uuid[])
UNION ALL SELECT id::text FROM archived_touchpoint WHERE id = ANY($1::uuid[])
"""
# Whose planned appointments, where they are or where they belong, meet what has become busy or free.
MARK_ACCOUNTS: Final = """
WITH concerned AS (
    SELECT account_id FROM account_calendar WHERE plan IS NOT NULL AND account_id IN (
        SELECT t.account_id FROM touchpoint t
        WHERE t.csm_id = $1 AND t.status = 'planned' AND t.owner IN ('csm', 'pooled_csm', 'sales') AND (
            tstzrange(t.due_at, t.due_at + make_interval(mins => greatest(t.minutes, 30))) && $2::tstzmultirange
            OR tstzrange(t.start_at, t.start_at + make_interval(mins => greatest(t.minutes, 30)))
                && $2::tstzmultirange))
    ORDER BY account_id FOR UPDATE
)
UPDATE account_calendar a SET extend_at = '-infinity' FROM concerned c WHERE a.account_id = c.account_id
"""
SEALED: Final = "SELECT csm_id, sealed_url FROM busy_calendar ORDER BY csm_id FOR UPDATE"
SEAL: Final = "UPDATE busy_calendar SET sealed_url = $2 WHERE csm_id = $1"


class PostgresBusyCalendars:
    """BusyCalendarRepository."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database, self._box = database, box

    async def set(self, csm_id: str, url: str, host: str) -> BusyCalendar:
        async with self._database.transaction() as connection:
            if await connection.fetchval(FIND_PERSON, csm_id) is None:
                raise UnknownPerson(f"There is nobody with the id {csm_id} in the directory")
            before = await connection.fetchval(FIND_HOST, csm_id)
            row = await connection.fetchrow(SET, csm_id, self._box.seal(url.encode(), csm_id), host)
            change = Change("busy_calendar.set", _object(csm_id), _audited(before), _audited(host))
            await AUDIT.record(connection, [change])
        assert row is not None  # noqa: S101 - inserted or updated
        return BusyCalendar(*row)

    async def remove(self, csm_id: str, now: datetime) -> bool:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(REMOVE, csm_id)
            if row is not None:
                await _mark(connection, csm_id, _unpack(row[1]), None, now)
                change = Change("busy_calendar.removed", _object(csm_id), _audited(row[0]))
                await AUDIT.record(connection, [change])
        return row is not None

    async def list(self, csm_id: str | None) -> Sequence[BusyCalendar]:
        return [BusyCalendar(*row) for row in await self._database.pool.fetch(LIST, csm_id)]


class PostgresBusyCalendarQueue:
    """BusyCalendarQueue on one open transaction. `every`: real time between two readings; `kept`: see the settings."""

    def __init__(self, connection: Connection, every: timedelta, kept: timedelta) -> None:
        self._connection, self._every, self._kept = connection, every, kept

    async def claim(self, real: datetime, now: datetime, limit: int) -> Sequence[CalendarToRead]:
        rows = await self._connection.fetch(CLAIM, real, limit, LEASE, now + READ_AGAIN)
        return [
            CalendarToRead(
                row["csm_id"],
                row["sealed_url"],
                CalendarOwner(load_zone(row["timezone"]).info, row["email"]),
                None if row["is_short"] else row["etag"],
                None if row["is_short"] else row["modified"],
                row["failures"],
            )
            for row in rows
        ]

    async def next_read_at(self) -> datetime | None:
        return await self._connection.fetchval(NEXT)

    async def save_reading(
        self, wanted: CalendarToRead, reading: Reading, real: datetime, now: datetime
    ) -> bool:
        locked = await self._connection.fetchrow(LOCK, wanted.csm_id, wanted.sealed)
        if locked is None:
            return False
        await self._connection.execute(SAVE_SAME, wanted.csm_id, real, self._every)
        if reading.calendar is None:
            return False
        after = await self._without_ours(reading.calendar)
        await self._connection.execute(
            SAVE_BUSY, wanted.csm_id, None if after is None else after.packed, reading.fetched.etag,
            reading.fetched.modified, reading.until, reading.calendar.left_out,
        )  # fmt: skip
        return await _mark(self._connection, wanted.csm_id, _unpack(locked[0]), after, now)

    async def save_failure(self, wanted: CalendarToRead, problem: str, real: datetime, now: datetime) -> bool:
        locked = await self._connection.fetchrow(LOCK, wanted.csm_id, wanted.sealed)
        if locked is None:
            return False
        retry = find_retry(wanted.failures + 1, self._every)
        await self._connection.execute(SAVE_FAILURE, wanted.csm_id, real, retry, problem[:500])
        busy, read_at = _unpack(locked[0]), locked[1]
        if busy is None or read_at + self._kept > real:
            return False
        log.warning("busy_calendar.forgotten", csm_id=wanted.csm_id, read_at=read_at.isoformat())
        await self._connection.execute(FORGET_BUSY, wanted.csm_id)
        return await _mark(self._connection, wanted.csm_id, busy, None, now)

    async def _without_ours(self, calendar: ReadCalendar) -> BusyTime | None:
        """Our own touchpoints, which come back in their person's calendar, are no reason to move them."""
        ours = {row[0] for row in await self._connection.fetch(OURS, sorted(calendar.by_uid))}
        others = (span for uid, spans in calendar.by_uid.items() if uid not in ours for span in spans)
        return make_busy_time((*calendar.spans, *others))


async def _mark(
    connection: Connection, csm_id: str, before: BusyTime | None, after: BusyTime | None, now: datetime
) -> bool:
    """Have what changes of busy time concern planned again; whether there are any from now on."""
    changed = find_changes(before, after)
    ahead = changed.clip((to_micros(now), max(changed.ends, default=0)))
    if not ahead.starts:
        return False
    await connection.execute(MARK_ACCOUNTS, csm_id, _ranges(ahead))
    await mark_people(connection, [csm_id], CHANGED)
    return True


def _ranges(spans: Stretches) -> list[asyncpg.Range[datetime]]:
    return [asyncpg.Range(from_micros(start), from_micros(end)) for start, end in zip(*spans, strict=True)]


def _unpack(busy: bytes | None) -> BusyTime | None:
    return None if busy is None else BusyTime(busy)


def _object(csm_id: str) -> str:
    return f"csm/{csm_id}"


def _audited(host: str | None) -> dict[str, object] | None:
    return None if host is None else {"host": host}


async def seal_addresses(database: Database, box: SecretBox) -> None:
    """At a start: encrypt under the first key of the key file what is encrypted under another of its keys."""
    async with database.transaction() as connection:
        for csm_id, sealed in await connection.fetch(SEALED):
            if box.is_current(sealed):
                continue
            try:
                again = box.seal(box.open(sealed, csm_id), csm_id)
            except SecretUnreadable as problem:
                log.warning("busy_calendar.unreadable", csm_id=csm_id, problem=str(problem))
                continue
            await connection.execute(SEAL, csm_id, again)
