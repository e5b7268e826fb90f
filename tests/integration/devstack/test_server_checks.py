"""The doctor finds a partition that nobody advances, on a real broker and a real database (A10)."""

from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaProducer

from services.chassis.database import Database, database_url
from services.chassis.settings import Kafka
from services.chassis.topics import TopicSpec, ensure_topics
from services.devstack.check import Check
from services.devstack.embedded.ports import free_ports
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.devstack.server_checks import check_positions, measure_positions
from services.devstack.supervisor.start_report import problems_of_positions

pytestmark = pytest.mark.integration
STAND = """
INSERT INTO consumer_offset (cluster, grp, topic, part, next_offset, updated_at, halted)
VALUES ($1, 'scheduler', $2, $3, $4, clock_timestamp() - make_interval(secs => $5), $6)
"""


async def test_a_partition_is_stuck_when_its_next_record_is_not_read_for_a_minute(
    chassis_database: Database,
    postgres: EmbeddedPostgres,
    kafka_settings: Kafka,
    topic_name: Callable[[str], str],
) -> None:
    topic = topic_name("stuck")
    kafka = kafka_settings.model_copy(update={"partitions": 4})
    cluster = (await ensure_topics(kafka, [TopicSpec(topic)])).id
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers or "") as producer:
        for partition in range(4):
            await producer.send_and_wait(topic, b"{}", partition=partition)  # pyright: ignore[reportUnknownMemberType]
    async with chassis_database.transaction() as connection:
        await connection.execute(STAND, cluster, topic, 0, 0, 300.0, None)  # stuck
        await connection.execute(STAND, cluster, topic, 1, 1, 300.0, None)  # has read everything
        await connection.execute(STAND, cluster, topic, 2, 0, 5.0, None)  # is at work
        await connection.execute(STAND, cluster, topic, 3, 0, 300.0, "dead letters")  # said elsewhere
        await connection.execute(STAND, "another cluster", topic, 2, 0, 300.0, None)
        name = str(await connection.fetchval("SELECT current_database()"))

    checks = [
        check async for check in check_positions({"scheduler": database_url(postgres.url, name)}, kafka)
    ]

    (check,) = checks
    assert check.name == "scheduler"
    assert check.result.startswith(f"the partition {topic}/0 is stuck at offset 0 for 30")
    assert "docs/runbook.md" in check.remedy

    await chassis_database.pool.execute("UPDATE consumer_offset SET next_offset = 1")
    checks = [
        check async for check in check_positions({"scheduler": database_url(postgres.url, name)}, kafka)
    ]
    assert checks == [Check("positions", "every service has read its partitions")]


async def test_positions_that_could_not_be_measured_are_no_success() -> None:
    """A10: nothing listens at these addresses."""
    database, broker = (f"127.0.0.1:{port}" for port in free_ports(2))
    kafka = Kafka(bootstrap_servers=broker)
    (check,) = await measure_positions(f"postgresql://drumbeat@{database}/", kafka)
    assert check.result.startswith("not measured (")
    assert check.remedy
    (sentence,) = await problems_of_positions(f"postgresql://drumbeat@{database}/", kafka)
    assert sentence == f"positions: {check.result}: {check.remedy}"
