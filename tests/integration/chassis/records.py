# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""Reads what is stored on a topic, with a client of its own."""

import asyncio
from collections import defaultdict
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.chassis.settings import Kafka
from tests.conftest import PATIENCE


class StoredRecord(NamedTuple):
    """A record as the broker stores it."""

    key: str
    value: bytes | None
    headers: dict[str, bytes]


async def stored_records(kafka: Kafka, topic: str) -> dict[int, list[StoredRecord]]:
    """The records of each partition of a topic, in order."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers or "", max_partition_fetch_bytes=4 << 20
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(kafka.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        count = sum((await consumer.end_offsets(partitions)).values())
        records: dict[int, list[StoredRecord]] = defaultdict(list)
        async with asyncio.timeout(30 * PATIENCE):
            for _ in range(count):
                record = await consumer.getone()
                key, headers = (record.key or b"").decode(), dict(record.headers)
                records[record.partition].append(StoredRecord(key, record.value, headers))
        return records
    finally:
        await consumer.stop()
