# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The positions of a service as a consumer group of Kafka, so that its own tools and lag exporters see them.

They are a copy: the offsets that count are in PostgreSQL. So nobody joins the group; its offsets are committed by simple
requests (OffsetCommit without a member, protocol key 8), at most once a second, and a failure stops nothing.
"""

import asyncio
from collections import defaultdict
from typing import Any, Final, cast

import structlog
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.commit import OffsetCommitRequest

from services.chassis.clock import monotonic
from services.chassis.kafka import client_options
from services.chassis.settings import Kafka

log = structlog.get_logger(__name__)

PREFIX: Final = "drumbeat."
INTERVAL_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 600.0  # the broker deletes the offsets of a group that commits nothing for a week
TIMEOUT_SECONDS: Final = 5.0
LONGEST_RETRY_SECONDS: Final = 15.0
NO_GENERATION: Final = -1


class GroupOffsets:
    """Commits the newest offset of each partition of one service."""

    def __init__(self, kafka: Kafka, group: str) -> None:
        self._kafka = kafka
        self._group = f"{PREFIX}{group}"
        self._waiting: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._client: AIOKafkaClient | None = None
        self._coordinator = -1
        self._failures = 0

    def note(self, partition: TopicPartition, next_offset: int) -> None:
        self._waiting[partition] = next_offset

    def forget(self, partition: TopicPartition) -> None:
        """Another replica reads it from now on."""
        self._waiting.pop(partition, None)
        self._committed.pop(partition, None)

    async def run(self) -> None:
        """Commit until cancelled."""
        again = monotonic() + AGAIN_SECONDS
        try:
            while True:
                await asyncio.sleep(min(INTERVAL_SECONDS * 2**self._failures, LONGEST_RETRY_SECONDS))
                if monotonic() >= again:
                    again = monotonic() + AGAIN_SECONDS
                    self._waiting = self._committed | self._waiting
                await self._commit_waiting()
        finally:
            await self._disconnect()

    async def flush(self) -> None:
        """Commit what waits, before the process ends."""
        if not self._failures:
            await self._commit_waiting()

    async def _commit_waiting(self) -> None:
        offsets, self._waiting = self._waiting, {}
        if not offsets:
            return
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._commit(offsets)
        except (KafkaError, OSError, TimeoutError, asyncio.InvalidStateError) as problem:
            self._waiting = offsets | self._waiting
            self._failures = min(self._failures + 1, 10)
            # Whoever reads and sends notices a broker that is away; a refusal, of an ACL perhaps, only shows here.
            if self._failures == 1 and not getattr(problem, "retriable", True):
                log.warning("group_offsets.refused", group=self._group, problem=repr(problem))
            await self._disconnect()
            return
        self._failures = 0
        self._committed |= offsets

    async def _commit(self, offsets: dict[TopicPartition, int]) -> None:
        client = self._client or await self._connect()
        by_topic: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for (topic, partition), offset in offsets.items():
            by_topic[topic].append((partition, offset, ""))
        request = OffsetCommitRequest(
            self._group, NO_GENERATION, "", OffsetCommitRequest.DEFAULT_RETENTION_TIME, list(by_topic.items())
        )
        answer = cast(
            "Any", await client.send(self._coordinator, request, group=ConnectionGroup.COORDINATION)
        )
        for _, partitions in answer.topics:
            for _, code in partitions:
                if code:
                    raise cast("type[KafkaError]", for_code(code))

    async def _connect(self) -> AIOKafkaClient:
        """Connect to the group's coordinator, which moves when its broker is away."""
        client = AIOKafkaClient(**client_options(self._kafka), request_timeout_ms=int(TIMEOUT_SECONDS * 1000))
        self._client = client
        await client.bootstrap()
        self._coordinator = await client.coordinator_lookup(CoordinationType.GROUP, self._group)
        return client

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                async with asyncio.timeout(2):
                    await client.close()
            except (KafkaError, OSError, TimeoutError):
                log.debug("group_offsets.client_abandoned")
