"""The queue in time: what is due is claimed with SKIP LOCKED, so that any number of replicas share the work."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

import orjson

from schemas.touchpoints import Kind
from services.calendar.misfire import MisfirePolicy, Misfires
from services.calendar.touchpoint import Status, Touchpoint
from services.chassis.database import Connection
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.tracing import traces
from services.scheduler.adapters.announcement_repository import take_known_states
from services.scheduler.adapters.archive import FEED, prune_feed
from services.scheduler.adapters.directory_repository import load_types
from services.scheduler.adapters.early_outcomes import expire_outcomes
from services.scheduler.adapters.messages import (
    NO_DETAILS,
    ChangeDetails,
    EventContext,
    OwnerDetails,
    TypeDetails,
    touchpoint_data,
    touchpoint_event,
)
from services.scheduler.adapters.rows import BY_KEYS, COLUMNS, Row, columns_of, read_touchpoint
from services.scheduler.application.ports import Keep
from services.scheduler.domain.announcing import choose_event

Queue = Literal["agenda", "lapsing"]


def _claim(queue: Queue, status: Status, time_column: str) -> str:
    """Lock the head of a queue and its touchpoints.

    Both rows are locked and neither is waited for: a plan or a person that has locked the touchpoint goes first.
    """
    trace = "trace" if queue == "agenda" else "NULL::text AS trace"
    return f"""
WITH q AS MATERIALIZED (
    SELECT ctid, at, id, {trace} FROM {queue} WHERE at <= $1 ORDER BY at, id LIMIT $2 FOR UPDATE SKIP LOCKED
)
SELECT {COLUMNS}, q.ctid, q.trace, coalesce(t.face, r.face) AS content, p.name, p.email, a.name AS account_name
FROM q JOIN touchpoint t ON t.id = q.id
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
LEFT JOIN person p ON p.csm_id = t.csm_id
LEFT JOIN account_calendar a ON a.account_id = t.account_id
WHERE t.status = '{status}' AND t.{time_column} <= $1 FOR UPDATE OF t SKIP LOCKED
"""


def _advance(queue: Queue) -> str:
    """Take claimed touchpoints from the queue and store them as due or overdue; what comes due is listed as such.

    The rows are locked: what `release` and `become_overdue` made of them is one status and one step of the sequence.
    """
    listed = """, listed AS (
    INSERT INTO due_touchpoint (due_at, id, csm_id, type) SELECT due_at, id, csm_id, type FROM changed
)"""
    return f"""
WITH gone AS (DELETE FROM {queue} WHERE ctid = ANY($2::tid[])
), changed AS (
    UPDATE touchpoint SET status = $3, released_at = coalesce(released_at, $4), sequence = sequence + 1,
        changed_at = $4, change_xid = pg_current_xact_id()
    WHERE id = ANY($1::uuid[]) RETURNING id, due_at, csm_id, type
){listed if queue == "agenda" else ""}
INSERT INTO change (xid, id, changed_at) SELECT pg_current_xact_id(), id, $4 FROM changed
"""


CLAIM_DUE = _claim("agenda", Status.PLANNED, "due_at")
CLAIM_OVERDUE = _claim("lapsing", Status.DUE, "lapses_at")
ADVANCE: Final[Mapping[Queue, str]] = {"agenda": _advance("agenda"), "lapsing": _advance("lapsing")}
EXPIRE = """
WITH gone AS (DELETE FROM agenda WHERE ctid = ANY($2::tid[])
), forgotten AS (
    DELETE FROM lapsing l USING touchpoint t WHERE t.id = ANY($1::uuid[]) AND l.at = t.lapses_at AND l.id = t.id
), expired AS (
    UPDATE touchpoint t SET status = 'cancelled', sequence = t.sequence + 1, face = u.face,
        closure = u.closure, verdict = u.verdict, changed_at = $6, change_xid = pg_current_xact_id()
    FROM unnest($1::uuid[], $3::text[], $4::text[], $5::jsonb[]) u(id, closure, verdict, face)
    WHERE t.id = u.id RETURNING t.id, t.due_at, t.type
), listed AS (
    INSERT INTO closed_touchpoint (status, due_at, id, type) SELECT 'cancelled', due_at, id, type FROM expired
)
INSERT INTO change (xid, id, changed_at) SELECT pg_current_xact_id(), id, $6 FROM expired
"""
NEWEST_DUE = """
SELECT t.account_id, t.type, max(t.number) FROM touchpoint t
JOIN unnest($1::text[], $2::text[]) k(account_id, type) ON t.account_id = k.account_id AND t.type = k.type
WHERE t.origin = 'rhythm' AND t.due_at <= $3 AND t.status <> 'cancelled' GROUP BY t.account_id, t.type
"""
MISFIRES = """
SELECT jsonb_path_query_array(record::jsonb, '$.touchpoint_types[*] ? (@.misfire != null)')::text
FROM policy_in_force WHERE key = 'policy'
"""
NEXT_DUE = "SELECT min(at) FROM agenda"
DELETE_MISSED = "DELETE FROM missed_reminder WHERE written_at < clock_timestamp() - $1::interval"
DELETE_PROMISES = """
DELETE FROM promise p WHERE p.look_at IS NULL AND p.written_at < clock_timestamp() - $1::interval
    AND NOT EXISTS (SELECT FROM touchpoint t WHERE t.id = p.touchpoint_id)
