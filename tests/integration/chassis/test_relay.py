# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The relay with a real database and a real broker: rows leave when they are acknowledged, in order, and none blocks."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from prometheus_client import REGISTRY

from services.chassis.database import Database
from services.chassis.dead_letters import TOPIC as DEAD_LETTERS
from services.chassis.dead_letters import UNSENT, Record, dead_letter_record, list_newest, replay
from services.chassis.kafka import LARGEST_RECORD, Producer, partition_of
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.pace import FIRST, SLOW_SECONDS
from services.chassis.record_signatures import find_forgery, is_signed_event
from services.chassis.relay import RELAY_LOCK, Relay
from services.chassis.settings import Kafka
from services.chassis.topics import TopicSpec, ensure_topics
from tests.brokers import BreakableKafka
from tests.integration.chassis.records import StoredRecord, stored_records

pytestmark = pytest.mark.integration

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OUTBOX = Outbox("/test")
TopicName = Callable[[str], str]


@pytest.fixture
async def producer(kafka_settings: Kafka) -> AsyncGenerator[Producer]:
    await ensure_topics(kafka_settings, [TopicSpec(DEAD_LETTERS)])
    producer = Producer(kafka_settings, client_id="test")
    yield producer
    await producer.stop()


@pytest.fixture
def relay(chassis_database: Database, producer: Producer) -> Relay:
    return Relay(chassis_database, producer, OUTBOX)


def message(topic: str, key: str, number: int, *, size: int = 2) -> Outgoing:
    return Outgoing(topic, key, f"{key}-{number}", "drumbeat.test.v1", NOON, str(number).encode().ljust(size))


async def append(database: Database, *messages: Outgoing) -> None:
    async with database.transaction() as connection:
        await OUTBOX.append(connection, messages)


async def outbox_ids(database: Database) -> list[str]:
    """The CloudEvents ids of the rows of the outbox, oldest first."""
    rows = await database.pool.fetch("SELECT headers FROM outbox ORDER BY id")
    return [row[0].split("ce_id\x1f")[1].split("\x1e")[0] for row in rows]


async def relay_all(database: Database, relay: Relay) -> int:
    """Pass after pass until the outbox is empty; returns how many passes it took."""
    for passes in range(50):
        if not await database.pool.fetchval("SELECT count(*) FROM outbox"):
            return passes
        try:
            await relay.run_once()
        except TimeoutError:
            continue
    raise AssertionError("the outbox is not empty after 50 passes")


async def published(kafka: Kafka, topic: str) -> dict[str, list[StoredRecord]]:
    """The records of a topic by key, in their order on the partition."""
    by_key: dict[str, list[StoredRecord]] = {}
    for records in (await stored_records(kafka, topic)).values():
        for record in records:
            by_key.setdefault(record.key, []).append(record)
    return by_key


def numbers(records: list[StoredRecord]) -> list[int]:
    return [int(record.value or b"-1") for record in records]


def first_copies(values: list[int]) -> list[int]:
    """Without repetitions: a record may be sent again with the same id and content."""
    return list(dict.fromkeys(values))


async def test_rows_are_published_with_their_headers_and_every_key_keeps_its_order(
    chassis_database: Database, kafka_settings: Kafka, relay: Relay, topic_name: TopicName
) -> None:
    topic = topic_name("relayed")
    await ensure_topics(kafka_settings, [TopicSpec(topic)])
    keys = [f"key-{number}" for number in range(7)]
    await append(chassis_database, *(message(topic, keys[n % 7], n) for n in range(2100)))

    assert await relay.run_once() == 0
    assert await outbox_ids(chassis_database) == [f"{keys[n % 7]}-{n}" for n in range(FIRST, 2100)]
    # The passes grow while they are quick.
    assert await relay_all(chassis_database, relay) <= 2100 // FIRST
    assert await relay.run_once() is None

    by_key = await published(kafka_settings, topic)
    assert {key: numbers(records) for key, records in by_key.items()} == {
        key: list(range(index, 2100, 7)) for index, key in enumerate(keys)
    }
    assert by_key["key-0"][0].headers["ce_id"] == b"key-0-0"
    assert by_key["key-0"][0].headers["ce_source"] == b"/test"


