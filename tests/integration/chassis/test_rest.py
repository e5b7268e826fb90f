# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The ends of partitions, as a service asks for them to know whether it has read everything."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.chassis.kafka import Producer
from services.chassis.kafka_message import Message
from services.chassis.rest import PartitionEnds
from services.chassis.settings import Kafka
from services.chassis.topics import TopicSpec, ensure_topics
from tests.brokers import BreakableKafka
from tests.stack import until

pytestmark = pytest.mark.integration


async def test_the_ends_are_those_after_the_last_record(
    kafka_settings: Kafka, topic_name: Callable[[str], str]
) -> None:
    topic = topic_name("ends")
    await ensure_topics(kafka_settings, [TopicSpec(topic)])
    partitions = [TopicPartition(topic, number) for number in range(kafka_settings.partitions)]
    ends, producer = PartitionEnds(kafka_settings), Producer(kafka_settings, client_id="test")
    await producer.start()

    assert set((await ends.read(partitions)).values()) == {0}
    await producer.send([Message(topic, b"acme", b"1", []), Message(topic, b"acme", b"2", [])], timeout=20)
    assert sorted((await ends.read(partitions)).values())[-2:] == [0, 2]

    await producer.stop()
    await ends.close()


async def test_the_ends_are_known_again_when_the_broker_is_back(tmp_path: Path) -> None:
    broker = BreakableKafka(tmp_path / "kafka")
    await broker.start()
    settings = Kafka(bootstrap_servers=broker.bootstrap)
    await ensure_topics(settings, [TopicSpec("ends")])
    ends = PartitionEnds(settings)
    partition = TopicPartition("ends", 0)
    assert await ends.read([partition]) == {partition: 0}

    broker.kill(1)
    with pytest.raises(KafkaError):
        await ends.read([partition])
    await broker.start()

    async def are_known() -> bool:
        try:
            return await ends.read([partition]) == {partition: 0}
        except KafkaError:
            return False

    await until(are_known, 30, "the ends are known again")
    await ends.close()
    await broker.stop()
