"""What the HTTP API reads: deliveries, in-app feeds, the stream."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.chassis.database import Database
from services.chassis.settings import Retention
from services.notifier.adapters.delivery_lists import find_delivery, list_deliveries
from services.notifier.application.read_models import (
    DeliveryFilter,
    DeliveryItem,
    DeliverySlice,
    InboxItem,
    StreamItem,
)

INBOX = """
SELECT id, account_id, touchpoint_id, touchpoint_type, title, body, due_at, at, read_at, seq FROM in_app
WHERE recipient_kind = $1 AND recipient_id = $2 AND seq < $3 AND (NOT $4 OR read_at IS NULL)
ORDER BY seq DESC LIMIT $5
"""
MARK_READ = "UPDATE in_app SET read_at = coalesce(read_at, $2) WHERE id = $1 RETURNING read_at"
# Rows of transactions that may still commit are left out: nothing can appear before the cursor later.
STREAM = """
SELECT xid::text, seq, event_id, type, said_at, data FROM feed
WHERE (xid, seq) > ($1::text::xid8, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot()) AND type = ANY($3)
ORDER BY xid, seq LIMIT $4
"""
STREAM_END = "SELECT (pg_snapshot_xmin(pg_current_snapshot()))::text"


class Queries:
    """Implements the port `Queries`."""

    def __init__(self, database: Database, retention: Retention | None = None) -> None:
        self._database = database
        self._deliveries_kept = timedelta(days=(retention or Retention()).deliveries_days)

    async def deliveries(self, wanted: DeliveryFilter, *, before: int, limit: int) -> DeliverySlice:
        """Newest first, those with a sequence below `before`."""
        return await list_deliveries(
            self._database, wanted, before=before, limit=limit, kept=self._deliveries_kept
        )

    async def delivery(self, delivery_id: str) -> DeliveryItem | None:
        return await find_delivery(self._database, delivery_id)

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