"""
DELETE_ACTS = "DELETE FROM hand_act WHERE acted_at < clock_timestamp() - interval '1 hour'"

OVERDUE_NOTE = "its deadline passed without an outcome"


class PostgresQueue:
    """TouchpointQueue on one open and short transaction."""

    def __init__(self, connection: Connection, outbox: Outbox, console_url: str) -> None:
        self._connection = connection
        self._outbox = outbox
        self._console_url = console_url
        self._queue: Queue = "agenda"
        self._claimed: Mapping[str, Row] = {}
        self._types: Mapping[str, TypeDetails] = {}

    async def claim_due(self, now: datetime, limit: int) -> Sequence[Touchpoint]:
        return await self._claim("agenda", CLAIM_DUE, now, limit)

    async def claim_overdue(self, now: datetime, limit: int) -> Sequence[Touchpoint]:
        return await self._claim("lapsing", CLAIM_OVERDUE, now, limit)

    async def _claim(self, queue: Queue, statement: str, now: datetime, limit: int) -> Sequence[Touchpoint]:
        await self._connection.execute(BY_KEYS)
        claimed = await self._connection.fetch(statement, now, limit)
        self._queue, self._claimed = queue, {row["id"]: row for row in claimed}
        traces().remember([(row["id"], row["trace"]) for row in claimed])
        return [read_touchpoint(row) for row in claimed]

    async def find_newest_due(
        self, rhythms: Collection[tuple[str, str]], now: datetime
    ) -> Mapping[tuple[str, str], int]:
        newest = await self._connection.fetch(NEWEST_DUE, *columns_of(rhythms), now)
        return {(row[0], row[1]): row[2] for row in newest}

    async def load_misfires(self) -> Misfires:
        return _read_misfires(await self._connection.fetchval(MISFIRES) or "[]")

    async def save(self, touchpoints: Sequence[Touchpoint], now: datetime) -> None:
        """A cancelled occurrence keeps the content that its rhythm had until now."""
        expired: list[tuple[object, ...]] = []
        advanced: list[tuple[str, object]] = []
        for touchpoint in touchpoints:
            row, cancellation = self._claimed[touchpoint.id], touchpoint.cancellation
            if cancellation is None:
                advanced.append((touchpoint.id, row["ctid"]))
            else:
                closure, text = cancellation.closure, cancellation.text
                expired.append((touchpoint.id, row["ctid"], closure, text, row["content"]))
        if expired:
            await self._connection.execute(EXPIRE, *columns_of(expired), now)
        if advanced:
            status: Status = Status.DUE if self._queue == "agenda" else Status.OVERDUE
            await self._connection.execute(ADVANCE[self._queue], *columns_of(advanced), status, now)
        await self._publish(touchpoints, now)

    async def _publish(self, touchpoints: Sequence[Touchpoint], now: datetime) -> None:
        """The events of this pass; what readers do not know of yet is announced as scheduled before it is due."""
        known = await take_known_states(self._connection, [touchpoint.id for touchpoint in touchpoints])
        self._types = await load_types(self._connection)
        events: list[Outgoing] = []
        for touchpoint in touchpoints:
            row = self._claimed[touchpoint.id]
            state, note = known.get(touchpoint.id, (None, None))
            if state is not None and touchpoint.cancellation is not None:
                if choose_event(state, touchpoint) is None:
                    continue
            elif state is not None and not state.is_known:
                events.append(self._event(read_touchpoint(row), "scheduled", note, now))
            events.append(self._status_event(touchpoint, now))
        await self._outbox.append(self._connection, events)

    def _status_event(self, touchpoint: Touchpoint, now: datetime) -> Outgoing:
        kind: Kind = "due"
        note: str | None = None
        if touchpoint.cancellation is not None:
            kind, note = "cancelled", touchpoint.cancellation.note
        elif touchpoint.status is Status.OVERDUE:
            kind, note = "overdue", OVERDUE_NOTE
        return self._event(touchpoint, kind, note, now)

    def _event(self, touchpoint: Touchpoint, kind: Kind, note: str | None, now: datetime) -> Outgoing:
        row = self._claimed[touchpoint.id]
        owner = OwnerDetails(row["name"], row["email"])
        details = self._types.get(touchpoint.type, NO_DETAILS)
        context = EventContext(row["account_name"], owner, self._console_url, details)
        data = touchpoint_data(touchpoint, orjson.loads(row["content"]), context, ChangeDetails(note))
        return touchpoint_event(touchpoint, kind, data, now)

    async def next_due_at(self) -> datetime | None:
        return await self._connection.fetchval(NEXT_DUE)

    async def prune(self, now: datetime, keep: Keep) -> bool:
        """The change feed goes back ninety days; who was away longer reads the whole list again."""
        await self._connection.execute(DELETE_ACTS)
        await self._connection.execute(DELETE_MISSED, min(FEED, keep.closed))
        await self._connection.execute(DELETE_PROMISES, keep.closed)
        expired = await expire_outcomes(self._connection, self._outbox, keep.outcomes)
        return await prune_feed(self._connection, now, min(FEED, keep.closed)) or expired


@lru_cache(maxsize=4)
def _read_misfires(text: str) -> Misfires:
    return {
        each["touchpoint_type"]: MisfirePolicy(
            each["misfire"], timedelta(minutes=each.get("grace_minutes", 0))
        )
        for each in orjson.loads(text)
    }
