"""Pruning: expired rows are deleted in small batches, so that no transaction is long."""

from datetime import timedelta

from services.chassis.database import Database, real_now
from services.chassis.loops import Loop

BATCH_ROWS = 5_000  # rows a statement
INTERVAL_SECONDS = 60.0  # real time
KEEP = timedelta(days=40)
"""Longer than Kafka's retention of thirty days and the retries of any sender: no repetition arrives later."""


def prune_loop(database: Database, table: str, column: str, *, keep: timedelta = KEEP) -> Loop:
    """A loop that deletes rows of `table` whose `column` (real clock) is older than `keep`."""
    old_rows = f"SELECT ctid FROM {table} WHERE {column} < $1 LIMIT {BATCH_ROWS}"
    statement = f"DELETE FROM {table} WHERE ctid = ANY (ARRAY({old_rows}))"

    async def run_once() -> float | None:
        async with database.transaction() as connection:
            deleted = await connection.execute(statement, await real_now(connection) - keep)
        return 0 if deleted == f"DELETE {BATCH_ROWS}" else None

    return Loop(f"prune {table}", interval=INTERVAL_SECONDS, run_once=run_once)
