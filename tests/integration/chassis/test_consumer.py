"""The consume loop with a real broker and a real database: no record is lost or handled twice."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import pytest
from aiokafka import TopicPartition
from prometheus_client import REGISTRY

from services.chassis.batches import Subscription
from services.chassis.consumer import Consumer
from services.chassis.database import Connection, Database
from services.chassis.dead_letters import Record
from services.chassis.kafka import Message, Producer
from services.chassis.leases import Leases, advance
from services.chassis.outbox import Outbox
from services.chassis.settings import Kafka
from services.chassis.topics import Cluster, TopicSpec, ensure_topics

pytestmark = pytest.mark.integration

OUTBOX = Outbox("/test")


@pytest.fixture
async def database(chassis_database: Database) -> Database:
    await chassis_database.pool.execute("CREATE TABLE handled (value text, part int, at bigint)")
    return chassis_database


async def store(connection: Connection, records: Sequence[Record], now: datetime) -> None:
    if any(record.value == b"poison" for record in records):
        raise ValueError("poison")
    await connection.execute(
        "INSERT INTO handled SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[])",
        [(record.value or b"").decode() for record in records],
        [record.partition for record in records],
        [record.offset for record in records],
    )


@asynccontextmanager
async def consuming(
    database: Database, kafka: Kafka, cluster: Cluster, topic: str, owner: str
) -> AsyncGenerator[Consumer]:
    consumer = Consumer(
        database=database,
        kafka=kafka,
        cluster=cluster,
        outbox=OUTBOX,
        owner=owner,
        subscription=Subscription("test", [topic], store, lambda: None),
    )
    task = asyncio.create_task(consumer.run())
    yield consumer
    consumer.stop()
    await task


async def produce(kafka: Kafka, topic: str, values: Sequence[str]) -> None:
    producer = Producer(kafka, client_id="test")
    sent = await producer.send([Message(topic, v.encode(), v.encode(), []) for v in values], timeout=20)
    assert all(sent)
    await producer.stop()


async def until(database: Database, count: int, *, seconds: float = 30) -> list[str]:
    async with asyncio.timeout(seconds):
        while True:
            rows = await database.pool.fetch("SELECT value FROM handled")
            if len(rows) >= count:
                return sorted(row[0] for row in rows)
            await asyncio.sleep(0.05)


async def test_every_record_is_handled_once(
    database: Database, kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("once")
    cluster = await ensure_topics(kafka_settings, [TopicSpec(topic)])
    values = [f"v{n:04}" for n in range(1000)]
    await produce(kafka_settings, topic, values)

    async with consuming(database, kafka_settings, cluster, topic, "a"):
        assert await until(database, 1000) == values

    async with consuming(database, kafka_settings, cluster, topic, "b"):
        await produce(kafka_settings, topic, ["more"])
        assert await until(database, 1001) == ["more", *values]


async def test_two_replicas_share_the_partitions(
    database: Database, kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("shared")
    cluster = await ensure_topics(kafka_settings, [TopicSpec(topic)])

    async with (
        consuming(database, kafka_settings, cluster, topic, "a"),
        consuming(database, kafka_settings, cluster, topic, "b"),
    ):
        async with asyncio.timeout(20):
            while True:
                rows = await database.pool.fetch(
                    "SELECT owner, count(*) FROM consumer_lease GROUP BY owner ORDER BY owner"
                )
                if [(row[0], row[1]) for row in rows] == [("a", 6), ("b", 6)]:
                    break
                await asyncio.sleep(0.1)
        values = [f"v{n:04}" for n in range(500)]
        await produce(kafka_settings, topic, values)
        assert await until(database, 500) == values


async def test_only_the_record_that_fails_becomes_a_dead_letter(
    database: Database, kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("poison")
    cluster = await ensure_topics(kafka_settings.model_copy(update={"partitions": 1}), [TopicSpec(topic)])
    values = [f"v{n:04}" for n in range(50)]
    await produce(kafka_settings, topic, [*values[:25], "poison", *values[25:]])

    async with consuming(database, kafka_settings, cluster, topic, "a"):
        assert await until(database, 50) == values

    dead_letters = await database.pool.fetch("SELECT value, reason FROM dead_letter")
    assert [(row[0], "ValueError('poison')" in row[1]) for row in dead_letters] == [(b"poison", True)]
    assert await database.pool.fetchval("SELECT count(*) FROM outbox WHERE topic = 'dead.letters'") == 1


async def test_a_claim_that_was_taken_over_writes_nothing(chassis_database: Database) -> None:
    here = Leases(chassis_database, "cluster", "test", "here")
    there = Leases(chassis_database, "cluster", "test", "there")
    await here.enrol({TopicPartition("topic", 0): 5})
    (frozen,) = await here.take(1, [])
    await chassis_database.pool.execute("UPDATE consumer_lease SET leased_until = '-infinity'")

    (taken_over,) = await there.take(1, [])

    async with chassis_database.transaction() as connection:
        assert not await advance(connection, here, frozen, to=9)
    async with chassis_database.transaction() as connection:
        assert await advance(connection, there, taken_over, to=7)
    assert (frozen.next_offset, taken_over.next_offset, taken_over.epoch) == (5, 5, frozen.epoch + 1)


async def test_a_stored_offset_that_the_broker_does_not_have_halts_only_its_partition(
    database: Database, kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("halted")
    cluster = await ensure_topics(kafka_settings.model_copy(update={"partitions": 2}), [TopicSpec(topic)])
    await Leases(database, cluster.id, "test", "a").enrol(
        {TopicPartition(topic, 0): 999, TopicPartition(topic, 1): 0}
    )
    values = [f"v{n:04}" for n in range(100)]
    await produce(kafka_settings, topic, values)

    async with consuming(database, kafka_settings, cluster, topic, "a"):
        async with asyncio.timeout(20):
            while REGISTRY.get_sample_value(
                "drumbeat_partition_halted", {"topic": topic, "partition": "0"}
            ) != 1.0 or not await until(database, 1):
                await asyncio.sleep(0.1)

    assert {row[0] for row in await database.pool.fetch("SELECT part FROM handled")} == {1}
    assert await database.pool.fetchval("SELECT next_offset FROM consumer_offset WHERE part = 0") == 999
