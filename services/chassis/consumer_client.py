# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The Kafka client of a consumer: every partition assigned at its stored offset and paused.

A partition whose records were just read is asked for again only when the fetch under way has ended, so the broker holds
a fetch briefly while records come. At rest a fetch covers every partition and ends with the first record: there the
broker may hold it long, and answers fewer.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.chassis.clock import monotonic
from services.chassis.kafka import client_options, stop_client
from services.chassis.leases import Leases
from services.chassis.settings import Kafka

BUSY_MILLISECONDS: Final = 250
RESTING_MILLISECONDS: Final = 1000
REST_SECONDS: Final = 5.0  # real time without records after which a fetch is held long


class AssignedConsumer(AIOKafkaConsumer):
    """A consumer that changes how long the broker may hold a fetch; it begins busy. Its readers can be interrupted."""

    _busy_until = 0.0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._waits: set[asyncio.Future[None]] = set()

    def resume(self, *partitions: TopicPartition) -> None:
        super().resume(*partitions)
        self.adapt(has_records=True)  # none of them is in the fetch under way

    def adapt(self, *, has_records: bool) -> None:
        """After each look for records: hold fetches briefly while some come, long once none have come for a while."""
        now = monotonic()
        if has_records:
            self._busy_until = now + REST_SECONDS
        self.hold_fetches(BUSY_MILLISECONDS if now < self._busy_until else RESTING_MILLISECONDS)

    async def read(self, partition: TopicPartition, most: int, seconds: float) -> Sequence[Any]:
        """The next records of a partition; none after a wait for those of any partition. Raises KafkaError.

        `getmany` would wait for this partition alone, and cannot be interrupted: cancelled, it leaks its count of
        fetches.
        """
        batches: Mapping[Any, Sequence[Any]] = await self.getmany(partition, max_records=most)
        if not batches:
            await self._wait_for_fetch(seconds)
        return batches.get(partition, ())

    async def _wait_for_fetch(self, seconds: float) -> None:
        fetcher: Any = self._fetcher
        wait = fetcher._create_fetch_waiter()  # noqa: SLF001 - as `getmany` does; tests read and interrupt
        self._waits.add(wait)
        await asyncio.wait([wait], timeout=seconds)
        self._waits.discard(wait)
        if wait.done():
            wait.result()
        else:
            wait.cancel()

    def interrupt(self) -> None:
        """End every wait of `read`."""
        for wait in tuple(self._waits):
            if not wait.done():
                wait.set_result(None)

    def hold_fetches(self, milliseconds: int) -> None:
        """From the next fetch on.

        aiokafka is told this when it is made, and reads its private copy for each request; a test holds it to that.
        """
        fetcher: Any = self._fetcher
        vars(fetcher)["_fetch_max_wait_ms"] = milliseconds


async def connect_assigned(
    kafka: Kafka, leases: Leases, partitions: Sequence[TopicPartition]
) -> AssignedConsumer:
    """A started client; a claim only has to seek and to resume. Missing offset rows are inserted."""
    client = AssignedConsumer(
        **client_options(kafka),
        client_id=leases.group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_wait_ms=BUSY_MILLISECONDS,
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
