"""Closed touchpoints leave the calendar with the change feed, and come back when somebody names them.

The change feed is the queue: when the last change of a closed touchpoint leaves it, the touchpoint moves to
`archived_touchpoint`, whose months are dropped whole. What remains of a dropped one is when its type last came due
(`archived_contact`), and the last number of its rhythm.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.chassis.database import Connection
from services.chassis.partitions import PartitionedTable
from services.scheduler.adapters.rows import NAMES

ARCHIVE: Final = PartitionedTable("archived_touchpoint", "archived_at")
FEED: Final = timedelta(days=90)
"""Real time for which changes stay in the feed."""
BATCH: Final = 2000
ALL: Final = ", ".join(NAMES)
KEPT: Final = ", ".join(name for name in NAMES if name != "change_xid")

TAKE_CHANGES = f"""
WITH old AS MATERIALIZED (
    SELECT xid, id FROM (SELECT xid, id, written_at FROM change ORDER BY xid, id LIMIT {BATCH}) oldest
    WHERE written_at < clock_timestamp() - $1::interval
)
DELETE FROM change c USING old WHERE c.xid = old.xid AND c.id = old.id RETURNING c.xid::text, c.id::text
"""
LOCK_CLOSED = """
SELECT t.id::text, greatest(t.due_at, t.end_at, t.deadline) > $3 AS is_ahead FROM touchpoint t
JOIN unnest($1::text[], $2::uuid[]) old(xid, id) ON t.id = old.id AND t.change_xid = old.xid::xid8
WHERE t.status IN ('settled', 'cancelled') ORDER BY t.id FOR UPDATE OF t
"""
MOVE = f"""
WITH moved AS (DELETE FROM touchpoint WHERE id = ANY($1::uuid[]) RETURNING {ALL}
), listed AS (
    DELETE FROM closed_touchpoint k USING moved m WHERE k.status = m.status AND k.due_at = m.due_at AND k.id = m.id
), contacts AS (
    INSERT INTO archived_contact AS c (account_id, type, due_at)
    SELECT account_id, type, max(due_at) FROM moved WHERE released_at IS NOT NULL
    GROUP BY account_id, type ORDER BY account_id, type
    ON CONFLICT (account_id, type) DO UPDATE SET due_at = greatest(c.due_at, excluded.due_at)
)
INSERT INTO archived_touchpoint ({ALL}) SELECT {ALL} FROM moved
"""
# Until its time has passed, a plan may name it again: it stays, at the end of the feed.
KEEP = """
WITH kept AS (
    UPDATE touchpoint SET change_xid = pg_current_xact_id() WHERE id = ANY($1::uuid[]) RETURNING id, changed_at
)
INSERT INTO change (xid, id, changed_at) SELECT pg_current_xact_id(), id, changed_at FROM kept
"""
BRING_BACK = f"""
WITH back AS (DELETE FROM archived_touchpoint WHERE id = ANY($1::uuid[]) RETURNING {KEPT}
), listed AS (
    INSERT INTO closed_touchpoint (status, due_at, id, type) SELECT status, due_at, id, type FROM back
), fed AS (
    INSERT INTO change (xid, id, changed_at) SELECT pg_current_xact_id(), id, changed_at FROM back
)
INSERT INTO touchpoint ({KEPT}) SELECT {KEPT} FROM back
"""


async def prune_feed(connection: Connection, now: datetime, keep: timedelta) -> bool:
    """Delete a batch of changes older than `keep` (real time), and archive what was closed by them.

    Returns whether there may be more. `now` is the service clock's.
    """
    old = await connection.fetch(TAKE_CHANGES, keep)
    closed = (
        await connection.fetch(LOCK_CLOSED, [row[0] for row in old], [row[1] for row in old], now)
        if old
        else []
    )
    ahead = [row["id"] for row in closed if row["is_ahead"]]
    over = [row["id"] for row in closed if not row["is_ahead"]]
    if ahead:
        await connection.execute(KEEP, ahead)
    if over:
        await connection.execute(MOVE, over)
    return len(old) == BATCH


async def bring_back(connection: Connection, ids: Collection[str], found: Sequence[str]) -> bool:
    """Return those of these touchpoints that are archived to the calendar; False when none is.

    `found`: those that are in it. A plan may name them again, or an outcome that arrives late changes them.
    """
    missing = sorted(set(ids).difference(found))
    return bool(missing) and await connection.execute(BRING_BACK, missing) != "INSERT 0 0"