@pytest.mark.timeout(120)
async def test_only_rows_before_the_first_unacknowledged_one_are_deleted(
    chassis_database: Database, folder: Path, topic_name: TopicName
) -> None:
    topic = topic_name("prefix")
    async with BreakableKafka(folder / "relay-brokers", nodes=3) as brokers:
        kafka = Kafka(bootstrap_servers=brokers.bootstrap, partitions=3, replication_factor=1)
        await ensure_topics(kafka, [TopicSpec(topic)])
        leaders = await leaders_of(kafka, topic)
        away, other = (
            next(key for key in "abcdef" if leaders[partition_of(key.encode(), 3)] == node) for node in (2, 3)
        )
        await append(
            chassis_database,
            message(topic, other, 1),
            message(topic, other, 2),
            message(topic, away, 3),
            message(topic, other, 4),
            message(topic, away, 5),
        )
        producer = Producer(kafka, client_id="test")
        relay = Relay(chassis_database, producer, OUTBOX)

        brokers.kill(2)
        with pytest.raises(TimeoutError):
            await relay.run_once()
        assert await outbox_ids(chassis_database) == [f"{away}-3", f"{other}-4", f"{away}-5"]

        await brokers.restart(2)
        await relay_all(chassis_database, relay)
        await producer.stop()
        by_key = await published(kafka, topic)

    assert first_copies(numbers(by_key[other])) == [1, 2, 4]
    assert first_copies(numbers(by_key[away])) == [3, 5]
    assert await chassis_database.pool.fetchval("SELECT count(*) FROM dead_letter") == 0


@pytest.mark.parametrize("size", [300_000, LARGEST_RECORD + 1])
async def test_a_record_too_large_for_the_broker_becomes_a_dead_letter_and_blocks_no_other(
    chassis_database: Database, kafka_settings: Kafka, relay: Relay, topic_name: TopicName, size: int
) -> None:
    topic = topic_name("limited")
    await ensure_topics(kafka_settings, [TopicSpec(topic, {"max.message.bytes": "200000"})])
    await append(
        chassis_database,
        message(topic, "a", 1),
        message(topic, "a", 2, size=size),
        message(topic, "a", 3),
        message(topic, "b", 4),
    )

    await relay_all(chassis_database, relay)

    by_key = await published(kafka_settings, topic)
    assert first_copies(numbers(by_key["a"])) == [1, 3]
    assert first_copies(numbers(by_key["b"])) == [4]
    (letter,) = await list_newest(chassis_database, before=2**62, limit=10, replayed=False)
    assert (letter["topic"], letter["partition"], letter["key"]) == (topic, UNSENT, "a")
    assert letter["headers"]["ce_id"] == "a-2"
    assert letter["reason"].startswith(f"too large to be sent ({size} bytes)")
    assert await chassis_database.pool.fetchval("SELECT length(value) FROM dead_letter") == size
    (announced,) = await announcements(kafka_settings, topic)
    assert announced.key == "a"
    assert announced.value is None
    assert announced.headers["drumbeat_reason"].startswith(b"too large to be sent")
    assert REGISTRY.get_sample_value("drumbeat_dead_letters_total", {"topic": topic}) == 1


async def test_a_dead_letter_is_sent_by_a_replay_once_the_limit_is_raised(
    chassis_database: Database, kafka_settings: Kafka, relay: Relay, topic_name: TopicName
) -> None:
    topic = topic_name("raised")
    await ensure_topics(kafka_settings, [TopicSpec(topic, {"max.message.bytes": "200000"})])
    await append(chassis_database, message(topic, "a", 1, size=300_000))
    await relay_all(chassis_database, relay)
    (letter,) = await list_newest(chassis_database, before=2**62, limit=10, replayed=False)

    await alter_topic(kafka_settings, topic, {"max.message.bytes": "400000"})
    assert await replay(chassis_database, OUTBOX, letter["id"])
    await relay_all(chassis_database, relay)

    (record,) = (await published(kafka_settings, topic))["a"]
    assert len(record.value or b"") == 300_000
    assert record.headers["ce_id"] == b"a-1"


