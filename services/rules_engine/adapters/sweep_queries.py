"""Which accounts are to be evaluated again: by time, or because policy or portfolio changed.

`decided_under` is the generation an account was last evaluated under; negative: it waits for a replica of that
generation, because one that is behind received an event of it. No replica claims an account of a later generation.
"""

from datetime import datetime
from typing import cast

from services.chassis.database import Connection, Database

# Both skip rows that another replica is sweeping; an account whose events are being applied is evaluated there anyway.
DUE = """
SELECT account_id FROM account WHERE next_evaluation_at <= $1 AND decided_under BETWEEN -$3::bigint AND $3
ORDER BY next_evaluation_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
BEHIND = """
SELECT account_id FROM account WHERE decided_under < $1 AND decided_under >= -$1::bigint AND state IS NOT NULL
ORDER BY decided_under LIMIT $2 FOR UPDATE SKIP LOCKED
"""
NEXT = "SELECT min(next_evaluation_at) FROM account"


async def claim(connection: Connection, now: datetime, generation: int, limit: int) -> list[str]:
    """Accounts, locked: first those whose time has come, then those evaluated under an older policy or portfolio."""
    rows = await connection.fetch(DUE, now, limit, generation)
    if len(rows) < limit:
        rows += await connection.fetch(BEHIND, generation, limit - len(rows))
    return sorted({row[0] for row in rows})


async def next_due(database: Database) -> datetime | None:
    return cast("datetime | None", await database.pool.fetchval(NEXT))
