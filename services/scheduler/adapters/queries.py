"""What is read from the calendar: lists, one touchpoint, the change feed, the load of CSMs.

The change feed is in the order of commit: a row is shown only when no transaction that began before its writer is
still running, so that a reader who continues from a cursor never misses one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from services.chassis.database import Database, real_now
from services.chassis.public_holidays import UnknownPlace, holidays_of
from services.scheduler.adapters.rows import COLUMNS, Row, read_series, read_stored
from services.scheduler.application.measure_capacity import CsmWeek, UnownedWeek, WeekLoad, name_week
from services.scheduler.application.read_touchpoints import AccountRhythms, TouchpointEntry, TouchpointFilter
from services.scheduler.domain.open_hours import load_zones
from services.scheduler.domain.plan import read_plan

LIST = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face, t.changed_at, t.change_xid::text::bigint AS change
FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
"""
CHANGES = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face, t.changed_at, t.change_xid::text::bigint AS change
FROM change c JOIN touchpoint t ON t.id = c.id AND t.change_xid = c.xid
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
"""
SERIES = "SELECT * FROM rhythm WHERE account_id = $1 AND active"
ACCOUNT = "SELECT timezone, zones, plan FROM account_calendar WHERE account_id = $1"
LOADS = """
SELECT csm_id, date_trunc('week', due_at AT TIME ZONE 'UTC')::date, sum(minutes)::int, count(*)::int
FROM touchpoint
WHERE csm_id IS NOT NULL AND ($3::text IS NULL OR csm_id = $3) AND due_at >= $1 AND due_at < $2
    AND status <> 'cancelled' AND owner IN ('csm', 'pooled_csm', 'sales')
GROUP BY 1, 2
"""
# Of nobody, or of an id that the directory does not describe; distinct ids are found by skipping through the index.
UNOWNED = """t.owner IN ('csm', 'pooled_csm', 'sales') AND t.id IN (
    SELECT id FROM touchpoint WHERE csm_id IS NULL AND owner IN ('csm', 'pooled_csm', 'sales')
    UNION ALL
    SELECT u.id FROM touchpoint u WHERE u.csm_id IN (
        WITH RECURSIVE used AS (
            SELECT min(csm_id) AS csm_id FROM touchpoint
            UNION ALL
            SELECT (SELECT min(n.csm_id) FROM touchpoint n WHERE n.csm_id > used.csm_id) FROM used
            WHERE used.csm_id IS NOT NULL)
        SELECT csm_id FROM used WHERE csm_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM person p WHERE p.csm_id = used.csm_id)))"""
UNOWNED_WEEKS = """
SELECT a.pool, date_trunc('week', t.due_at AT TIME ZONE 'UTC')::date, sum(t.minutes)::int, count(*)::int
FROM touchpoint t JOIN account_calendar a ON a.account_id = t.account_id
WHERE t.csm_id IS NULL AND t.owner IN ('csm', 'pooled_csm', 'sales') AND t.due_at >= $1 AND t.due_at < $2
    AND t.status <> 'cancelled'
