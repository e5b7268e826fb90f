"""Full calendars for the release: a copy of the scheduler's database with so many planned occurrences.

A hundred days of occurrences an account, account after account, as plans are written: what is due on one day
lies scattered over the whole table.
"""

import asyncio
from datetime import UTC, datetime

import asyncpg

from services.chassis.database import Connection, Database, database_url
from services.chassis.schema_versions import DATABASES

DUE = 100_000
"""Occurrences due on each day of a calendar."""
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
EMPTY = """
TRUNCATE account_calendar, touchpoint, agenda, lapsing, change, rhythm, person, outbox, announcement, csm_mark, csm_book,
    due_touchpoint, closed_touchpoint
"""
LOADED = ("touchpoint", "agenda")
CONTENT = (
    '{"channel":"call","purpose":"Hear how it goes and agree on the next step","topic":"account",'
    '"audience":["champion"],"reason":{"rule":"check-in-red","policy":"p1","facts":[{"name":"color",'
    '"value":"red","source":"/bench","id":"s-1","time":"2026-03-01T09:00:00Z"}],"text":"Health is red."}}'
)
RHYTHMS = """
INSERT INTO rhythm (account_id, type, every_days, anchor_at, last_number, active, owner, csm_id, minutes, face)
SELECT 'acc-' || lpad(i::text, 6, '0'), 'check_in', 7, $2, 100, true, 'csm', 'csm-' || i % 40, 30, $3
FROM generate_series(0, $1::int - 1) i
"""
PEOPLE = """
INSERT INTO person (csm_id, version, name, email, timezone)
SELECT 'csm-' || i, 1, 'CSM ' || i, 'csm-' || i || '@example.com', 'Europe/Berlin' FROM generate_series(0, 39) i
"""
# One day's are due within the second before nine o'clock.
TOUCHPOINTS = """
INSERT INTO touchpoint (id, account_id, type, origin, number, status, due_at, start_at, end_at, deadline,
    lapses_at, owner, csm_id, minutes, pinned, sequence, changed_at, earliest_at, latest_at, soft_days)
SELECT md5('t' || i * $4::bigint + d)::uuid, 'acc-' || lpad(i::text, 6, '0'), 'check_in', 'rhythm', d + 1,
    'planned', at, at, at + interval '7 days', at + interval '7 days', at + interval '7 days',
    CASE WHEN i % 2 = 0 THEN 'csm' ELSE 'marketing' END, CASE WHEN i % 2 = 0 THEN 'csm-' || i % 40 END, 30, false,
    1, $5::timestamptz,
    CASE WHEN i % 2 = 0 THEN at - interval '2 days' END, CASE WHEN i % 2 = 0 THEN at + interval '2 days' END,
    CASE WHEN i % 2 = 0 THEN 1 ELSE 0 END
FROM generate_series($1::int, $2::int - 1) i, generate_series($3::int, $4::int - 1) d,
LATERAL (SELECT $5::timestamptz + d * interval '1 day' - (i % 1000) * interval '1 millisecond' AS at) due
"""
AGENDA = "INSERT INTO agenda SELECT due_at, id FROM touchpoint"
INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), c.conname, c.conrelid::regclass::text
FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'p'
WHERE i.indrelid = ANY($1::regclass[])
"""


async def open_copy(url: str, name: str) -> Database:
    """A copy of the scheduler's migrated database, under a role that may checkpoint."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE ROLE {name} SUPERUSER")
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {DATABASES['scheduler']}")
    finally:
        await connection.close()
    return await Database.open(url, name)


async def fill(url: str, name: str, days: int) -> None:
    """Plan `days` x `DUE` occurrences into an emptied calendar; indexes are built after the load."""
    sessions = [await asyncpg.connect(database_url(url, name)) for _ in range(2)]
    try:
        for each in sessions:
            await each.execute(
                "SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET jit = off"
            )
        await _load(sessions, days)
    finally:
        for each in sessions:
            await each.close()


async def _load(sessions: list[Connection], days: int) -> None:
    one, other = sessions
    await one.execute(EMPTY)
    for table in LOADED:
        await one.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    indexes = await one.fetch(INDEXES, list(LOADED))
    for index in indexes:
        await one.execute(
            f"ALTER TABLE {index[3]} DROP CONSTRAINT {index[2]}" if index[2] else f"DROP INDEX {index[0]}"
        )
    await one.execute(PEOPLE)
    await one.execute(RHYTHMS, DUE, MONDAY, CONTENT)
    half = DUE // 2
    await asyncio.gather(
        one.execute(TOUCHPOINTS, 0, half, 0, days, MONDAY),
        other.execute(TOUCHPOINTS, half, DUE, 0, days, MONDAY),
    )
    await one.execute(AGENDA)
    await asyncio.gather(_build(one, indexes[::2]), _build(other, indexes[1::2]))
    await asyncio.gather(
        one.execute("VACUUM ANALYZE touchpoint"), other.execute("VACUUM ANALYZE agenda, rhythm, person")
    )
    for table in LOADED:
        await one.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")


async def _build(connection: Connection, indexes: list[asyncpg.Record]) -> None:
    for name, definition, constraint, table in indexes:
        await connection.execute(definition)
        if constraint:
            await connection.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {constraint} PRIMARY KEY USING INDEX {name}"
            )
