# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The Kafka client of a consumer: every partition assigned at its stored offset and paused."""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.chassis.kafka import client_options, stop_client
from services.chassis.leases import Leases
from services.chassis.settings import Kafka


async def connect_assigned(
    kafka: Kafka, leases: Leases, partitions: Sequence[TopicPartition]
) -> AIOKafkaConsumer:
    """A started client; a claim only has to seek and to resume. Missing offset rows are inserted."""
    client = AIOKafkaConsumer(
        **client_options(kafka),
        client_id=leases.group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_wait_ms=250,
        fetch_max_bytes=16 << 20,
        max_partition_fetch_bytes=1 << 20,
        request_timeout_ms=11_000,
    )
    try:
        await client.start()
        client.assign(partitions)
        offsets = await leases.enrol(await client.beginning_offsets(partitions))
        for partition in partitions:
            client.seek(partition, offsets[partition])
        client.pause(*partitions)
    except BaseException:
        await stop_client(client)
        raise
    return client
