"""The queue in time: what is due is claimed with SKIP LOCKED, so any number of replicas share the work."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.chassis.database import Connection
from services.chassis.outbox import Outbox, Outgoing
from services.scheduler.adapters.events import closed_face, moment, outgoing, owner, text
from services.scheduler.application.ports import Claimed, Kind
from services.scheduler.domain.touchpoint import Origin, Owner, Status, Verdict

LOOK = """
t.id, t.account_id, t.type, t.origin, t.number, t.due_at, t.start_at, t.end_at, t.deadline, t.lapses_at,
t.owner, t.csm_id, t.minutes, t.sequence, t.released_at, coalesce(t.face, r.face) AS face, p.email
FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
LEFT JOIN person p ON p.csm_id = t.csm_id
"""
CLAIM_DUE = f"""
SELECT {LOOK} WHERE t.status = 'planned' AND t.due_at <= $1
ORDER BY t.due_at, t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED
"""
RELEASE = """
UPDATE touchpoint t SET status = 'due', released_at = $3, sequence = t.sequence + 1, face = u.face,
    changed_at = $3, change_xid = pg_current_xact_id()
FROM unnest($1::uuid[], $2::text[]) u(id, face) WHERE t.id = u.id
"""
EXPIRE = """
UPDATE touchpoint t SET status = 'cancelled', sequence = t.sequence + 1, face = u.face, closure = u.closure,
    verdict = u.verdict, changed_at = $5, change_xid = pg_current_xact_id()
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) u(id, face, closure, verdict) WHERE t.id = u.id
"""
NEWEST_DUE = """
SELECT t.account_id, t.type, max(t.number) FROM touchpoint t
JOIN unnest($1::text[], $2::text[]) k(account_id, type) ON t.account_id = k.account_id AND t.type = k.type
WHERE t.origin = 'rhythm' AND t.due_at <= $3 AND t.status <> 'cancelled' GROUP BY t.account_id, t.type
"""
CLAIM_LAPSED = f"""
SELECT {LOOK} WHERE t.status = 'due' AND t.owner IN ('csm', 'pooled_csm', 'sales') AND t.lapses_at <= $1
ORDER BY t.lapses_at, t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED
"""
LAPSE = """
UPDATE touchpoint t SET status = 'overdue', sequence = t.sequence + 1, changed_at = $2,
    change_xid = pg_current_xact_id()
WHERE t.id = ANY($1::uuid[])
"""
NEXT_DUE = "SELECT min(due_at) FROM touchpoint WHERE status = 'planned'"

OVERDUE_NOTE = "its deadline passed before anybody said what became of it"

Row = Any  # an asyncpg record with the columns of LOOK


class PostgresQueue:
    """Queue of the application, on one open and short transaction."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox
        self._claimed: Sequence[Row] = ()

    async def claim_due(self, now: datetime, limit: int) -> Sequence[Claimed]:
        self._claimed = rows = await self._connection.fetch(CLAIM_DUE, now, limit)
        return [
            Claimed(key, row[1], row[2], Origin(row[3]), Owner(row[10]), row[4], row[5], row[9])
            for key, row in enumerate(rows)
        ]

    async def newest_due(
        self, rhythms: Collection[tuple[str, str]], now: datetime
    ) -> Mapping[tuple[str, str], int]:
        accounts, types = [each[0] for each in rhythms], [each[1] for each in rhythms]
        rows = await self._connection.fetch(NEWEST_DUE, accounts, types, now)
        return {(row[0], row[1]): row[2] for row in rows}

    async def announce(self, late: Mapping[int, Verdict], now: datetime) -> None:
        released = [row for key, row in enumerate(self._claimed) if key not in late]
        expired = [(row, late[key]) for key, row in enumerate(self._claimed) if key in late]
        released_at = moment(now)
        told = [_event(row, "due", Status.DUE, row[15], released_at, now) for row in released]
        if released:
            await self._connection.execute(
                RELEASE, [row[0] for row in released], [row[15] for row in released], now
            )
        if expired:
            await self._connection.execute(
                EXPIRE,
                [row[0] for row, _ in expired],
                [row[15] for row, _ in expired],
                [verdict.closure for _, verdict in expired],
                [verdict.text for _, verdict in expired],
                now,
            )
            told += [_expired(row, verdict, now) for row, verdict in expired]
        await self._outbox.append(self._connection, told)

    async def lapse(self, now: datetime, limit: int) -> int:
        rows = await self._connection.fetch(CLAIM_LAPSED, now, limit)
        if rows:
            await self._connection.execute(LAPSE, [row[0] for row in rows], now)
            told = [
                _event(row, "overdue", Status.OVERDUE, row[15], moment(row[14]), now, note=OVERDUE_NOTE)
                for row in rows
            ]
            await self._outbox.append(self._connection, told)
        return len(rows)

    async def next_due(self) -> datetime | None:
        return await self._connection.fetchval(NEXT_DUE)


def _expired(row: Row, verdict: Verdict, now: datetime) -> Outgoing:
    note = f"{verdict.closure}: {verdict.text}"
    return _event(row, "cancelled", Status.CANCELLED, closed_face(row[15], note), "null", now, note=note)


def _event(  # noqa: PLR0913
    row: Row,
    kind: Kind,
    status: Status,
    face: str,
    released_at: str,
    now: datetime,
    *,
    note: str | None = None,
) -> Outgoing:
    name, sequence = str(row[0]), row[13] + 1
    number = "null" if row[4] is None else row[4]
    data = (
        f'{{"touchpoint_id":"{name}","account_id":{text(row[1])},"touchpoint_type":{text(row[2])},'
        f'"status":"{status}","due_at":{moment(row[5])},"released_at":{released_at},'
        f'"deadline":{moment(row[8])},"window":{{"from":{moment(row[6])},"to":{moment(row[7])}}},'
        f'"owner":{owner(row[10], row[11], row[16])},"sequence":{sequence},'
        f'"minutes":{row[12]},"occurrence":{number},"previous_due_at":null,"note":{text(note)},{face}}}'
    )
    return outgoing(name, row[1], sequence, kind, data, now=now)
