"""The queue in time: what is due is claimed with SKIP LOCKED, so any number of replicas share the work."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.chassis.database import Connection
from services.chassis.outbox import Outbox, Outgoing
from services.scheduler.adapters.events import closed_face, moment, outgoing, owner, text
from services.scheduler.application.ports import Claimed, Kind
from services.scheduler.domain.touchpoint import Origin, Owner, Verdict

LOOK = """
q.ctid, t.id, t.account_id, t.type, t.origin, t.number, t.due_at, t.start_at, t.end_at, t.deadline,
t.lapses_at, t.owner, t.csm_id, t.minutes, t.sequence, t.released_at, coalesce(t.face, r.face) AS face, p.email
"""
AROUND = """
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
LEFT JOIN person p ON p.csm_id = t.csm_id
"""
# A batch is found by its keys, whatever the planner thinks a table of this size deserves.
BY_KEYS = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
# Both rows are locked and neither is waited for: a plan or a person that holds the touchpoint comes first.
CLAIM_DUE = f"""
WITH q AS MATERIALIZED (
    SELECT ctid, at, id FROM agenda WHERE at <= $1 ORDER BY at, id LIMIT $2 FOR UPDATE SKIP LOCKED
)
SELECT {LOOK} FROM q JOIN touchpoint t ON t.id = q.id {AROUND}
WHERE t.status = 'planned' AND t.due_at <= $1 FOR UPDATE OF t SKIP LOCKED
"""
RELEASE = """
WITH gone AS (DELETE FROM agenda WHERE ctid = ANY($2::tid[])
), due AS (
    UPDATE touchpoint SET status = 'due', released_at = $3, sequence = sequence + 1, changed_at = $3,
        change_xid = pg_current_xact_id()
    WHERE id = ANY($1::uuid[]) RETURNING id
)
INSERT INTO change (xid, id, changed_at) SELECT pg_current_xact_id(), id, $3 FROM due
"""
EXPIRE = """
WITH gone AS (DELETE FROM agenda WHERE ctid = ANY($2::tid[])
), forgotten AS (
    DELETE FROM lapsing l USING touchpoint t WHERE t.id = ANY($1::uuid[]) AND l.at = t.lapses_at AND l.id = t.id
), expired AS (
    UPDATE touchpoint t SET status = 'cancelled', sequence = t.sequence + 1, face = u.face,
        closure = u.closure, verdict = u.verdict, changed_at = $6, change_xid = pg_current_xact_id()
    FROM unnest($1::uuid[], $3::text[], $4::text[], $5::text[]) u(id, face, closure, verdict)
    WHERE t.id = u.id RETURNING t.id
)
INSERT INTO change (xid, id, changed_at) SELECT pg_current_xact_id(), id, $6 FROM expired
"""
NEWEST_DUE = """
SELECT t.account_id, t.type, max(t.number) FROM touchpoint t
JOIN unnest($1::text[], $2::text[]) k(account_id, type) ON t.account_id = k.account_id AND t.type = k.type
WHERE t.origin = 'rhythm' AND t.due_at <= $3 AND t.status <> 'cancelled' GROUP BY t.account_id, t.type
"""
CLAIM_LAPSED = f"""
WITH q AS MATERIALIZED (
    SELECT ctid, at, id FROM lapsing WHERE at <= $1 ORDER BY at, id LIMIT $2 FOR UPDATE SKIP LOCKED
)
SELECT {LOOK} FROM q JOIN touchpoint t ON t.id = q.id {AROUND}
WHERE t.status = 'due' AND t.lapses_at <= $1 FOR UPDATE OF t SKIP LOCKED
"""
LAPSE = """
WITH gone AS (DELETE FROM lapsing WHERE ctid = ANY($2::tid[])
), overdue AS (
    UPDATE touchpoint SET status = 'overdue', sequence = sequence + 1, changed_at = $3,
        change_xid = pg_current_xact_id()
    WHERE id = ANY($1::uuid[]) RETURNING id
)
INSERT INTO change (xid, id, changed_at) SELECT pg_current_xact_id(), id, $3 FROM overdue
"""
NEXT_DUE = "SELECT min(at) FROM agenda"
FORGET_CHANGES = """
DELETE FROM change WHERE (xid, id) IN (
    SELECT xid, id FROM (SELECT * FROM change ORDER BY xid, id LIMIT 2000) oldest
    WHERE written_at < clock_timestamp() - interval '90 days')
