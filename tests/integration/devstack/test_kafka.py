# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
"""The embedded Kafka keeps acknowledged records: on one node over a crash, on three without one of them."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka import Consumer

from services.chassis.settings import Kafka
from services.chassis.topics import TopicSpec, ensure_topics
from services.devstack.embedded.jars import class_path
from services.devstack.embedded.kafka import EmbeddedKafka, java_command
from services.devstack.embedded.kafka_features import CHECKPOINT, LEVELS, bootstrap_checkpoint
from services.devstack.embedded.kafka_node import Node, short_id
from services.devstack.embedded.processes import scratch
from tests.brokers import BreakableKafka
from tests.conftest import PATIENCE

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
TOPIC = "kept"


@pytest.fixture
def own_folder() -> Generator[Path]:
    made = scratch()
    yield made
    shutil.rmtree(made)


async def make_topic(kafka: EmbeddedKafka) -> None:
    await ensure_topics(Kafka(bootstrap_servers=kafka.bootstrap, partitions=1), [TopicSpec(TOPIC)])


@asynccontextmanager
async def producing(kafka: EmbeddedKafka) -> AsyncGenerator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, enable_idempotence=True, request_timeout_ms=5000
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def produce(producer: AIOKafkaProducer, numbers: Iterable[int]) -> None:
    for number in numbers:
        await producer.send_and_wait(TOPIC, str(number).encode())


async def read(kafka: EmbeddedKafka, count: int) -> list[int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(TOPIC, 0)])
        await consumer.seek_to_beginning()
        return [int((await consumer.getone()).value or b"") for _ in range(count)]
    finally:
        await consumer.stop()


def read_as_new_consumer(kafka: EmbeddedKafka, count: int) -> list[int]:
    """Read with librdkafka's consumer of KIP-848, which the broker must support (row 48)."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap,
            "group.id": "outside",
            "group.protocol": "consumer",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([TOPIC])
    try:
        records: list[int] = []
        while len(records) < count:
            record = consumer.poll(20 * PATIENCE)
            assert record is not None, f"the consumer got nothing within {20 * PATIENCE} s"
            assert record.error() is None, str(record.error())
            records.append(int(record.value() or b""))
        return records
    finally:
        consumer.close()


async def test_a_client_with_the_new_consumer_protocol_reads_from_a_new_folder(own_folder: Path) -> None:
    async with EmbeddedKafka(own_folder) as kafka:
        await make_topic(kafka)
        async with producing(kafka) as producer:
            await produce(producer, range(3))
        assert await asyncio.to_thread(read_as_new_consumer, kafka, 3) == [0, 1, 2]


async def test_a_folder_of_an_earlier_version_gets_the_features_once_and_keeps_them(own_folder: Path) -> None:
    """Row 48: earlier versions formatted a folder without the checkpoint of the storage tool."""
    checkpoint = own_folder / "node-1" / "logs" / CHECKPOINT
    kafka = EmbeddedKafka(own_folder)
    (node,) = kafka._layout()  # pyright: ignore[reportPrivateUsage]
    node.format(bootstrap_checkpoint(java_command(class_path(), heap_mb=192), cluster_id=short_id("test")))
    checkpoint.unlink()
    async with kafka:
        assert checkpoint.exists()
        await make_topic(kafka)
        async with producing(kafka) as producer:
            await produce(producer, range(2))
        assert await asyncio.to_thread(read_as_new_consumer, kafka, 2) == [0, 1]
        await kafka.stop()
        await kafka.start()
        async with producing(kafka) as producer:
            await produce(producer, [2])
        assert await asyncio.to_thread(read_as_new_consumer, kafka, 1) == [2]


def test_the_features_of_an_earlier_folder_are_those_that_the_storage_tool_gives_a_new_one() -> None:
    tool = [*java_command(class_path(), heap_mb=192), "kafka.tools.StorageTool", "version-mapping"]
    printed = subprocess.run(tool, capture_output=True, text=True, check=True).stdout
    levels = dict(line.split("=") for line in printed.split("\n") if "=" in line)
    # The first names the release; the second is of controller quorums that change, which ours does not.
    others = {
        name: level for name, level in levels.items() if name not in ("metadata.version", "kraft.version")
    }
    assert {name: int(level) for name, level in others.items() if level != "0"} == LEVELS


async def test_acknowledged_records_survive_a_kill_and_the_address_stays(own_folder: Path) -> None:
    async with EmbeddedKafka(own_folder) as kafka:
        bootstrap = kafka.bootstrap
        await make_topic(kafka)
        async with producing(kafka) as producer:
            await produce(producer, range(20))
        kafka.kill()
        assert not kafka.alive()
        await kafka.start()
        assert kafka.bootstrap == bootstrap
        async with producing(kafka) as producer:
            await produce(producer, range(20, 25))
        assert await read(kafka, 25) == list(range(25))


async def test_a_new_broker_on_the_same_folder_has_its_records(own_folder: Path) -> None:
    async with EmbeddedKafka(own_folder) as first:
        await make_topic(first)
        async with producing(first) as producer:
            await produce(producer, range(5))
    async with EmbeddedKafka(own_folder, ports=first.ports) as second:
        assert await read(second, 5) == list(range(5))


async def test_a_frozen_broker_goes_on_when_it_thaws(own_folder: Path) -> None:
    async with BreakableKafka(own_folder) as kafka:
        await make_topic(kafka)
        kafka.freeze()
        assert kafka.alive()
        kafka.thaw()
        async with producing(kafka) as producer:
            await produce(producer, range(3))
        assert await read(kafka, 3) == [0, 1, 2]


async def test_three_nodes_survive_the_loss_of_one(own_folder: Path) -> None:
    kafka = BreakableKafka(own_folder, nodes=3)
    try:
        await kafka.start()
        await make_topic(kafka)
        async with producing(kafka) as producer:
            await produce(producer, range(10))
            kafka.kill(1)
            await produce(producer, range(10, 20))
            await kafka.restart(1)
            kafka.kill(2)
            await produce(producer, range(20, 30))
        assert await read(kafka, 30) == list(range(30))
    finally:
        for node in (1, 2, 3):
            kafka.kill(node)


async def test_another_port_is_used_when_the_chosen_one_is_taken_at_the_last_moment(tmp_path: Path) -> None:
    with socket.socket() as thief:
        broker = EmbeddedKafka(tmp_path / "kafka")
        layout = broker._layout  # pyright: ignore[reportPrivateUsage]

        def stolen() -> tuple[Node, ...]:
            nodes = layout()
            if not thief.getsockname()[1]:
                thief.bind(("127.0.0.1", nodes[0].layout.nodes[0].broker))
                thief.listen()
            return nodes

        broker._layout = stolen  # pyright: ignore[reportPrivateUsage]
        bootstrap = await broker.start()
        try:
            assert int(bootstrap.rpartition(":")[2]) != thief.getsockname()[1]
        finally:
            await broker.stop()
