"""What the HTTP API reads: deliveries, in-app feeds, the stream."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.chassis.database import Database
from services.notifier.application.read_models import (
    AttemptItem,
    DeliveryFilter,
    DeliveryItem,
    InboxItem,
    RecipientItem,
    StreamItem,
)

DELIVERIES = """
SELECT id, touchpoint_id, touchpoint_type, account_id, channel, recipient_kind, recipient_id, state, reason,
    attempts, ambiguous, next_at, message_id, created_at, finished_at, seq
FROM delivery
WHERE seq < $1 AND ($2::text IS NULL OR account_id = $2) AND ($3::text IS NULL OR touchpoint_id = $3)
    AND ($4::text IS NULL OR (recipient_id = $4 AND recipient_kind = $5)) AND ($6::text IS NULL OR state = $6)
    AND ($8::text IS NULL OR channel = $8)
ORDER BY seq DESC LIMIT $7
"""
ATTEMPTS = """
SELECT delivery_id, at, outcome, detail FROM attempt WHERE delivery_id = ANY($1) ORDER BY delivery_id, number
"""
INBOX = """
SELECT id, account_id, touchpoint_id, touchpoint_type, title, body, due_at, at, read_at, seq FROM in_app
WHERE recipient_kind = $1 AND recipient_id = $2 AND seq < $3 AND (NOT $4 OR read_at IS NULL)
ORDER BY seq DESC LIMIT $5
"""
MARK_READ = "UPDATE in_app SET read_at = coalesce(read_at, $2) WHERE id = $1 RETURNING read_at"
# Rows of transactions that may still commit are left out: nothing can appear before the cursor later. The order names the
# columns of the table: a bare `xid` would be that of the answer, which is text and goes back from 999 to 1000.
STREAM = """
SELECT xid::text AS position, seq, event_id, type, said_at, data FROM feed
WHERE (xid, seq) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot()) AND type = ANY($3)
ORDER BY feed.xid, feed.seq LIMIT $4
"""
STREAM_END = "SELECT (pg_snapshot_xmin(pg_current_snapshot()))::text"
PRUNE = (
    "DELETE FROM feed WHERE key IN (SELECT key FROM feed WHERE heard_at < $1 LIMIT 5000)",
    "DELETE FROM withdrawn WHERE touchpoint_id IN (SELECT touchpoint_id FROM withdrawn WHERE heard_at < $1 LIMIT 5000)",
)


class Queries:
    """Implements the port `Queries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deliveries(self, wanted: DeliveryFilter, *, before: int, limit: int) -> list[DeliveryItem]:
        """Newest first, those with a sequence below `before`."""
        rows = await self._database.pool.fetch(
            DELIVERIES,
            before,
            wanted.account_id,
            wanted.touchpoint_id,
            wanted.recipient_id,
            wanted.recipient_kind,
            wanted.state,
            limit,
            wanted.channel,
        )
        attempts: defaultdict[str, list[AttemptItem]] = defaultdict(list)
        for row in await self._database.pool.fetch(ATTEMPTS, [row["id"] for row in rows]):
            attempts[str(row[0])].append(AttemptItem(row[1], row[2], row[3]))
        return [_delivery(row, attempts) for row in rows]

    async def inbox(
        self, kind: str, recipient_id: str, *, before: int, limit: int, only_unread: bool
    ) -> list[InboxItem]:
        """Newest first, those with a sequence below `before`."""
        rows = await self._database.pool.fetch(INBOX, kind, recipient_id, before, only_unread, limit)
        return [InboxItem(str(row[0]), *row[1:10]) for row in rows]

    async def mark_read(self, entry_id: str, at: datetime) -> datetime | None:
        """The moment it was first read; None when there is no such entry."""
        return await self._database.pool.fetchval(MARK_READ, entry_id, at)

    async def stream(self, after: tuple[int, int], types: Sequence[str], limit: int) -> list[StreamItem]:
        """The events after this position, in an order in which none is ever skipped."""
        rows = await self._database.pool.fetch(STREAM, str(after[0]), after[1], list(types), limit)
        return [StreamItem(int(row[0]), row[1], row[2], row[3], row[4], row[5]) for row in rows]

    async def stream_end(self) -> tuple[int, int]:
        """The position after all events that are visible now."""
        return int(await self._database.pool.fetchval(STREAM_END)) - 1, 2**62

    async def prune(self, before: datetime) -> int:
        """Delete a batch of the events received before then (real time); returns how many rows are gone."""
        deleted = 0
        for statement in PRUNE:
            deleted += int((await self._database.pool.execute(statement, before)).split()[-1])
        return deleted


def _delivery(row: Any, attempts: Mapping[str, Sequence[AttemptItem]]) -> DeliveryItem:
    delivery_id = str(row["id"])
    return DeliveryItem(
        id=delivery_id,
        touchpoint_id=row["touchpoint_id"],
        touchpoint_type=row["touchpoint_type"],
        account_id=row["account_id"],
        channel=row["channel"],
        recipient=RecipientItem(row["recipient_kind"], row["recipient_id"]),
        state=row["state"],
        reason=row["reason"],
        ambiguous=row["ambiguous"],
        next_at=row["next_at"],
        message_id=str(row["message_id"]),
        webhook_id=str(row["message_id"]) if row["channel"] == "webhook" else None,
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        attempts=attempts.get(delivery_id, ()),
        seq=row["seq"],
    )
