# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The producer against a real broker: every record has its own answer, and each partition its order."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from services.chassis.kafka import LARGEST_RECORD, MOST_IN_BATCH, Message, Producer, partition_of
from services.chassis.settings import Kafka
from services.chassis.topics import TopicSpec, ensure_topics
from services.devstack.embedded.kafka import EmbeddedKafka

pytestmark = pytest.mark.integration

KEYS = [f"key-{number}" for number in range(40)]
BROKER_TAKES = 1 << 20  # bytes of a batch, unless a topic says otherwise


@asynccontextmanager
async def producing(kafka: Kafka, topic: str) -> AsyncGenerator[Producer]:
    await ensure_topics(kafka, [TopicSpec(topic)])
    producer = Producer(kafka, client_id="test")
    await producer.start()
    yield producer
    await producer.stop()


async def stored(kafka: Kafka, topic: str) -> dict[int, list[tuple[str, str]]]:
    """The (key, beginning of the value) of each partition's records, in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers or "")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(kafka.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        count = sum((await consumer.end_offsets(partitions)).values())
        found: dict[int, list[tuple[str, str]]] = defaultdict(list)
        async with asyncio.timeout(30):
            for _ in range(count):
                record = await consumer.getone()
                value = (record.value or b"")[:12].decode().strip()
                found[record.partition].append(((record.key or b"").decode(), value))
        return found
    finally:
        await consumer.stop()


def letter(topic: str, key: str, value: str, *, size: int = 12) -> Message:
    return Message(topic, key.encode(), value.ljust(size).encode(), [("ce_id", value.encode())])


@pytest.mark.parametrize("key", [b"", b"a", b"acme", b"acc-000001", "Größe".encode(), bytes(range(256))])
@pytest.mark.parametrize("partitions", [1, 12, 50])
def test_a_key_goes_where_other_clients_send_it(key: bytes, partitions: int) -> None:
    there = DefaultPartitioner()(key, list(range(partitions)), [])

    assert partition_of(key, partitions) == there


async def test_many_senders_at_once_are_all_answered_and_each_key_keeps_its_order(
    kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("many")
    async with producing(kafka_settings, topic) as producer:

        async def send(key: str) -> None:
            for start in range(0, 60, 20):
                letters = [letter(topic, key, str(number)) for number in range(start, start + 20)]
                assert await producer.send(letters, timeout=20) == [True] * 20

        await asyncio.gather(*map(send, KEYS))

    found = await stored(kafka_settings, topic)

    for partition, records in found.items():
        for key in {each for each, _ in records}:
            assert partition == partition_of(key.encode(), kafka_settings.partitions)
            assert [int(value) for each, value in records if each == key] == list(range(60))
    assert sum(map(len, found.values())) == 60 * len(KEYS)


async def test_more_than_a_batch_holds_arrives_whole_and_in_order(
    kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("large")
    letters = [letter(topic, "one", str(number), size=MOST_IN_BATCH // 10) for number in range(95)]

    async with producing(kafka_settings, topic) as producer:
        assert await producer.send(letters, timeout=30) == [True] * 95

    (records,) = (await stored(kafka_settings, topic)).values()
    assert [int(value) for _, value in records] == list(range(95))


@pytest.mark.parametrize("size", [BROKER_TAKES * 3 // 2, LARGEST_RECORD + 1])
async def test_what_one_partition_is_refused_leaves_the_others_answered(
    kafka_settings: Kafka, topic_name: Callable[[str], str], size: int
) -> None:
    topic = topic_name("refused")
    home = partition_of(b"huge", kafka_settings.partitions)
    others = [key for key in KEYS if partition_of(key.encode(), kafka_settings.partitions) != home]
    letters = [*(letter(topic, key, "before") for key in others), letter(topic, "huge", "huge", size=size)]

    async with producing(kafka_settings, topic) as producer:
        assert await producer.send(letters, timeout=20) == [*[True] * len(others), False]
        assert await producer.send([letter(topic, "huge", "small")], timeout=20) == [True]

    found = await stored(kafka_settings, topic)
    assert found[home] == [("huge", "small")]


async def test_a_broker_that_is_away_leaves_all_unknown_and_afterwards_takes_more(
    folder: Path, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("away")
    async with EmbeddedKafka(folder / "away") as broker:
        kafka = Kafka(bootstrap_servers=broker.bootstrap, partitions=2)
        async with producing(kafka, topic) as producer:
            assert await producer.send([letter(topic, "one", "1")], timeout=20) == [True]

            broker.freeze()
            filling = [letter(topic, "one", "2", size=MOST_IN_BATCH // 2) for _ in range(9)]
            assert await producer.send([letter(topic, "one", "2")], timeout=0.5) == [False]
            assert await producer.send(filling, timeout=0.5) == [False] * 9
            broker.thaw()

            assert await producer.send([letter(topic, "one", "3")], timeout=30) == [True]

        (records,) = (await stored(kafka, topic)).values()
        values = [value for _, value in records]
        assert [each for each in values if each != "2"] == ["1", "3"]
        assert values == sorted(values)


async def test_a_producer_that_was_stopped_mid_way_leaves_nobody_waiting(
    kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("stopped")
    async with producing(kafka_settings, topic) as producer:
        assert await producer.send([letter(topic, "one", "first")], timeout=20) == [True]
        letters = [letter(topic, "one", str(number), size=MOST_IN_BATCH // 4) for number in range(40)]
        sending = asyncio.create_task(producer.send(letters, timeout=20))
        await asyncio.sleep(0)
        await producer.stop()

        async with asyncio.timeout(10):
            answered = await sending

        # What was acknowledged is a beginning of it: nothing overtook what was not.
        assert answered == sorted(answered, reverse=True)
