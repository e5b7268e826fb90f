"""Old rows are deleted, young ones stay."""

import pytest

from services.chassis.database import Database
from services.chassis.pruning import BATCH_ROWS, prune_loop

pytestmark = pytest.mark.integration


async def test_only_rows_older_than_the_retention_are_deleted(chassis_database: Database) -> None:
    pool = chassis_database.pool
    await pool.execute(
        "INSERT INTO inbox SELECT int8send(n), clock_timestamp() - interval '41 days' FROM generate_series(1, $1) n",
        BATCH_ROWS + 1,
    )
    await pool.execute("INSERT INTO inbox SELECT int8send(0), clock_timestamp() - interval '39 days'")
    loop = prune_loop(chassis_database, "inbox", "seen_at")

    first, second = await loop.run_once(), await loop.run_once()

    assert (first, second) == (0, None)
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 1
