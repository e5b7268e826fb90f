# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The producer with a real broker: every record has its own result, and every partition keeps its order."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.partitioner import DefaultPartitioner

from services.chassis.kafka import LARGEST_RECORD, MOST_IN_BATCH, Producer, partition_of
from services.chassis.kafka_message import Message
from services.chassis.settings import Kafka
from services.chassis.topics import TopicSpec, ensure_topics
from tests.brokers import BreakableKafka
from tests.conftest import PATIENCE
from tests.integration.chassis.records import stored_records
from tests.stack import stopped, until

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


async def values_of(kafka: Kafka, topic: str) -> dict[int, list[tuple[str, str]]]:
    """The (key, beginning of the value) of each partition's records, in order."""
    return {
        partition: [(record.key, (record.value or b"")[:12].decode().strip()) for record in records]
        for partition, records in (await stored_records(kafka, topic)).items()
    }


def message(topic: str, key: str, value: str, *, size: int = 12) -> Message:
    return Message(topic, key.encode(), value.ljust(size).encode(), [("ce_id", value.encode())])


@pytest.mark.parametrize("key", [b"", b"a", b"acme", b"acc-000001", "Größe".encode(), bytes(range(256))])
@pytest.mark.parametrize("partitions", [1, 12, 50])
def test_a_key_goes_to_the_partition_that_other_clients_choose(key: bytes, partitions: int) -> None:
    expected = DefaultPartitioner()(key, list(range(partitions)), [])

    assert partition_of(key, partitions) == expected


async def test_many_concurrent_senders_all_get_results_and_every_key_keeps_its_order(
    kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("many")
    async with producing(kafka_settings, topic) as producer:

        async def send(key: str) -> None:
            for start in range(0, 60, 20):
                messages = [message(topic, key, str(number)) for number in range(start, start + 20)]
                assert await producer.send(messages, timeout=20) == [True] * 20

        await asyncio.gather(*map(send, KEYS))

    by_partition = await values_of(kafka_settings, topic)

    for partition, records in by_partition.items():
        for key in {key for key, _ in records}:
            assert partition == partition_of(key.encode(), kafka_settings.partitions)
            assert [int(value) for owner, value in records if owner == key] == list(range(60))
    assert sum(map(len, by_partition.values())) == 60 * len(KEYS)


async def test_more_records_than_fit_into_a_batch_arrive_complete_and_in_order(
    kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("large")
    messages = [message(topic, "one", str(number), size=MOST_IN_BATCH // 10) for number in range(95)]

    async with producing(kafka_settings, topic) as producer:
        assert await producer.send(messages, timeout=30) == [True] * 95

    (records,) = (await values_of(kafka_settings, topic)).values()
    assert [int(value) for _, value in records] == list(range(95))


@pytest.mark.parametrize("size", [BROKER_TAKES * 3 // 2, LARGEST_RECORD + 1])
async def test_a_refusal_of_one_partition_does_not_affect_the_others(
    kafka_settings: Kafka, topic_name: Callable[[str], str], size: int
) -> None:
    topic = topic_name("refused")
    home = partition_of(b"huge", kafka_settings.partitions)
    others = [key for key in KEYS if partition_of(key.encode(), kafka_settings.partitions) != home]
    messages = [*(message(topic, key, "before") for key in others), message(topic, "huge", "huge", size=size)]

    async with producing(kafka_settings, topic) as producer:
        assert await producer.send(messages, timeout=20) == [*[True] * len(others), False]
        assert await producer.send([message(topic, "huge", "small")], timeout=20) == [True]

    assert (await values_of(kafka_settings, topic))[home] == [("huge", "small")]


async def test_results_are_unknown_while_the_broker_is_away_and_sending_works_afterwards(
    folder: Path, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("away")
    async with BreakableKafka(folder / "away") as broker:
        kafka = Kafka(bootstrap_servers=broker.bootstrap, partitions=2)
        async with producing(kafka, topic) as producer:
            assert await producer.send([message(topic, "one", "1")], timeout=20) == [True]

            broker.freeze()
            await until(
                lambda: stopped(broker.nodes[0].pid or 0), 10, "every thread of the broker is stopped"
            )
            filling = [message(topic, "one", "2", size=MOST_IN_BATCH // 2) for _ in range(9)]
            assert await producer.send([message(topic, "one", "2")], timeout=0.5) == [False]
            assert await producer.send(filling, timeout=0.5) == [False] * 9
            broker.thaw()

            assert await producer.send([message(topic, "one", "3")], timeout=30) == [True]

        (records,) = (await values_of(kafka, topic)).values()
        values = [value for _, value in records]
        assert [value for value in values if value != "2"] == ["1", "3"]
        assert values == sorted(values)


async def test_a_call_in_progress_returns_when_the_producer_is_stopped(
    kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("stopped")
    async with producing(kafka_settings, topic) as producer:
        assert await producer.send([message(topic, "one", "first")], timeout=20) == [True]
        messages = [message(topic, "one", str(number), size=MOST_IN_BATCH // 4) for number in range(40)]
        sending = asyncio.create_task(producer.send(messages, timeout=20))
        await asyncio.sleep(0)
        await producer.stop()

        async with asyncio.timeout(10 * PATIENCE):
            answered = await sending

        # The acknowledged ones are the first ones: none overtook one that was not acknowledged.
        assert answered == sorted(answered, reverse=True)
