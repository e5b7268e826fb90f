# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The consume loop with a real broker and a real database: no record is lost or handled twice."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

import pytest
from aiokafka import TopicPartition
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient
from prometheus_client import REGISTRY

from services.chassis import consumer_client
from services.chassis.batches import Handler, Subscription
from services.chassis.consumer import Consumer
from services.chassis.consumer_client import (
    BUSY_MILLISECONDS,
    REST_SECONDS,
    RESTING_MILLISECONDS,
    connect_assigned,
)
from services.chassis.database import Connection, Database
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.halts import resume_partition
from services.chassis.kafka import Producer, partition_of, stop_client
from services.chassis.kafka_message import Message
from services.chassis.leases import TTL, Leases, advance
from services.chassis.loop_monitor import LoopMonitor
from services.chassis.outbox import Outbox
from services.chassis.replica import Replica, identify_replica
from services.chassis.settings import DeadLetters, Http, Kafka
from services.chassis.time_slices import pause_if_long
from services.chassis.topics import Cluster, TopicSpec, ensure_topics
from services.devstack.embedded.postgres import EmbeddedPostgres
from tests.conftest import PATIENCE

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


async def bury_letters(connection: Connection, records: Sequence[Record], now: datetime) -> None:
    """As a service's handler does with what it cannot read."""
    for record in records:
        if (record.value or b"").startswith(b"bad"):
            await dead_letter_record(connection, OUTBOX, record, reason="bad")
    await store(
        connection, [record for record in records if not (record.value or b"").startswith(b"bad")], now
    )


