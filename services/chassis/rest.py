# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""Whether a service has done all the work that service time and events brought it.

A rehearsal advances a standing clock only when every service is at rest (`services.chassis.standing_clock`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.chassis.clock import GATHERING
from services.chassis.consumer import Consumer
from services.chassis.kafka import client_options, stop_client
from services.chassis.loops import Loop
from services.chassis.settings import Kafka

_ANSWER_MILLISECONDS = 3_000  # who asks whether all is at rest does not wait for a broker that is away


class Gathering(Protocol):
    """Work that waits for a moment of real time, so that more of its kind may join it."""

    async def count(self) -> int:
        """How much of it waits."""
        ...

    async def release(self) -> int:
        """End the wait; returns of how much."""
        ...


class PartitionEnds:
    """The ends of partitions, asked over a connection of its own, which is opened when it is first needed.

    A broker answers the requests of one connection one after the other: on a consumer's, each answer would come only
    after its long poll.
    """

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._client: AIOKafkaConsumer | None = None
        self._using = asyncio.Lock()

    async def read(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset after the last committed record of each. Raises KafkaError."""
        async with self._using:
            try:
                client = await self._connected()
                return await client.end_offsets(partitions)
            except KafkaError:
                await self._disconnect()
                raise

    async def close(self) -> None:
        async with self._using:
            await self._disconnect()

    async def _connected(self) -> AIOKafkaConsumer:
        if self._client is None:
            self._client = AIOKafkaConsumer(
                **client_options(self._kafka),
                enable_auto_commit=False,
                isolation_level="read_committed",
                request_timeout_ms=_ANSWER_MILLISECONDS,
            )
            await self._client.start()
        return self._client

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await stop_client(client)


class Rest:
    """What a process waits for. Retries in real time, of endpoints that fail, are not waited for.

    `gathering`: work that has not begun, because it waits for more of its kind.
    """

    gathering: Gathering | None = None

    def __init__(self) -> None:
        self._ends: PartitionEnds | None = None
        self._consumers: Sequence[Consumer] = ()
        self._loops: Sequence[Loop] = ()

    def watch(self, consumers: Sequence[Consumer], loops: Sequence[Loop], ends: PartitionEnds) -> None:
        self._consumers, self._loops, self._ends = consumers, loops, ends

    def is_handling_records(self) -> bool:
        """Whether a batch is in work here, or reading has not begun."""
        return any(consumer.idle_claims() is None for consumer in self._consumers)

    def wake(self) -> None:
        """Have every loop look again: service time has moved."""
        for loop in self._loops:
            loop.wake()

    async def release(self) -> int:
        """Begin at once what waits for more of its kind; returns how much of it waited."""
        return 0 if self.gathering is None else await self.gathering.release()

    async def state(self) -> dict[str, object]:
        """`{at_rest, busy: names, progress}`. `progress` grows with every record that was read; 0: it is not known.

        Services that hand work to each other are at rest when all say so twice and no `progress` grew between. Where that
        holds except for what is `gathering`, nothing more will join it, and `release` ends its wait.
        """
        busy = [loop.name for loop in self._loops if not loop.is_at_rest()]
        if busy:  # the broker and the database need not be asked
            return {"at_rest": False, "busy": busy, "progress": 0}
        progress = 0
        for consumer in self._consumers:
            read = await self._read_to_the_end(consumer)
            progress += read or 0
            if read is None:
                busy.append("consumer")
        if self.gathering is not None and await self.gathering.count():
            busy.append(GATHERING)
        return {"at_rest": not busy, "busy": busy, "progress": progress}

    async def _read_to_the_end(self, consumer: Consumer) -> int | None:
        """The sum of the next offsets of the partitions that this replica reads; None before the end of one."""
        claims = consumer.idle_claims()
        if claims is None or self._ends is None:
            return None
        try:
            ends = await self._ends.read([claim.partition for claim in claims])
        except KafkaError:  # away: nobody knows what there is to read
            return None
        if (
            any(claim.next_offset < ends[claim.partition] for claim in claims)
            or consumer.idle_claims() is None
        ):
            return None
        return sum(claim.next_offset for claim in claims)