GROUP BY 1, 2 ORDER BY 2, 1 NULLS LAST
"""
CSMS = """
SELECT csm_id, weekly_minutes, working_days, away, country, region, doubt
FROM person WHERE $1::text IS NULL OR csm_id = $1
"""


class PostgresReader:
    """TouchpointReader, each call in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def real_now(self) -> datetime:
        async with self._database.transaction() as connection:
            return await real_now(connection)

    async def find(self, touchpoint_id: str) -> TouchpointEntry | None:
        row = await self._database.pool.fetchrow(f"{LIST} WHERE t.id = $1", touchpoint_id)
        return None if row is None else _entry(row)

    async def list_touchpoints(
        self, wanted: TouchpointFilter, after: tuple[datetime, str] | None, limit: int
    ) -> list[TouchpointEntry]:
        clauses, values = _where(wanted)
        if after is not None:
            clauses.append(f"(t.due_at, t.id) > (${len(values) + 1}, ${len(values) + 2}::uuid)")
            values += after
        return await self._fetch(LIST, clauses, values, "t.due_at, t.id", limit)

    async def list_changes(
        self, wanted: TouchpointFilter, after: tuple[int, str] | None, limit: int
    ) -> list[TouchpointEntry]:
        clauses, values = _where(wanted)
        clauses.append("c.xid < pg_snapshot_xmin(pg_current_snapshot())")
        if after is not None:
            clauses.append(f"(c.xid, c.id) > (${len(values) + 1}::text::xid8, ${len(values) + 2}::uuid)")
            values += (str(after[0]), after[1])
        elif wanted.changed_since is not None:
            clauses.append(f"c.changed_at >= ${len(values) + 1}")
            values.append(wanted.changed_since)
        return await self._fetch(CHANGES, clauses, values, "c.xid, c.id", limit)

    async def _fetch(
        self, select: str, clauses: Sequence[str], values: Sequence[object], order: str, limit: int
    ) -> list[TouchpointEntry]:
        where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
        statement = f"{select} {where} ORDER BY {order} LIMIT ${len(values) + 1}"
        return [_entry(row) for row in await self._database.pool.fetch(statement, *values, limit)]

    async def load_rhythms(self, account_id: str) -> AccountRhythms:
        series = [read_series(row) for row in await self._database.pool.fetch(SERIES, account_id)]
        account = await self._database.pool.fetchrow(ACCOUNT, account_id)
        if account is None:
            return AccountRhythms(series)
        plan = None if account["plan"] is None else read_plan(account["plan"].encode()).plan
        return AccountRhythms(series, load_zones(account["timezone"], account["zones"]), plan)

    async def load_weeks(
        self, start: datetime, end: datetime, csm_id: str | None
    ) -> tuple[Mapping[str, CsmWeek], list[WeekLoad]]:
        years = range(start.year, end.year + 1)
        people = await self._database.pool.fetch(CSMS, csm_id)
        csms = {row["csm_id"]: _csm_week(row, _holidays(row, years)) for row in people}
        loads = await self._database.pool.fetch(LOADS, start, end, csm_id)
        return csms, [WeekLoad(*row) for row in loads]

    async def load_unowned_weeks(self, start: datetime, end: datetime) -> list[UnownedWeek]:
        return [
            UnownedWeek(pool=row[0], week=name_week(row[1]), planned_minutes=row[2], touches=row[3])
            for row in await self._database.pool.fetch(UNOWNED_WEEKS, start, end)
        ]


def _where(wanted: TouchpointFilter) -> tuple[list[str], list[object]]:
    conditions: list[tuple[str, object]] = [
        ("t.account_id = ${}", wanted.account_id),
        ("t.csm_id = ${}", wanted.csm_id),
        ("t.type = ${}", wanted.type),
        ("t.status = ANY(${})", list(wanted.statuses) or None),
        ("t.due_at >= ${}", wanted.start_at),
        ("t.due_at <= ${}", wanted.end_at),
    ]
    conditions = [(clause, value) for clause, value in conditions if value is not None]
    clauses = [clause.format(number) for number, (clause, _) in enumerate(conditions, 1)]
    return [*clauses, *([UNOWNED] if wanted.unowned else [])], [value for _, value in conditions]


def _entry(row: Row) -> TouchpointEntry:
    stored = read_stored(row)
    return TouchpointEntry(stored.touchpoint, stored.content, row["changed_at"], row["change"])


def _holidays(row: Row, years: Iterable[int]) -> Mapping[date, str] | None:
    """The public holidays of a person; None without a country, or where they are not known."""
    if row["country"] is None:
        return None
    try:
        by_year = [holidays_of(row["country"], row["region"], year) for year in years]
    except UnknownPlace:
        return None
    return {day: name for days in by_year for day, name in days.items()}


def _csm_week(row: Row, holidays: Mapping[date, str] | None) -> CsmWeek:
    days = None if row["working_days"] is None else frozenset(row["working_days"])
    away: list[tuple[date, date]] = [(days.lower, days.upper) for days in row["away"]]
    return CsmWeek(row["csm_id"], row["weekly_minutes"], days, away, holidays, row["doubt"])
