"""The rows of completed deliveries: final ones leave the queue, the others stay in it for another attempt.

Only the holder of the lease completes a delivery; for anyone else nothing is recorded.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from services.chassis.database import Connection
from services.notifier.adapters.undelivered_events import keep_events
from services.notifier.domain.delivery import Attempt, Delivery

# An attempt that succeeded is stored as the time of the last one, with the reason as its detail.
_TRIES = """tries = CASE WHEN r.outcome IS NULL OR r.outcome = 'delivered' THEN d.tries
    ELSE coalesce(d.tries, '[]') || jsonb_build_object('at', r.tried_at, 'outcome', r.outcome, 'detail', r.detail) END,
    tried_at = coalesce(r.tried_at, d.tried_at), attempts = r.attempts,
    address_hash = coalesce(r.address_hash, d.address_hash)"""
FINISH = f"""
WITH r AS (
    DELETE FROM delivery_queue q
    USING unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::int[], $7::timestamptz[], $8::text[], $9::text[],
        $10::bytea[])
      AS u(id, token, end_state, end_reason, attempts, tried_at, outcome, detail, address_hash)
    WHERE q.delivery_id = u.id AND q.lease_token = u.token
    RETURNING q.delivery_id, q.caused_at, q.event_key, q.event_at, q.seq, q.message_id, q.account_id, q.channel,
        q.recipient_kind, q.recipient_id, q.created_at, q.erase_when_final,
        q.is_naming_erased, q.ambiguous OR coalesce(u.outcome = 'ambiguous', false) AS ambiguous, u.end_state,
        u.end_reason, u.attempts, u.tried_at, u.outcome, u.detail, u.address_hash
), record AS (
    UPDATE delivery d SET state = r.end_state, reason = r.end_reason, finished_at = $1, ambiguous = r.ambiguous,
        message_id = r.message_id, {_TRIES}
    FROM r WHERE d.id = r.delivery_id AND d.caused_at = r.caused_at
), unsent AS (
    INSERT INTO delivery_unsent (delivery_id, caused_at, seq, state, account_id, channel, recipient_kind, recipient_id,
        created_at)
    SELECT delivery_id, caused_at, seq, end_state, account_id, channel, recipient_kind, recipient_id, created_at
    FROM r WHERE end_state <> 'sent'
), {keep_events("r")}
SELECT delivery_id::text, erase_when_final, is_naming_erased FROM r
"""
KEEP = f"""
WITH r AS (
    UPDATE delivery_queue q SET reason = u.reason, attempts = u.attempts, next_at = u.next_at, rouse_at = u.rouse_at,
        waits_until = coalesce(u.waits_until, q.waits_until), first_at = coalesce(q.first_at, u.tried_at),
        ambiguous = q.ambiguous OR coalesce(u.outcome = 'ambiguous', false), is_begun = false, lease_token = NULL,
        lease_until = NULL, fold_key = CASE WHEN u.is_postponed THEN u.fold_key ELSE q.fold_key END,
        planned_at = CASE WHEN u.is_postponed THEN u.planned_at ELSE q.planned_at END,
        message_id = CASE WHEN u.is_postponed AND u.fold_key IS DISTINCT FROM q.fold_key THEN q.delivery_id
            ELSE q.message_id END
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
        $8::timestamptz[], $9::text[], $10::text[], $11::bytea[], $12::boolean[], $13::text[], $14::timestamptz[])
      AS u(id, token, reason, attempts, next_at, rouse_at, waits_until, tried_at, outcome, detail, address_hash,
        is_postponed, fold_key, planned_at)
    WHERE q.delivery_id = u.id AND q.lease_token = u.token
    RETURNING q.delivery_id, q.caused_at, q.is_naming_erased, u.attempts, u.tried_at, u.outcome, u.detail, u.address_hash
), record AS (
    UPDATE delivery d SET {_TRIES} FROM r
    WHERE d.id = r.delivery_id AND d.caused_at = r.caused_at AND r.outcome IS NOT NULL
)
SELECT delivery_id::text, false, is_naming_erased FROM r
"""


class CompletionMarks(NamedTuple):
    """What erasures left on a delivery: it goes when it is final; its mail may name a contact that was erased."""

    is_erased: bool
    is_naming_erased: bool


class CompletedRow(NamedTuple):
    """A delivery from now on. The fields from `next_at` on are of one that stays pending.

    `next_at` and `waits_until` are real time, `wake_at` and `planned_at` service time. `is_postponed`: it leaves the
    mail with which it was claimed, for that of `fold_key`.
    """

    delivery: Delivery
    token: str
    attempt: Attempt | None
    address_hash: bytes | None = None
    next_at: datetime | None = None
    wake_at: datetime | None = None
    waits_until: datetime | None = None
    is_postponed: bool = False
    fold_key: str | None = None
    planned_at: datetime | None = None


async def complete_rows(
    connection: Connection, rows: Sequence[CompletedRow], at: datetime
) -> dict[str, CompletionMarks]:
    """Those whose lease still holds, by id. `at`: service time."""
    final = [row for row in rows if row.delivery.state.is_final]
    pending = [row for row in rows if not row.delivery.state.is_final]
    done = await _finish(connection, final, at) if final else {}
    return done | (await _keep(connection, pending) if pending else {})


async def _finish(
    connection: Connection, rows: Sequence[CompletedRow], at: datetime
) -> dict[str, CompletionMarks]:
    attempts = [row.attempt for row in rows]
    found = await connection.fetch(
        FINISH,
        at,
        [row.delivery.id for row in rows],
        [row.token for row in rows],
        [row.delivery.state for row in rows],
        [row.delivery.reason for row in rows],
        [row.delivery.attempts for row in rows],
        [attempt.at if attempt else None for attempt in attempts],
        [attempt.outcome if attempt else None for attempt in attempts],
        [attempt.detail if attempt else None for attempt in attempts],
        [row.address_hash for row in rows],
    )
    return _marks(found)


async def _keep(connection: Connection, rows: Sequence[CompletedRow]) -> dict[str, CompletionMarks]:
    attempts = [row.attempt for row in rows]
    found = await connection.fetch(
        KEEP,
        [row.delivery.id for row in rows],
        [row.token for row in rows],
        [row.delivery.reason for row in rows],
        [row.delivery.attempts for row in rows],
        [row.next_at for row in rows],
        [row.wake_at for row in rows],
        [row.waits_until for row in rows],
        [attempt.at if attempt else None for attempt in attempts],
        [attempt.outcome if attempt else None for attempt in attempts],
        [attempt.detail if attempt else None for attempt in attempts],
        [row.address_hash for row in rows],
        [row.is_postponed for row in rows],
        [row.fold_key for row in rows],
        [row.planned_at for row in rows],
    )
    return _marks(found)


def _marks(rows: Sequence[Any]) -> dict[str, CompletionMarks]:
    return {row[0]: CompletionMarks(row[1], row[2]) for row in rows}
