"""Receipts deleted by age beside receipts written, and what a table of them weighs after days of both (docs/adr/0019)."""

import argparse
import time
from datetime import timedelta
from statistics import median
from typing import Final

from services.chassis.database import Database
from services.chassis.pruning import prune_loop
from tests.benchmarks.figures import Figure, ratio_of_rounds
from tests.stack import Stack

KEPT_DAYS: Final = 40
BATCH: Final = 2000  # events of a batch of the engine
LEAST_RATIO: Final = 1.0
MOST_GROWTH: Final = 1.3
# Random identities, as digests are; a tenth with the id of a decision. $1: before which day, $2: how many.
WRITE: Final = """
INSERT INTO receipt (identity, content, state, decision, seen_at)
SELECT decode(md5(random()::text || i), 'hex'), substring(decode(md5(random()::text), 'hex') FOR 8), 1,
    CASE WHEN i % 10 = 0 THEN gen_random_uuid() END, clock_timestamp() - make_interval(days => $1)
FROM generate_series(1, $2::int) i ON CONFLICT DO NOTHING
"""
SIZE: Final = "SELECT pg_total_relation_size('receipt')"


async def run(stack: Stack, arguments: argparse.Namespace) -> list[Figure]:
    """Three days: of each as many receipts fall due as are written; then the server cleans up, as it does by itself."""
    a_day = 20_000 if arguments.quick else arguments.pruned
    database = await Database.open(stack.postgres.url, "drumbeat_rules")
    try:
        # The oldest days have what will be deleted, the others what stays between; in their order, as time writes them.
        for days_ago in (KEPT_DAYS + 3, KEPT_DAYS + 2, KEPT_DAYS + 1, 20):
            await _write(database, days_ago, a_day)
        await database.pool.execute("VACUUM (ANALYZE) receipt")
        began_with = await database.pool.fetchval(SIZE)
        rounds = [await _day(database, number, a_day) for number in range(3)]
        ended_with = await database.pool.fetchval(SIZE)
    finally:
        await database.close()
    deleted, written = ([each[name] for each in rounds] for name in ("deleted", "written"))
    return [
        Figure(
            "receipts deleted by age",
            median(deleted),
            median(written),
            ratio_of_rounds(deleted, written),
            "/s",
            "receipts written in batches of 2,000",
            at_least=LEAST_RATIO,
            more={"rounds": rounds},
        ),
        Figure(
            "a table of receipts after three days of both",
            ended_with / 1e6,
            began_with / 1e6,
            ended_with / began_with,
            " MB",
            "the same number of rows before",
            at_most=MOST_GROWTH,
            more={"rows": 4 * a_day},
        ),
    ]


async def _write(database: Database, days_ago: int, rows: int) -> float:
    """Rows a second, in batches of the size of the engine's."""
    began = time.perf_counter()
    for _ in range(0, rows, BATCH):
        await database.pool.execute(WRITE, days_ago, min(BATCH, rows))
    return rows / (time.perf_counter() - began)


async def _day(database: Database, number: int, rows: int) -> dict[str, float]:
    """Deletes the oldest day, writes one more, cleans up."""
    kept = timedelta(days=KEPT_DAYS + 2 - number, hours=12)
    loop = prune_loop(database, "receipt", "seen_at", keep=kept)
    before = await database.pool.fetchval("SELECT count(*) FROM receipt")
    began, longest = time.perf_counter(), 0.0
    while True:
        batch_began = time.perf_counter()
        more = await loop.run_once()
        longest = max(longest, time.perf_counter() - batch_began)
        if more is None:
            break
    seconds = time.perf_counter() - began
    assert before - await database.pool.fetchval("SELECT count(*) FROM receipt") == rows
    cleaning = time.perf_counter()
    await database.pool.execute("VACUUM receipt")
    cleaning = time.perf_counter() - cleaning
    written = await _write(database, 0, rows)
    return {
        "deleted": rows / seconds,
        "written": written,
        "longest_batch_seconds": longest,
        "vacuum_seconds": cleaning,
        "megabytes": await database.pool.fetchval(SIZE) / 1e6,
    }
