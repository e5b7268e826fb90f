"""Old rows leave, young ones stay."""

import pytest

from services.chassis.database import Database
from services.chassis.pruning import PIECE, prune_loop

pytestmark = pytest.mark.integration


async def test_only_what_is_older_than_its_time_leaves(chassis_database: Database) -> None:
    pool = chassis_database.pool
    await pool.execute(
        "INSERT INTO inbox SELECT int8send(n), clock_timestamp() - interval '41 days' FROM generate_series(1, $1) n",
        PIECE + 1,
    )
    await pool.execute("INSERT INTO inbox SELECT int8send(0), clock_timestamp() - interval '39 days'")
    loop = prune_loop(chassis_database, "inbox", "seen_at")

    first, second = await loop.run_once(), await loop.run_once()

    assert (first, second) == (0, None)
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 1