@pytest.mark.parametrize("topic", ["audit.entries", "account.signals"])
async def test_what_is_sent_here_is_signed_and_what_is_only_sent_again_is_not(
    chassis_database: Database, kafka_settings: Kafka, producer: Producer, topic: str
) -> None:
    """A replay of what somebody forged must not make it genuine; a genuine record stays so."""
    await ensure_topics(kafka_settings, [TopicSpec(topic)])
    relay = Relay(chassis_database, producer, OUTBOX, b"a secret")
    key = f"signed-{topic}"
    forged = Record(topic, 0, 0, key.encode(), b"0", (("ce_id", b"forged"), ("ce_source", b"/test")), 0)
    async with chassis_database.transaction() as connection:
        await dead_letter_record(connection, OUTBOX, forged, reason="it is not signed")
    await append(chassis_database, message(topic, key, 1))
    await relay_all(chassis_database, relay)
    (letter,) = await list_newest(chassis_database, before=2**62, limit=10, replayed=False)
    assert await replay(chassis_database, OUTBOX, letter["id"])
    await relay_all(chassis_database, relay)

    records = (await published(kafka_settings, topic))[key]
    assert [record.headers["ce_id"] for record in records] == [f"{key}-1".encode(), b"forged"]
    found = [
        Record(topic, 0, 0, key.encode(), record.value, tuple(record.headers.items()), 0)
        for record in records
    ]
    is_genuine = [
        is_signed_event([b"a secret"], each) or find_forgery([b"a secret"], each) is None for each in found
    ]
    assert is_genuine == [True, False]
    assert "drumbeat_foreign" not in str(records)


async def test_records_refused_only_because_their_batch_is_too_large_are_sent_alone_and_in_order(
    chassis_database: Database, kafka_settings: Kafka, relay: Relay, topic_name: TopicName
) -> None:
    topic = topic_name("batched")
    await ensure_topics(kafka_settings, [TopicSpec(topic, {"max.message.bytes": "8000"})])
    await append(chassis_database, *(message(topic, "a", number, size=5_000) for number in range(4)))

    await relay_all(chassis_database, relay)

    assert first_copies(numbers((await published(kafka_settings, topic))["a"])) == [0, 1, 2, 3]
    assert await chassis_database.pool.fetchval("SELECT count(*) FROM dead_letter") == 0


async def test_a_dead_letter_that_is_itself_too_large_is_kept_and_not_announced_again(
    chassis_database: Database, kafka_settings: Kafka, relay: Relay
) -> None:
    await append(chassis_database, message(DEAD_LETTERS, "a", 1, size=LARGEST_RECORD + 1))

    assert await relay_all(chassis_database, relay) == 1

    assert await chassis_database.pool.fetchval("SELECT topic FROM dead_letter") == DEAD_LETTERS
    assert await announcements(kafka_settings, DEAD_LETTERS) == []


async def test_a_dead_letter_whose_record_is_too_large_is_announced_without_it(
    chassis_database: Database, kafka_settings: Kafka, relay: Relay, topic_name: TopicName
) -> None:
    """Issue 11, A8: the record was read, so it fits; with the reason in its headers it does not."""
    topic = topic_name("edge")
    record = Record(topic, 3, 7, b"a", b"x" * 1_048_000, (("note", b"n" * 300),), 0)
    async with chassis_database.transaction() as connection:
        await dead_letter_record(connection, OUTBOX, record, reason="not JSON" + "!" * 900)
    await append(chassis_database, message(DEAD_LETTERS, "b", 4))

    await relay_all(chassis_database, relay)

    (announced,) = await announcements(kafka_settings, topic)
    assert (announced.key, announced.value) == ("a", None)
    assert announced.headers["drumbeat_reason"].startswith(b"not JSON")
    assert announced.headers["drumbeat_offset"] == b"7"
    letters = await list_newest(chassis_database, before=2**62, limit=10, replayed=False)
    assert [(each["topic"], each["offset"]) for each in letters] == [(topic, 7)]


async def test_a_relay_at_rest_takes_no_lock_and_finds_what_another_replica_left(
    chassis_database: Database, kafka_settings: Kafka, relay: Relay, topic_name: TopicName
) -> None:
    topic = topic_name("left")
    await ensure_topics(kafka_settings, [TopicSpec(topic)])
    assert await relay.run_once() is None
    async with chassis_database.transaction() as other:
        await other.execute("SELECT pg_advisory_xact_lock($1)", RELAY_LOCK)
        async with asyncio.timeout(9):  # a wait for the lock ends after ten seconds
            assert await relay.run_once() is None

    await append(chassis_database, message(topic, "a", 1))
    assert await relay.run_once() == 0

    assert numbers((await published(kafka_settings, topic))["a"]) == [1]


