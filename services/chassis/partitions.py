"""Tables partitioned by month: partitions are made ahead, and old ones are dropped whole.

A partition that is dropped costs nothing, where deleting its rows writes each of them. Rows outside every month
(told much later, or dated far ahead by a fast service clock) are in the default partition; its old rows are deleted.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from services.chassis.clock import monotonic
from services.chassis.clock import real_now as host_now
from services.chassis.database import Connection, Database, real_now
from services.chassis.loops import Loop

log = structlog.get_logger(__name__)

MONTHS_AHEAD = 3
INTERVAL_SECONDS = 600.0  # real time
BATCH_ROWS = 5_000  # rows of the default partition that one pass deletes
WAIT_FOR_LOCK = "300ms"  # whoever uses the table goes first; the next pass tries again
PARTITIONS = """
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = $1::text::regclass
"""
DEFAULT = "DEFAULT"


@dataclass(frozen=True, slots=True)
class PartitionedTable:
    """A table partitioned by range of `column`, a timestamptz, with a default partition `<name>_default`.

    `storage`: storage parameters of a partition, like `fillfactor = 70`, which a partitioned table itself cannot have.
    """

    name: str
    column: str
    storage: str = ""

    def default_partition(self) -> str:
        return f"{self.name}_default"


def month_start(moment: datetime, months: int = 0) -> datetime:
    """The first moment of the month (UTC) that is so many months after that of `moment`."""
    utc = moment.astimezone(UTC)
    years, month = divmod(utc.year * 12 + utc.month - 1 + months, 12)
    return datetime(years, month + 1, 1, tzinfo=UTC)


async def ensure_partitions(connection: Connection, table: PartitionedTable, now: datetime) -> list[str]:
    """Make the partitions of this month and the next ones; returns the names of the new ones.

    A month of which the default partition has rows already gets none: its rows stay where they are.
    """
    bounds = [_upper_bound(row[1]) for row in await connection.fetch(PARTITIONS, table.name)]
    made: list[str] = []
    for ahead in range(MONTHS_AHEAD + 1):
        start, end = month_start(now, ahead), month_start(now, ahead + 1)
        # A partition that was attached by a migration may reach over several months.
        if any(bound is not None and bound >= end for bound in bounds):
            continue
        if await connection.fetchval(
            f"SELECT EXISTS (SELECT FROM {table.default_partition()} WHERE {table.column} >= $1 AND {table.column} < $2)",
            start,
            end,
        ):
            continue
        made.append(await _attach(connection, table, start, end))
    return made


async def _attach(connection: Connection, table: PartitionedTable, start: datetime, end: datetime) -> str:
    """Attached, not created as a partition: that would lock the whole table against reading."""
    name = f"{table.name}_{start:%Y_%m}"
    storage = f" WITH ({table.storage})" if table.storage else ""
    await connection.execute(
        f"CREATE TABLE {name} (LIKE {table.name} INCLUDING ALL EXCLUDING INDEXES){storage}"
    )
    await connection.execute(
        f"ALTER TABLE {table.name} ATTACH PARTITION {name}"
        f" FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
    )
    return name


async def drop_partitions(connection: Connection, table: PartitionedTable, before: datetime) -> list[str]:
    """Drop the partitions with nothing newer than `before`, and some old rows of the default one; their names."""
    dropped: list[str] = []
    for name, expression in await connection.fetch(PARTITIONS, table.name):
        bound = _upper_bound(expression)
        if bound is not None and bound <= before:
            await connection.execute(f'DROP TABLE "{name}"')
            dropped.append(name)
    default, column = table.default_partition(), table.column
    await connection.execute(
        f"DELETE FROM {default} WHERE ctid = ANY"
        f" (ARRAY(SELECT ctid FROM {default} WHERE {column} < $1 LIMIT {BATCH_ROWS}))",
        before,
    )
    return dropped


def _upper_bound(expression: str) -> datetime | None:
    """The end of a partition from its bounds as PostgreSQL prints them; None of the default partition."""
    if expression == DEFAULT:
        return None
    found = re.search(r"TO \('([^']+)'\)", expression)
    if found is None:
        raise ValueError(f"a partition without an end: {expression}")
    return datetime.fromisoformat(found[1])


def oldest_kept(real: datetime, keep: timedelta, at: Callable[[datetime], datetime]) -> datetime:
    """The moment on the clock of `at` before which rows are dropped: `keep` counts real time, or more of it."""
    return min(at(real - keep), at(real) - keep)


def partition_loop(
    database: Database,
    table: PartitionedTable,
    *,
    keep: timedelta,
    at: Callable[[datetime], datetime] = lambda real: real,
) -> Loop:
    """A loop that makes the partitions ahead and drops those older than `keep`.

    `at` maps the real clock to the clock of the column, for columns in service time. A pass that a step of a standing
    clock asks for within the month of the last one, and within its interval, has nothing to do.
    """
    month_done: datetime | None = None
    done_at = 0.0

    async def run_once() -> float | None:
        nonlocal month_done, done_at
        async with database.transaction() as connection:
            await connection.execute(f"SET LOCAL lock_timeout = '{WAIT_FOR_LOCK}'")
            # Replicas take turns: two that make one partition would fail on its name.
            if not await connection.fetchval(
                "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", f"partitions of {table.name}"
            ):
                return None
            real = await real_now(connection)
            made = await ensure_partitions(connection, table, at(real))
            dropped = await drop_partitions(connection, table, oldest_kept(real, keep, at))
        month_done, done_at = month_start(at(real)), monotonic()
        if made or dropped:
            log.info("partitions.changed", table=table.name, made=made, dropped=dropped)
        return None

    async def run_or_wait() -> float | None:
        rest = INTERVAL_SECONDS - (monotonic() - done_at)
        if rest > 0 and month_start(at(host_now())) == month_done:
            return rest
        try:
            return await run_once()
        except asyncpg.LockNotAvailableError:
            return 5.0

    return Loop(f"partitions of {table.name}", interval=INTERVAL_SECONDS, run_once=run_or_wait)
