"""Deliveries once more: webhooks that failed under the id that they had, and mails by hand as mails of their own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.chassis.database import Connection
from services.notifier.adapters.delivery_repository import delivery_id
from services.notifier.adapters.undelivered_events import EVENT_OF_KEY
from services.notifier.domain.delivery import Recipient, RecipientKind

REPEAT = f"""
WITH again AS (
    INSERT INTO delivery (id, caused_at, event_key, message_id, recovery, touchpoint_id, touchpoint_type, account_id,
        channel, recipient_kind, recipient_id, state)
    SELECT u.new_id, d.caused_at, d.event_key, CASE WHEN d.channel = 'webhook' THEN d.message_id ELSE u.new_id END,
        u.recovery, d.touchpoint_id, d.touchpoint_type, d.account_id, d.channel, d.recipient_kind, d.recipient_id,
        'pending'
    FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::int[]) AS u(id, caused_at, new_id, recovery)
    JOIN delivery d ON d.id = u.id AND d.caused_at = u.caused_at
    ON CONFLICT (id, caused_at) DO NOTHING RETURNING *
)
INSERT INTO delivery_queue (delivery_id, caused_at, event_key, event_at, seq, message_id, account_id, channel,
    recipient_kind, recipient_id, touchpoint_id, touchpoint_type, reason, next_at, rouse_at, deadline, created_at)
SELECT s.id, s.caused_at, s.event_key, f.said_at, s.seq, s.message_id, s.account_id, s.channel, s.recipient_kind,
    s.recipient_id, s.touchpoint_id, s.touchpoint_type, $5, $6, $7, $7, s.created_at
FROM again s CROSS JOIN LATERAL {EVENT_OF_KEY} f RETURNING delivery_id
"""

# Of an endpoint, what failed for good and was not tried again since.
FAILED = f"""
FROM delivery_unsent u JOIN delivery s ON s.id = u.delivery_id AND s.caused_at = u.caused_at
LEFT JOIN LATERAL {EVENT_OF_KEY} f ON true
WHERE u.recipient_id = $1 AND u.state = 'failed' AND u.channel = 'webhook' AND u.created_at >= $2
    AND NOT EXISTS (SELECT FROM delivery later
        WHERE later.event_key = s.event_key AND later.recipient_id = s.recipient_id AND later.channel = 'webhook'
            AND later.recovery > 0 AND later.recovery > s.recovery)
"""
_FOUND = (
    f"SELECT s.id, s.caused_at, s.recovery + 1 AS recovery, f.event_id {FAILED} AND f.event_id IS NOT NULL"
)
FAILED_FIRST = f"{_FOUND} ORDER BY u.created_at LIMIT $3"
FAILED_LAST = f"{_FOUND} ORDER BY u.created_at DESC LIMIT 1"


class Repetition(NamedTuple):
    """A delivery, by its id and the time of its cause, with the id and the number of the one that repeats it."""

    delivery_id: UUID
    caused_at: datetime
    new_id: str
    recovery: int


async def find_failed(
    connection: Connection, endpoint_id: str, since: datetime, limit: int
) -> list[Repetition]:
    """How what an endpoint did not get of what was made since then (real time) is repeated, oldest first."""
    rows = await connection.fetch(FAILED_FIRST, endpoint_id, since, limit)
    return [_repetition(row, endpoint_id) for row in rows]


async def find_last_failed(connection: Connection, endpoint_id: str, since: datetime) -> list[Repetition]:
    """How the last of it is repeated; empty when there is nothing, or its event is not kept any more."""
    rows = await connection.fetch(FAILED_LAST, endpoint_id, since)
    return [_repetition(row, endpoint_id) for row in rows]


def _repetition(row: Any, endpoint_id: str) -> Repetition:
    recipient = Recipient(RecipientKind.SUBSCRIPTION, endpoint_id)
    id_ = delivery_id(row["event_id"], "webhook", recipient, recovery=row["recovery"])
    return Repetition(row["id"], row["caused_at"], id_, row["recovery"])


async def repeat_deliveries(
    connection: Connection,
    repetitions: Sequence[Repetition],
    reason: str,
    real: datetime,
    deadline: datetime | None = None,
) -> int:
    """Create them, ready at this real moment; returns how many did not exist. Their events must be stored.

    Merges of accounts are kept out of the transaction.
    """
    rows = await connection.fetch(
        REPEAT,
        [repetition.delivery_id for repetition in repetitions],
        [repetition.caused_at for repetition in repetitions],
        [repetition.new_id for repetition in repetitions],
        [repetition.recovery for repetition in repetitions],
        reason,
        real,
        deadline,
    )
    return len(rows)