@pytest.mark.timeout(180)
async def test_a_broker_that_is_slow_gets_fewer_rows_at_once_and_no_record_twice(
    chassis_database: Database, folder: Path, topic_name: TopicName
) -> None:
    """Issue 11, A5: what it acknowledges is late, and nothing runs out of time."""
    topic = topic_name("slow")
    rows, keys = 400, 7
    async with BreakableKafka(folder / "slow-broker") as broker:
        kafka = Kafka(bootstrap_servers=broker.bootstrap, partitions=3, replication_factor=1)
        await ensure_topics(kafka, [TopicSpec(topic)])
        # As much as a batch takes, so that one pass is many requests of the broker.
        await append(chassis_database, *(message(topic, f"k{n % keys}", n, size=20_000) for n in range(rows)))
        producer = Producer(kafka, client_id="test")
        await producer.start()
        relay = Relay(chassis_database, producer, OUTBOX)
        left = [rows]
        while left[-1]:
            async with slow(broker):
                assert await relay.run_once() == 0
            left.append(len(await outbox_ids(chassis_database)))
        await producer.stop()
        by_key = await published(kafka, topic)

    assert {key: numbers(records) for key, records in by_key.items()} == {
        f"k{key}": list(range(key, rows, keys)) for key in range(keys)
    }
    taken = [before - after for before, after in pairwise(left)]
    assert taken == [250, 125, 25], "slow passes are followed by smaller ones"


@asynccontextmanager
async def slow(broker: BreakableKafka) -> AsyncGenerator[None]:
    """Let the broker answer nothing at first, then work for a short part of the time.

    Its part is measured by the processor time that it got, not by the clock: a busy machine may give it none in so long.
    """

    async def slow_down() -> None:
        pause = SLOW_SECONDS + 0.2  # no machine is so quick that the pass is not slow
        while True:
            broker.freeze()
            await asyncio.sleep(pause)
            had = broker.processor_seconds()
            broker.thaw()
            while broker.processor_seconds() < had + 0.3:
                await asyncio.sleep(0.01)
            pause = SLOW_SECONDS / 4

    broker.freeze()
    slowing = asyncio.create_task(slow_down())
    try:
        yield
    finally:
        slowing.cancel()
        broker.thaw()


@pytest.mark.timeout(120)
async def test_many_rows_too_large_become_dead_letters_and_all_others_flow(
    chassis_database: Database, kafka_settings: Kafka, relay: Relay, topic_name: TopicName
) -> None:
    """Issue 11, A8: rows of 45 MB in all, which no pass may load at once."""
    topic = topic_name("heavy")
    await ensure_topics(kafka_settings, [TopicSpec(topic)])
    for start in range(0, 60, 10):
        await append(
            chassis_database,
            *(
                message(topic, f"k{n % 5}", n, size=1_500_000 if n % 2 else 2)
                for n in range(start, start + 10)
            ),
        )

    await relay_all(chassis_database, relay)

    by_key = await published(kafka_settings, topic)
    assert {key: first_copies(numbers(records)) for key, records in by_key.items()} == {
        f"k{key}": [n for n in range(60) if n % 2 == 0 and n % 5 == key] for key in range(5)
    }
    assert await chassis_database.pool.fetchval("SELECT count(*) FROM dead_letter") == 30
    announced = await announcements(kafka_settings, topic)
    assert len({record.headers["drumbeat_offset"] for record in announced}) == 30


async def announcements(kafka: Kafka, topic: str) -> list[StoredRecord]:
    """The records of `dead.letters` about this topic."""
    by_key = await published(kafka, DEAD_LETTERS)
    return [
        record
        for records in by_key.values()
        for record in records
        if record.headers.get("drumbeat_topic") == topic.encode()
    ]


async def leaders_of(kafka: Kafka, topic: str) -> dict[int, int]:
    """The number of the node that leads each partition."""
    async with admin_of(kafka) as admin:
        (description,) = cast("list[dict[str, Any]]", await admin.describe_topics([topic]))
    return {partition["partition"]: partition["leader"] for partition in description["partitions"]}


async def alter_topic(kafka: Kafka, topic: str, configs: dict[str, str]) -> None:
    async with admin_of(kafka) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])


@asynccontextmanager
async def admin_of(kafka: Kafka) -> AsyncGenerator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers or "")
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
