"""What waits without anybody failing is measured: records in the outbox, partitions that no replica reads."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from services.chassis.backlog import backlog_loop
from services.chassis.batches import Subscription
from services.chassis.database import Connection, Database
from services.chassis.dead_letters import Record
from services.chassis.outbox import Outbox, Outgoing

pytestmark = pytest.mark.integration


async def ignore(_: Connection, __: Sequence[Record], ___: datetime) -> None:
    """A handler that is not called."""


async def test_the_oldest_record_and_the_partitions_without_a_reader_are_measured(
    chassis_database: Database,
) -> None:
    pool = chassis_database.pool
    loop = backlog_loop(
        chassis_database, "this", [Subscription("readers", ["facts"], ignore, after_commit=lambda: None)]
    )

    async def measured() -> tuple[float | None, float | None]:
        assert await loop.run_once() is None
        oldest = REGISTRY.get_sample_value("drumbeat_outbox_oldest_seconds")
        return oldest, REGISTRY.get_sample_value("drumbeat_partitions_unowned", {"group": "readers"})

    assert await measured() == (0, 0)
    async with chassis_database.transaction() as connection:
        noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
        await Outbox("/test").append(connection, [Outgoing("t", "k", "1", "x.v1", noon, b"{}")] * 2)
    await pool.execute(
        "UPDATE outbox SET created_at = clock_timestamp() - interval '10 minutes' WHERE id = (SELECT min(id) FROM outbox)"
    )
    # Owned, free, expired and halted; of another cluster, of a topic that is no longer read, of another group.
    await pool.execute(
        """
        INSERT INTO consumer_offset (cluster, grp, topic, part, next_offset, halted) VALUES
            ('this', 'readers', 'facts', 0, 0, NULL), ('this', 'readers', 'facts', 1, 0, NULL),
            ('this', 'readers', 'facts', 2, 0, NULL), ('this', 'readers', 'facts', 3, 0, 'too many dead letters'),
            ('other', 'readers', 'facts', 0, 0, NULL), ('this', 'readers', 'former', 0, 0, NULL),
            ('this', 'others', 'facts', 0, 0, NULL)
        """
    )
    await pool.execute(
        """
        INSERT INTO consumer_lease (cluster, grp, topic, part, owner, leased_until)
        SELECT cluster, grp, topic, part, CASE WHEN part IN (0, 2) AND topic = 'facts' AND cluster = 'this'
            AND grp = 'readers' THEN 'a' END,
            clock_timestamp() + (CASE part WHEN 2 THEN -1 ELSE 60 END) * interval '1 second'
        FROM consumer_offset
        """
    )

    oldest, unowned = await measured()

    assert unowned == 2
    assert oldest is not None
    assert 600 <= oldest < 700
    await pool.execute("DELETE FROM outbox")
    assert (await measured())[0] == 0
