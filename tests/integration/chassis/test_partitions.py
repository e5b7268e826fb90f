"""Months are made ahead, old ones are dropped whole, and rows outside every month have a place."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.database import Database
from services.chassis.partitions import (
    INTERVAL_SECONDS,
    PartitionedTable,
    drop_partitions,
    ensure_partitions,
    month_start,
    oldest_kept,
    partition_loop,
)

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
EVENTS = PartitionedTable("dated", "at", storage="fillfactor = 70")


@pytest.fixture(autouse=True)
async def dated_table(chassis_database: Database) -> AsyncGenerator[None]:
    pool = chassis_database.pool
    await pool.execute(
        "CREATE TABLE dated (id int, at timestamptz, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)"
    )
    await pool.execute("CREATE TABLE dated_default PARTITION OF dated DEFAULT")
    yield
    await pool.execute("DROP TABLE dated")


async def test_the_months_ahead_are_made_once(chassis_database: Database) -> None:
    async with chassis_database.transaction() as connection:
        assert await ensure_partitions(connection, EVENTS, NOW) == [
            "dated_2026_11", "dated_2026_12", "dated_2027_01", "dated_2027_02",
        ]  # fmt: skip
        assert await ensure_partitions(connection, EVENTS, NOW) == []
        assert await ensure_partitions(connection, EVENTS, NOW + timedelta(days=10)) == ["dated_2027_03"]
    options = await chassis_database.pool.fetchval(
        "SELECT reloptions FROM pg_class WHERE relname = 'dated_2026_11'"
    )
    assert options == ["fillfactor=70"]


async def test_old_months_and_old_rows_of_no_month_are_dropped(chassis_database: Database) -> None:
    async with chassis_database.transaction() as connection:
        await ensure_partitions(connection, EVENTS, NOW)
    await chassis_database.pool.execute(
        "INSERT INTO dated VALUES (1, '2026-11-30'), (2, '2026-12-01'), (3, '2020-05-05'), (4, '2040-05-05')"
    )
    async with chassis_database.transaction() as connection:
        assert await drop_partitions(connection, EVENTS, datetime(2026, 11, 30, 23, tzinfo=UTC)) == []
        assert await drop_partitions(connection, EVENTS, datetime(2026, 12, 1, tzinfo=UTC)) == [
            "dated_2026_11"
        ]
    assert [row[0] for row in await chassis_database.pool.fetch("SELECT id FROM dated ORDER BY id")] == [2, 4]


async def test_rows_that_came_before_their_month_was_made_stay_where_they_are(
    chassis_database: Database,
) -> None:
    await chassis_database.pool.execute("INSERT INTO dated VALUES (1, '2026-12-24')")
    async with chassis_database.transaction() as connection:
        made = await ensure_partitions(connection, EVENTS, NOW)
    assert "dated_2026_12" not in made
    assert await chassis_database.pool.fetchval("SELECT count(*) FROM dated") == 1


async def test_a_table_of_before_the_upgrade_is_one_partition_until_its_last_month_ends(
    chassis_database: Database,
) -> None:
    await chassis_database.pool.execute("CREATE TABLE former (id int NOT NULL, at timestamptz NOT NULL)")
    await chassis_database.pool.execute("INSERT INTO former VALUES (1, '2024-01-01')")
    await chassis_database.pool.execute(
        "ALTER TABLE dated ATTACH PARTITION former FOR VALUES FROM (MINVALUE) TO ('2026-12-01 00:00:00+00')"
    )
    async with chassis_database.transaction() as connection:
        made = await ensure_partitions(connection, EVENTS, NOW)
        assert made[0] == "dated_2026_12"
        assert await drop_partitions(connection, EVENTS, datetime(2026, 12, 1, tzinfo=UTC)) == ["former"]


async def test_the_loop_waits_for_whoever_uses_the_table(chassis_database: Database) -> None:
    loop = partition_loop(chassis_database, EVENTS, keep=timedelta(days=30))
    async with chassis_database.transaction() as connection:
        await connection.execute("LOCK TABLE dated IN ACCESS EXCLUSIVE MODE")
        assert await loop.run_once() == 5.0
    assert await loop.run_once() is None
    months = await chassis_database.pool.fetchval(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'dated'::regclass"
    )
    assert months == 5


async def test_the_loop_looks_again_when_a_month_of_service_time_has_passed(
    chassis_database: Database,
) -> None:
    now = NOW
    loop = partition_loop(chassis_database, EVENTS, keep=timedelta(days=30), at=lambda _: now)

    async def months() -> int:
        count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'dated'::regclass"
        return int(await chassis_database.pool.fetchval(count))

    assert await loop.run_once() is None
    assert await months() == 5
    await chassis_database.pool.execute("DROP TABLE dated_2027_02")
    rest = await loop.run_once()
    assert rest is not None
    assert 0 < rest <= INTERVAL_SECONDS
    assert await months() == 4
    now += timedelta(days=3)
    assert await loop.run_once() is None
    assert await months() == 6


def test_months_begin_at_midnight_in_utc() -> None:
    late = datetime.fromisoformat("2026-12-31T23:30:00-05:00")
    assert month_start(late) == datetime(2027, 1, 1, tzinfo=UTC)
    assert month_start(NOW, 2) == datetime(2027, 1, 1, tzinfo=UTC)


def test_retention_counts_real_time_on_a_fast_clock_and_drops_nothing_on_one_that_stands() -> None:
    keep = timedelta(days=30)

    assert oldest_kept(NOW, keep, lambda real: real) == NOW - keep
    assert oldest_kept(NOW, keep, lambda real: NOW + 100 * (real - NOW)) == NOW - 100 * keep
    assert oldest_kept(NOW, keep, lambda _: NOW) == NOW - keep