"""

OVERDUE_NOTE = "its deadline passed before anybody said what became of it"

Row = Any  # an asyncpg record with the columns of LOOK


class PostgresQueue:
    """Queue of the application, on one open and short transaction."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox
        self._claimed: Sequence[Row] = ()

    async def claim_due(self, now: datetime, limit: int) -> int:
        await self._connection.execute(BY_KEYS)
        self._claimed = await self._connection.fetch(CLAIM_DUE, now, limit)
        return len(self._claimed)

    def late(self, before: datetime) -> Sequence[Claimed]:
        return [
            Claimed(key, row[2], row[3], Origin(row[4]), Owner(row[11]), row[5], row[6], row[10])
            for key, row in enumerate(self._claimed)
            if row[6] < before
        ]

    async def newest_due(
        self, rhythms: Collection[tuple[str, str]], now: datetime
    ) -> Mapping[tuple[str, str], int]:
        accounts, types = [each[0] for each in rhythms], [each[1] for each in rhythms]
        rows = await self._connection.fetch(NEWEST_DUE, accounts, types, now)
        return {(row[0], row[1]): row[2] for row in rows}

    async def announce(self, late: Mapping[int, Verdict], now: datetime) -> None:
        released = self._claimed
        if late:
            released = [row for key, row in enumerate(self._claimed) if key not in late]
            await self._expire([(self._claimed[key], verdict) for key, verdict in late.items()], now)
        if not released:
            return
        ids, places = [row[1] for row in released], [row[0] for row in released]
        await self._connection.execute(RELEASE, ids, places, now)
        at = moment(now)
        told = [_event(row, "due", row[16], at, now) for row in released]
        await self._outbox.append(self._connection, told)

    async def _expire(self, expired: Sequence[tuple[Row, Verdict]], now: datetime) -> None:
        await self._connection.execute(
            EXPIRE,
            [row[1] for row, _ in expired],
            [row[0] for row, _ in expired],
            [row[16] for row, _ in expired],
            [verdict.closure for _, verdict in expired],
            [verdict.text for _, verdict in expired],
            now,
        )
        told = [_expired(row, verdict, now) for row, verdict in expired]
        await self._outbox.append(self._connection, told)

    async def lapse(self, now: datetime, limit: int) -> int:
        await self._connection.execute(BY_KEYS)
        rows = await self._connection.fetch(CLAIM_LAPSED, now, limit)
        if rows:
            await self._connection.execute(LAPSE, [row[1] for row in rows], [row[0] for row in rows], now)
            told = [_event(row, "overdue", row[16], moment(row[15]), now, OVERDUE_NOTE) for row in rows]
            await self._outbox.append(self._connection, told)
        return len(rows)

    async def next_due(self) -> datetime | None:
        return await self._connection.fetchval(NEXT_DUE)

    async def forget_old_changes(self) -> None:
        """The change feed goes back ninety days; who was away longer reads the whole list again."""
        await self._connection.execute(FORGET_CHANGES)


def _expired(row: Row, verdict: Verdict, now: datetime) -> Outgoing:
    note = f"{verdict.closure}: {verdict.text}"
    return _event(row, "cancelled", closed_face(row[16], note), "null", now, note)


def _event(
    row: Row, kind: Kind, face: str, released_at: str, now: datetime, note: str | None = None
) -> Outgoing:
    """The event of a row of LOOK as it stands after the pass; its status is called like the event."""
    touchpoint_id, sequence, number = str(row[1]), row[14] + 1, row[5]
    due_at, start, end, deadline = row[6], row[7], row[8], row[9]
    due, until = moment(due_at), moment(end)
    data = (
        f'{{"touchpoint_id":"{touchpoint_id}","account_id":{text(row[2])},"touchpoint_type":{text(row[3])},'
        f'"status":"{kind}","due_at":{due},"released_at":{released_at},'
        f'"deadline":{until if deadline == end else moment(deadline)},'
        f'"window":{{"from":{due if start >= due_at else moment(start)},"to":{until}}},'
        f'"owner":{owner(row[11], row[12], row[17])},"sequence":{sequence},"minutes":{row[13]},'
        f'"occurrence":{"null" if number is None else number},"previous_due_at":null,"note":{text(note)},{face}}}'
    )
    return outgoing(touchpoint_id, row[2], sequence, kind, data, now=now)
