"""What comes next with several accounts, in one query."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.chassis.database import Database
from services.scheduler.adapters.rows import COLUMNS, read_stored
from services.scheduler.application.read_touchpoints import TouchpointEntry

# Of each account the index by time ends after a few rows; what has no topic is internal work.
COMING = f"""
SELECT coming.*, wanted.account_id AS wanted
FROM unnest($1::text[]) AS wanted(account_id)
LEFT JOIN account_alias AS alias ON alias.ended = wanted.account_id
CROSS JOIN LATERAL (
    SELECT {COLUMNS}, t.face, r.face AS rhythm_face, t.changed_at, t.change_xid::text::bigint AS change
    FROM touchpoint t
    LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
    WHERE t.account_id = coalesce(alias.stays, wanted.account_id) AND t.status = 'planned'
        AND t.due_at >= $2 AND t.due_at < $3 AND coalesce(t.face, r.face) ->> 'topic' IS NOT NULL
    ORDER BY t.due_at, t.id LIMIT $4
) AS coming
ORDER BY coming.due_at, coming.id
"""


async def read_coming(
    database: Database, account_ids: Sequence[str], period: tuple[datetime, datetime], limit: int
) -> Mapping[str, list[TouchpointEntry]]:
    """Account -> the first `limit` planned touchpoints of the period that contact the customer, by due time.

    Of an account that was merged into another, those of the other.
    """
    found: dict[str, list[TouchpointEntry]] = {account_id: [] for account_id in account_ids}
    for row in await database.pool.fetch(COMING, list(found), *period, limit):
        stored = read_stored(row)
        entry = TouchpointEntry(stored.touchpoint, stored.content, row["changed_at"], row["change"])
        found[row["wanted"]].append(entry)
    return found
