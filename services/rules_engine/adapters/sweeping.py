"""Whose turn it is to be judged again: by time, or because policy or book moved on."""

from datetime import datetime
from typing import cast

from services.chassis.database import Connection, Database

# Both claims skip what another replica is sweeping; an account being heard right now is judged there anyway.
DUE = """
SELECT account_id FROM account WHERE next_evaluation_at <= $1
ORDER BY next_evaluation_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
BEHIND = """
SELECT account_id FROM account WHERE decided_under < $1 AND state IS NOT NULL
ORDER BY decided_under LIMIT $2 FOR UPDATE SKIP LOCKED
"""


async def due(connection: Connection, now: datetime, limit: int) -> list[str]:
    """Accounts for whom time may have changed the answer, locked."""
    return sorted(row[0] for row in await connection.fetch(DUE, now, limit))


async def behind(connection: Connection, epoch: int, limit: int) -> list[str]:
    """Accounts decided under an older policy or book, locked."""
    return sorted(row[0] for row in await connection.fetch(BEHIND, epoch, limit))


async def next_due(database: Database) -> datetime | None:
    moment = await database.pool.fetchval("SELECT min(next_evaluation_at) FROM account")
    return cast("datetime | None", moment)
