"""What came in by webhooks: counts by source, and the items that were refused, as dead letters with their reasons."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Final, NamedTuple, cast

from schemas.base import dump_json
from schemas.ids import digest
from services.chassis.database import Database
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.outbox import Outbox
from services.connectors.sources.items import Item, parse_body
from services.rules_engine.application.take_webhook import RefusedItem, WebhookResult
from services.rules_engine.domain.account import ReceiptState, event_identity

PREFIX: Final = "webhooks/"
"""What the topic of a dead letter begins with that came by a webhook; the source follows. There is no such topic."""
MOST_NAMES: Final = 500
"""Names of one source that are counted one by one; those that come later count together."""
OTHERS: Final = "(others)"
COUNT: Final = """
INSERT INTO webhook_count AS c (source, kind, name, count, first_at, last_at)
SELECT $1, n.kind, CASE WHEN n.kind <> 'unmapped' OR k.source IS NOT NULL OR s.names < $5 THEN n.name ELSE $6 END,
    sum(n.count), $4, $4
FROM unnest($2::text[], $3::text[], $7::bigint[]) AS n (kind, name, count)
CROSS JOIN (SELECT count(*) AS names FROM webhook_count WHERE source = $1 AND kind = 'unmapped') AS s
LEFT JOIN webhook_count AS k ON k.source = $1 AND k.kind = n.kind AND k.name = n.name
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (source, kind, name) DO UPDATE SET count = c.count + excluded.count, last_at = excluded.last_at
"""
COUNTS: Final = """
SELECT kind, name, count, first_at, last_at FROM webhook_count WHERE source = $1 ORDER BY count DESC, name
"""
APPLIED: Final = "SELECT identity FROM receipt WHERE identity = ANY($1::bytea[]) AND state <> $2"
READ: Final = "SELECT topic, value FROM dead_letter WHERE id = $1"
MARK: Final = "UPDATE dead_letter SET replayed_at = clock_timestamp() WHERE id = $1"


class RefusedLetter(NamedTuple):
    """A dead letter of a webhook: its source, and the item as it came."""

    source: str
    item: Item


class WebhookRepository:
    """Implements the port `WebhookRecords`. `real_now`: the real clock, for when something was counted."""

    def __init__(
        self, database: Database, outbox: Outbox, wake: Callable[[], None], real_now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._wake = wake
        self._real_now = real_now

    async def record(self, source: str, result: WebhookResult) -> None:
        counts = list(_counts(result))
        async with self._database.transaction() as connection:
            columns = ([kind for kind, _, _ in counts], [name for _, name, _ in counts])
            numbers = [count for _, _, count in counts]
            await connection.execute(COUNT, source, *columns, self._real_now(), MOST_NAMES, OTHERS, numbers)
            for refused in result.refused:
                record = _letter(source, refused)
                await dead_letter_record(connection, self._outbox, record, reason=refused.reason)
        if result.refused:
            self._wake()

    async def find_applied(self, event_source: str, ids: Collection[str]) -> Collection[str]:
        by_identity = {event_identity(event_source, id_): id_ for id_ in ids}
        rows = await self._database.pool.fetch(APPLIED, sorted(by_identity), ReceiptState.DEAD)
        return {by_identity[row[0]] for row in rows}

    async def counts(self, source: str) -> list[dict[str, object]]:
        """Everything that is counted of a source, the most frequent first."""
        return [dict(row) for row in await self._database.pool.fetch(COUNTS, source)]

    async def read_letter(self, letter_id: int) -> RefusedLetter | None:
        """None where the dead letter does not exist or did not come by a webhook."""
        row = await self._database.pool.fetchrow(READ, letter_id)
        if row is None or not row["topic"].startswith(PREFIX):
            return None
        return RefusedLetter(row["topic"].removeprefix(PREFIX), cast("Item", parse_body(row["value"])))

    async def mark_replayed(self, letter_id: int) -> None:
        await self._database.pool.execute(MARK, letter_id)


def _counts(result: WebhookResult) -> Iterator[tuple[str, str, int]]:
    """(kind, name, count)."""
    yield "received", "", result.received
    if result.refused:
        yield "refused", "", len(result.refused)
    for kind, named in (("fact", result.facts), ("unmapped", result.unmapped)):
        yield from ((kind, name, count) for name, count in named.items())


def _letter(source: str, refused: RefusedItem) -> Record:
    """An item has one dead letter for each content, however often it comes: its digest stands for the offset."""
    value = dump_json(refused.item, "item")
    place = int.from_bytes(digest(source, refused.id, value.hex())[:8], "big") >> 1
    return Record(f"{PREFIX}{source}", 0, place, refused.id.encode("utf-8", "replace"), value, (), 0)
