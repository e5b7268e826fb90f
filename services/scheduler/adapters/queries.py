"""What is asked about the calendar: lists, one touchpoint, the change feed, the load of CSMs.

The change feed is in the order of commit: a row is shown only when no transaction that began before its
writer is still running, so that a reader who goes on from a cursor never misses one.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from services.chassis.database import Database, real_now
from services.scheduler.adapters.rows import COLUMNS, Row, face_of, series_of, touchpoint_of
from services.scheduler.application.capacity import Load, Person
from services.scheduler.application.look import Entry, Filter, Rhythms

LIST = f"""
SELECT {COLUMNS}, r.face AS rhythm_face, t.changed_at, t.change_xid::text::bigint AS change
FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
"""
CHANGES = f"""
SELECT {COLUMNS}, r.face AS rhythm_face, t.changed_at, t.change_xid::text::bigint AS change
FROM change c JOIN touchpoint t ON t.id = c.id AND t.change_xid = c.xid
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
"""
SERIES = "SELECT * FROM rhythm WHERE account_id = $1 AND active"
ACCOUNT = "SELECT timezone, plan FROM account_calendar WHERE account_id = $1"
LOADS = """
SELECT csm_id, date_trunc('week', due_at AT TIME ZONE 'UTC')::date, sum(minutes)::int, count(*)::int
FROM touchpoint
WHERE csm_id IS NOT NULL AND ($3::text IS NULL OR csm_id = $3) AND due_at >= $1 AND due_at < $2
    AND status <> 'cancelled' AND owner IN ('csm', 'pooled_csm', 'sales')
GROUP BY 1, 2
"""
PEOPLE = """
SELECT csm_id, weekly_minutes, working_days, away FROM person WHERE $1::text IS NULL OR csm_id = $1
"""


class Queries:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self) -> datetime:
        """The database's real clock."""
        async with self._database.transaction() as connection:
            return await real_now(connection)

    async def one(self, touchpoint_id: str) -> Entry | None:
        row = await self._database.pool.fetchrow(f"{LIST} WHERE t.id = $1", touchpoint_id)
        return None if row is None else _entry(row)

    async def listed(self, wanted: Filter, after: tuple[datetime, str] | None, limit: int) -> list[Entry]:
        """By (due_at, id), those after the cursor."""
        clauses, values = _where(wanted)
        if after is not None:
            clauses.append(f"(t.due_at, t.id) > (${len(values) + 1}, ${len(values) + 2}::uuid)")
            values += after
        return await self._fetch(LIST, clauses, values, "t.due_at, t.id", limit)

    async def changed(self, wanted: Filter, after: tuple[int, str] | None, limit: int) -> list[Entry]:
        """By order of commit, those after the cursor or, without one, changed since the filter's moment."""
        clauses, values = _where(wanted)
        clauses.append("c.xid < pg_snapshot_xmin(pg_current_snapshot())")
        if after is not None:
            clauses.append(f"(c.xid, c.id) > (${len(values) + 1}::text::xid8, ${len(values) + 2}::uuid)")
            values += (str(after[0]), after[1])
        elif wanted.since is not None:
            clauses.append(f"c.changed_at >= ${len(values) + 1}")
            values.append(wanted.since)
        return await self._fetch(CHANGES, clauses, values, "c.xid, c.id", limit)

    async def _fetch(
        self, select: str, clauses: Sequence[str], values: Sequence[object], order: str, limit: int
    ) -> list[Entry]:
        where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
        text = f"{select} {where} ORDER BY {order} LIMIT ${len(values) + 1}"
        return [_entry(row) for row in await self._database.pool.fetch(text, *values, limit)]

    async def rhythms(self, account_id: str) -> Rhythms:
        account = await self._database.pool.fetchrow(ACCOUNT, account_id)
        series = [series_of(row) for row in await self._database.pool.fetch(SERIES, account_id)]
        return Rhythms(series) if account is None else Rhythms(series, account["timezone"], account["plan"])

    async def load(
        self, start: datetime, end: datetime, csm_id: str | None
    ) -> tuple[Mapping[str, Person], list[Load]]:
        people = {row["csm_id"]: _person(row) for row in await self._database.pool.fetch(PEOPLE, csm_id)}
        rows = await self._database.pool.fetch(LOADS, start, end, csm_id)
        return people, [Load(row[0], row[1], row[2], row[3]) for row in rows]


def _where(wanted: Filter) -> tuple[list[str], list[object]]:
    asked: list[tuple[str, object]] = [
        ("t.account_id = $", wanted.account_id),
        ("t.csm_id = $", wanted.csm_id),
        ("t.type = $", wanted.type),
        ("t.status = ANY($", list(wanted.statuses) or None),
        ("t.due_at >= $", wanted.start),
        ("t.due_at <= $", wanted.end),
    ]
    clauses: list[str] = []
    values: list[object] = []
    for clause, value in asked:
        if value is not None:
            values.append(value)
            clauses.append(f"{clause}{len(values)}" + (")" if "ANY" in clause else ""))
    return clauses, values


def _entry(row: Row) -> Entry:
    touchpoint = touchpoint_of(row)
    face = touchpoint.face or face_of(row["rhythm_face"])
    return Entry(touchpoint, face, row["changed_at"], row["change"])


def _person(row: Row) -> Person:
    days = None if row["working_days"] is None else frozenset(row["working_days"])
    away: list[tuple[date, date]] = [(each.lower, each.upper) for each in row["away"]]
    return Person(row["csm_id"], row["weekly_minutes"], days, away)