@asynccontextmanager
async def consuming(
    database: Database,
    kafka: Kafka,
    cluster: Cluster,
    topic: str,
    owner: str,
    *,
    handler: Handler = store,
    limits: DeadLetters | None = None,
) -> AsyncGenerator[Consumer]:
    consumer = Consumer(
        database=database,
        kafka=kafka,
        cluster=cluster,
        outbox=OUTBOX,
        owner=owner,
        subscription=Subscription("test", [topic], handler, lambda: None, limits or DeadLetters()),
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


async def test_a_fetch_at_rest_is_held_long_and_ends_with_the_first_record(
    chassis_database: Database,
    kafka_settings: Kafka,
    topic_name: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broker answers one request of a connection after the other: the ends show that it holds the fetch."""
    topic = topic_name("held")
    cluster = await ensure_topics(kafka_settings, [TopicSpec(topic)])
    partitions = [TopicPartition(topic, part) for part in range(cluster.partitions[topic])]
    client = await connect_assigned(
        kafka_settings, Leases(chassis_database, cluster.id, "test", "a"), partitions
    )
    loop, held_seconds = asyncio.get_running_loop(), 20.0
    try:
        client.resume(*partitions)
        client.hold_fetches(int(held_seconds * 1000))
        await client.getmany(*partitions, timeout_ms=1000)  # meanwhile the brief fetch before it ends
        asking = asyncio.create_task(client.end_offsets(partitions))
        reading = asyncio.create_task(client.getmany(*partitions, timeout_ms=int(held_seconds * 1000)))
        done, _ = await asyncio.wait([asking, reading], timeout=2)
        assert not done

        began = loop.time()
        await produce(kafka_settings, topic, ["first"])
        found = await reading
        assert loop.time() - began < held_seconds / 2
        assert [record.value for records in found.values() for record in records] == [b"first"]
        assert sorted((await asking).values())[-2:] == [0, 1]

        held: list[int] = []
        now = [100.0]
        monkeypatch.setattr(client, "hold_fetches", held.append)
        monkeypatch.setattr(consumer_client, "monotonic", lambda: now[0])
        for seconds, has_records in ((0.0, True), (REST_SECONDS - 0.1, False), (0.2, False), (0.0, True)):
            now[0] += seconds
            client.adapt(has_records=has_records)
        assert held == [BUSY_MILLISECONDS, BUSY_MILLISECONDS, RESTING_MILLISECONDS, BUSY_MILLISECONDS]
    finally:
        await stop_client(client)


async def test_a_reader_that_waits_is_interrupted_and_loses_no_record(
    chassis_database: Database, kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("interrupted")
    cluster = await ensure_topics(kafka_settings, [TopicSpec(topic)])
    partitions = [TopicPartition(topic, part) for part in range(cluster.partitions[topic])]
    leases = Leases(chassis_database, cluster.id, "test", "a")
    client = await connect_assigned(kafka_settings, leases, partitions)
    try:
        client.resume(*partitions)
        reading = [asyncio.create_task(client.read(partition, 10, 600)) for partition in partitions]
        done, _ = await asyncio.wait(reading, timeout=1)
        assert not done
        client.interrupt()
        assert [list(records) for records in await asyncio.gather(*reading)] == [[] for _ in partitions]

        await produce(kafka_settings, topic, ["first"])
        found: list[bytes] = []
        async with asyncio.timeout(60 * PATIENCE):
            while not found:
                read = await asyncio.gather(*(client.read(partition, 10, 0.2) for partition in partitions))
                found += [record.value for records in read for record in records]
        assert found == [b"first"]
    finally:
        await stop_client(client)


async def test_two_replicas_share_the_partitions(
    database: Database, kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("shared")
    cluster = await ensure_topics(kafka_settings, [TopicSpec(topic)])

    async with (
        consuming(database, kafka_settings, cluster, topic, "a"),
        consuming(database, kafka_settings, cluster, topic, "b"),
    ):
        async with asyncio.timeout(20 * PATIENCE):
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
        async with asyncio.timeout(20 * PATIENCE):
            while REGISTRY.get_sample_value(
                "drumbeat_partition_halted", {"topic": topic, "partition": "0"}
            ) != 1.0 or not await until(database, 1):
                await asyncio.sleep(0.1)

    assert {row[0] for row in await database.pool.fetch("SELECT part FROM handled")} == {1}
    assert await database.pool.fetchval("SELECT next_offset FROM consumer_offset WHERE part = 0") == 999


async def test_too_many_dead_letters_halt_the_partition_until_it_is_resumed(
    database: Database, kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    """Issue 11, A4: nothing else is buried, the other partitions are read, and a resumption goes on where it halted."""
    topic, limits = topic_name("breaker"), DeadLetters(most=5, among=100)
    cluster = await ensure_topics(kafka_settings.model_copy(update={"partitions": 2}), [TopicSpec(topic)])
    bad = [value for n in range(60) if partition_of((value := f"bad{n}").encode(), 2) == 0]
    good = [f"v{n}" for n in range(30)]

    def consumer_of(owner: str) -> AbstractAsyncContextManager[Consumer]:
        return consuming(database, kafka_settings, cluster, topic, owner, handler=bury_letters, limits=limits)

    async with consumer_of("a") as consumer:
        await produce(kafka_settings, topic, bad[:5])
        assert await count_until(database, "SELECT count(*) FROM dead_letter", 5)
        assert consumer.halted() == {}

        await produce(kafka_settings, topic, [bad[5], *good])
        elsewhere = [value for value in good if partition_of(value.encode(), 2) == 1]
        assert await until(database, len(elsewhere)) == sorted(elsewhere)
        await wait_for(lambda: f"{topic}/0" in consumer.halted())
        assert "more than 5 dead letters among 100 records" in consumer.halted()[f"{topic}/0"]
        assert REGISTRY.get_sample_value("drumbeat_partition_halted", {"topic": topic, "partition": "0"}) == 1
        (stored,) = await database.pool.fetch("SELECT next_offset FROM consumer_offset WHERE part = 0")
        assert (stored[0], await database.pool.fetchval("SELECT count(*) FROM dead_letter")) == (5, 5)

    async with consumer_of("b") as consumer:
        await wait_for(lambda: f"{topic}/0" in consumer.halted())  # also after a restart
        place = TopicPartition(topic, 0)
        assert await resume_partition(database, cluster.id, TopicPartition(topic, 1), uncounted=0) is None
        assert await resume_partition(database, cluster.id, place, uncounted=0) == 5
        assert await until(database, len(good)) == sorted(good)
        assert await database.pool.fetchval("SELECT count(*) FROM dead_letter") == 6
        await produce(kafka_settings, topic, bad[6:12])
        await wait_for(lambda: f"{topic}/0" in consumer.halted())
        await resume_partition(database, cluster.id, place, uncounted=6)
        assert await count_until(database, "SELECT count(*) FROM dead_letter", 12)
        await wait_for(lambda: not consumer.halted())


@pytest.mark.timeout(120)
async def test_a_long_backlog_keeps_its_leases_while_every_connection_of_the_pool_is_busy(
    postgres: EmbeddedPostgres, database: Database, kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    """Issue 11, A5: batches last longer than a lease, and no lease ends."""
    topic = topic_name("backlog")
    cluster = await ensure_topics(kafka_settings.model_copy(update={"partitions": 2}), [TopicSpec(topic)])
    await produce(kafka_settings, topic, [f"v{n:04}" for n in range(100)])
    name = await database.pool.fetchval("SELECT current_database()")
    small = await Database.open(postgres.url, name, pool_size=2)

    async def linger(connection: Connection, records: Sequence[Record], now: datetime) -> None:
        await connection.execute("SELECT pg_sleep($1)", TTL + 1)
        await store(connection, records, now)

    async with consuming(small, kafka_settings, cluster, topic, "a", handler=linger) as consumer:
        rival = Leases(database, cluster.id, "test", "rival")
        await count_until(database, "SELECT count(*) FROM consumer_lease WHERE owner = 'a'", 2)
        seconds = 0.0
        while not await database.pool.fetchval("SELECT count(*) FROM handled"):
            assert await rival.take(2, []) == []
            await asyncio.sleep(0.2)
            seconds += 0.2
        assert await until(database, 100)
        assert consumer.halted() == {}
    await small.close()
    assert seconds > TTL
    epochs = await database.pool.fetch("SELECT epoch FROM consumer_lease")
    assert {row[0] for row in epochs} == {1}


def test_a_process_that_computes_for_long_gives_others_their_turns() -> None:
    """Issue 11, A5: whatever computes at once shares one slice, so that the loop turns on."""

    async def compute(steps: int) -> None:
        for _ in range(steps):
            await pause_if_long()
            until_then = time.thread_time() + 0.002
            while time.thread_time() < until_then:
                pass

    async def compute_and_watch() -> float:
        monitor = LoopMonitor()
        watching = asyncio.create_task(monitor.run())
        await asyncio.gather(*(compute(150) for _ in range(4)))
        watching.cancel()
        return monitor.longest_computation

    assert asyncio.run(compute_and_watch()) < 0.25


async def test_positions_are_committed_to_a_consumer_group_that_other_clients_see(
    database: Database, kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    """Issue 11, A11: read with librdkafka's admin client, as lag exporters do."""
    topic = topic_name("positions")
    cluster = await ensure_topics(kafka_settings.model_copy(update={"partitions": 2}), [TopicSpec(topic)])
    values = [f"v{n}" for n in range(20)]
    await produce(kafka_settings, topic, values)
    admin = AdminClient({"bootstrap.servers": kafka_settings.bootstrap_servers or ""})

    def committed() -> dict[int, int]:
        found = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("drumbeat.test")])
        places = found["drumbeat.test"].result(20).topic_partitions
        return {place.partition: place.offset for place in places if place.topic == topic}

    async with consuming(database, kafka_settings, cluster, topic, "a"):
        await until(database, 20)
        expected = Counter(partition_of(value.encode(), 2) for value in values)
        async with asyncio.timeout(30 * PATIENCE):
            while await asyncio.to_thread(committed) != expected:
                await asyncio.sleep(0.2)


