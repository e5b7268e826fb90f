"""Whose turn it is to be judged again: by time, or because policy or book moved on.

`decided_under` is the epoch an account was last judged under; negative, it waits for a replica of that epoch, because
one that is behind heard something of it. Nobody claims what was judged under an epoch later than their own.
"""

from datetime import datetime
from typing import cast

from services.chassis.database import Connection, Database

# Both claims skip what another replica is sweeping; an account being heard right now is judged there anyway.
DUE = """
SELECT account_id FROM account WHERE next_evaluation_at <= $1 AND decided_under BETWEEN -$3::bigint AND $3
ORDER BY next_evaluation_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
BEHIND = """
SELECT account_id FROM account WHERE decided_under < $1 AND decided_under >= -$1::bigint AND state IS NOT NULL
ORDER BY decided_under LIMIT $2 FOR UPDATE SKIP LOCKED
"""
NEXT = "SELECT min(next_evaluation_at) FROM account"


async def due(connection: Connection, now: datetime, limit: int, generation: int) -> list[str]:
    """Accounts for whom time may have changed the answer, locked."""
    return sorted(row[0] for row in await connection.fetch(DUE, now, limit, generation))


async def behind(connection: Connection, generation: int, limit: int) -> list[str]:
    """Accounts decided under an older policy or book, locked."""
    return sorted(row[0] for row in await connection.fetch(BEHIND, generation, limit))


async def next_due(database: Database) -> datetime | None:
    return cast("datetime | None", await database.pool.fetchval(NEXT))
