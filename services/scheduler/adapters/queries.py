"""What is read from the calendar: lists, one touchpoint, the change feed, the load of CSMs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from schemas.directory import HolidayRecord
from schemas.touchpoints import TouchpointRisk
from services.calendar.plan import read_plan
from services.calendar.weeks import name_week
from services.calendar.zones import load_zones
from services.chassis.database import Database, real_now
from services.scheduler.adapters.change_feed import read_changes
from services.scheduler.adapters.directory_repository import load_holidays, read_csm_hours
from services.scheduler.adapters.invitations import find_invited
from services.scheduler.adapters.promise_queries import find_risks
from services.scheduler.adapters.rows import Row, read_series, read_stored
from services.scheduler.adapters.touchpoint_lists import FIND, ListQuery
from services.scheduler.application.measure_capacity import CsmWeek, UnownedWeek, WeekLoad
from services.scheduler.application.read_touchpoints import (
    AccountRhythms,
    ChangePage,
    Person,
    TouchpointEntry,
    TouchpointFilter,
)

SERIES = "SELECT * FROM rhythm WHERE account_id = $1 AND active"
ACCOUNT = "SELECT timezone, zones, plan FROM account_calendar WHERE account_id = $1"
LOAD = "SELECT csm_id, account_id, due_at, minutes FROM"
LOADS = f"""
SELECT csm_id, date_trunc('week', due_at AT TIME ZONE 'UTC')::date, sum(minutes)::int, count(*)::int
FROM (
    {LOAD} touchpoint WHERE csm_id IS NOT NULL AND ($3::text IS NULL OR csm_id = $3) AND due_at >= $1 AND due_at < $2
        AND status <> 'cancelled' AND owner IN ('csm', 'pooled_csm', 'sales')
    UNION ALL
    {LOAD} archived_touchpoint WHERE status = 'settled' AND csm_id IS NOT NULL AND ($3::text IS NULL OR csm_id = $3)
        AND due_at >= $1 AND due_at < $2 AND owner IN ('csm', 'pooled_csm', 'sales')
) AS work GROUP BY 1, 2
"""
UNOWNED_WEEKS = f"""
SELECT a.pool, date_trunc('week', t.due_at AT TIME ZONE 'UTC')::date, sum(t.minutes)::int, count(*)::int
FROM (
    {LOAD} touchpoint WHERE csm_id IS NULL AND owner IN ('csm', 'pooled_csm', 'sales') AND due_at >= $1
        AND due_at < $2 AND status <> 'cancelled'
    UNION ALL
    {LOAD} archived_touchpoint WHERE csm_id IS NULL AND owner IN ('csm', 'pooled_csm', 'sales') AND due_at >= $1
        AND due_at < $2 AND status <> 'cancelled'
) AS t JOIN account_calendar a ON a.account_id = t.account_id GROUP BY 1, 2 ORDER BY 2, 1 NULLS LAST
"""
GROUPS = """
SELECT group_id::text, id::text FROM touchpoint
WHERE group_id = ANY($1::uuid[]) AND status IN ('planned', 'due', 'overdue') ORDER BY touchpoint.due_at, touchpoint.id
"""
CURRENT_ACCOUNT = "SELECT coalesce((SELECT stays FROM account_alias WHERE ended = $1), $1)"
PEOPLE = "SELECT csm_id, name, email FROM person WHERE csm_id = ANY($1)"
CSMS = """
SELECT csm_id, name, timezone, weekly_minutes, working_days, day_start, day_end, away, country, region, doubt, busy
FROM person LEFT JOIN busy_calendar USING (csm_id) WHERE $1::text IS NULL OR csm_id = $1
"""


class PostgresReader:
    """TouchpointReader, each call in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def real_now(self) -> datetime:
        async with self._database.transaction() as connection:
            return await real_now(connection)

    async def find(self, touchpoint_id: str) -> TouchpointEntry | None:
        row = await self._database.pool.fetchrow(FIND, touchpoint_id)
        return None if row is None else _entry(row)

    async def list_touchpoints(
        self, wanted: TouchpointFilter, after: tuple[datetime, str] | None, limit: int
    ) -> list[TouchpointEntry]:
        query = ListQuery(wanted, after, limit)
        statement = query.write()
        return [_entry(row) for row in await self._database.pool.fetch(statement, *query.values)]

    async def list_changes(
        self, wanted: TouchpointFilter, after: tuple[int, str] | None, limit: int
    ) -> ChangePage:
        read = await read_changes(self._database, wanted, after, limit)
        return ChangePage([_entry(row) for row in read.rows], read.resume, read.has_more)

    async def load_rhythms(self, account_id: str) -> AccountRhythms:
        series = [read_series(row) for row in await self._database.pool.fetch(SERIES, account_id)]
        account = await self._database.pool.fetchrow(ACCOUNT, account_id)
        if account is None:
            return AccountRhythms(series)
        plan = None if account["plan"] is None else read_plan(account["plan"].encode()).plan
        return AccountRhythms(series, load_zones(account["timezone"], account["zones"]), plan)

    async def find_current_account(self, account_id: str) -> str:
        return str(await self._database.pool.fetchval(CURRENT_ACCOUNT, account_id))

    async def find_invited(self, ids: Collection[str]) -> Collection[str]:
        async with self._database.transaction() as connection:
            return await find_invited(connection, ids)

    async def find_risks(self, ids: Collection[str]) -> Mapping[str, TouchpointRisk]:
        return await find_risks(self._database, ids)

    async def load_people(self, csm_ids: Collection[str]) -> Mapping[str, Person]:
        rows = await self._database.pool.fetch(PEOPLE, list(csm_ids)) if csm_ids else ()
        return {row[0]: Person(row[1], row[2]) for row in rows}

    async def load_groups(self, groups: Collection[str]) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in await self._database.pool.fetch(GROUPS, list(groups)) if groups else ():
            found.setdefault(row[0], []).append(row[1])
        return found

    async def load_weeks(
        self, start: datetime, end: datetime, csm_id: str | None
    ) -> tuple[Mapping[str, CsmWeek], list[WeekLoad]]:
        async with self._database.transaction() as connection:
            added = await load_holidays(connection)
            people = await connection.fetch(CSMS, csm_id)
        csms = {row["csm_id"]: _csm_week(row, added) for row in people}
        loads = await self._database.pool.fetch(LOADS, start, end, csm_id)
        return csms, [WeekLoad(*row) for row in loads]

    async def load_unowned_weeks(self, start: datetime, end: datetime) -> list[UnownedWeek]:
        return [
            UnownedWeek(pool=row[0], week=name_week(row[1]), planned_minutes=row[2], touches=row[3])
            for row in await self._database.pool.fetch(UNOWNED_WEEKS, start, end)
        ]


def _entry(row: Row) -> TouchpointEntry:
    stored = read_stored(row)
    return TouchpointEntry(stored.touchpoint, stored.content, row["changed_at"], row["change"])


def _csm_week(row: Row, added: Sequence[HolidayRecord]) -> CsmWeek:
    return CsmWeek(row["csm_id"], row["weekly_minutes"], read_csm_hours(row, added), row["doubt"])