async def test_hosts_of_one_name_share_no_lease_and_a_successor_waits_for_none(
    chassis_database: Database,
) -> None:
    """Issue 11, A9."""
    here = identify_replica(Http(port=1234))
    successor = identify_replica(Http(port=1234))
    elsewhere = Replica(here.name, "0123456789abcdef", "00000000")  # another host with the same name
    assert here.seat == successor.seat
    assert len({each.owner for each in (here, successor, elsewhere)}) == 3
    leases = {
        each: Leases(chassis_database, "cluster", "test", each.owner) for each in (here, successor, elsewhere)
    }
    partitions = [TopicPartition("topic", part) for part in range(2)]
    await leases[here].enrol(dict.fromkeys(partitions, 0))
    (own,) = await leases[here].take(1, [])
    (other,) = await leases[elsewhere].take(2, [])
    await leases[here].renew()
    await leases[elsewhere].renew()

    await leases[elsewhere].take_over()
    assert (await leases[here].survey()) == (2, {own.partition: own.epoch})
    assert await leases[successor].take(2, []) == []
    await leases[successor].take_over()
    assert [claim.partition for claim in await leases[successor].take(2, [])] == [own.partition]
    assert (await leases[elsewhere].survey())[1] == {other.partition: other.epoch}


async def count_until(database: Database, statement: str, count: int) -> bool:
    async with asyncio.timeout(30 * PATIENCE):
        while await database.pool.fetchval(statement) != count:
            await asyncio.sleep(0.05)
    return True


async def wait_for(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30 * PATIENCE):
        while not is_true():
            await asyncio.sleep(0.05)
