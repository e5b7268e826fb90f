"""A calendar with many rows, written in a few statements."""

from datetime import datetime

from services.chassis.database import Database
from services.scheduler.adapters.rows import NAMES

ALL = ", ".join(NAMES)
# Of ten rows seven are planned; of a thousand a few are due; the others are closed. Every hundredth is of nobody.
TOUCHPOINTS = """
INSERT INTO touchpoint (id, account_id, type, origin, number, status, due_at, released_at, start_at, end_at, owner,
    csm_id, minutes, pinned, sequence, face, changed_at, change_xid)
SELECT md5('t' || i)::uuid, 'acc-' || i % 5000, 'type-' || i % 20, 'one_off', i, status, at,
    CASE WHEN status <> 'planned' THEN at END, at, at + interval '7 days',
    CASE WHEN i % 2 = 0 THEN 'csm' ELSE 'automation' END,
    CASE WHEN i % 2 = 0 AND i % 100 > 0 THEN 'csm-' || i % 250 END, 30, false, 1, $3::jsonb, at, '3'
FROM (
    SELECT i, CASE WHEN i % 10 < 7 THEN 'planned' WHEN i % 1000 = 998 THEN 'due' WHEN i % 1000 = 988 THEN 'overdue'
        WHEN i % 100 = 97 THEN 'cancelled' ELSE 'settled' END AS status
    FROM generate_series(1, $1::int) i
) n, LATERAL (
    SELECT $2::timestamptz + (CASE WHEN status = 'planned' THEN 1 ELSE -1 END) * (i % 100000) * interval '5 minutes' AS at
) due
"""
NARROW = (
    "INSERT INTO agenda SELECT due_at, id FROM touchpoint WHERE status = 'planned'",
    """
    INSERT INTO due_touchpoint SELECT due_at, id, csm_id, type FROM touchpoint WHERE status IN ('due', 'overdue')
    """,
    """
    INSERT INTO closed_touchpoint SELECT status, due_at, id, type FROM touchpoint
    WHERE status IN ('settled', 'cancelled')
    """,
    "INSERT INTO change (xid, id, changed_at) SELECT '3', id, changed_at FROM touchpoint",
    "INSERT INTO person (csm_id, version, name) SELECT 'csm-' || i, 1, 'CSM' FROM generate_series(0, 240) i",
    "INSERT INTO account_calendar (account_id) SELECT 'acc-' || i FROM generate_series(0, 4999) i",
    f"""
    INSERT INTO archived_touchpoint ({ALL})
    SELECT {ALL.replace("due_at", "due_at - interval '3 years'", 1).replace("id", "gen_random_uuid()", 1)}
    FROM touchpoint WHERE status IN ('settled', 'cancelled') AND number % 3 = 0
    """,
)


async def fill(database: Database, rows: int, now: datetime, content: str) -> None:
    """Store so many touchpoints around a moment, as the scheduler would, and some in the archive."""
    await database.pool.execute(TOUCHPOINTS, rows, now, content)
    for statement in NARROW:
        await database.pool.execute(statement)
