"""Pruning: what is kept for a time only leaves in small pieces, so that no transaction is long."""

from datetime import timedelta

from services.chassis.database import Database, real_now
from services.chassis.loops import Loop

PIECE = 5_000  # rows a statement
EVERY = 60.0  # real seconds
KEEP = timedelta(days=40)
"""Longer than Kafka's thirty days and any sender's retries: what is heard again later is no repetition."""


def prune_loop(database: Database, table: str, column: str, *, keep: timedelta = KEEP) -> Loop:
    """A loop that deletes rows of `table` whose `column` (real clock) is older than `keep`."""
    old = f"SELECT ctid FROM {table} WHERE {column} < $1 LIMIT {PIECE}"
    statement = f"DELETE FROM {table} WHERE ctid = ANY (ARRAY({old}))"

    async def run_once() -> float | None:
        async with database.transaction() as connection:
            deleted = await connection.execute(statement, await real_now(connection) - keep)
        return 0 if deleted == f"DELETE {PIECE}" else None

    return Loop(f"prune {table}", interval=EVERY, run_once=run_once)
