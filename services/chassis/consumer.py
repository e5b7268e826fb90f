# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The consume loop: a partition's batch, its offset and its effects commit together or not at all.

Each partition of this replica has one worker; a few transactions run at once. A batch that fails because the
database or the broker is away is retried until it succeeds. A batch that fails for another reason is halved
until the record that fails is alone; that record becomes a dead letter with the reason, and the partition goes on.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from services.chassis.batches import Batches, PartitionLost, Subscription
from services.chassis.clock import monotonic
from services.chassis.database import INFRASTRUCTURE, Database
from services.chassis.dead_letters import Record
from services.chassis.faults import fault
from services.chassis.kafka import client_options, stop_client
from services.chassis.leases import TTL, Leases, PartitionClaim
from services.chassis.loops import wait_for_event
from services.chassis.outbox import Outbox
from services.chassis.settings import Kafka
from services.chassis.telemetry import METRICS
from services.chassis.topics import Cluster
from services.chassis.watchdog import Watchdog

log = structlog.get_logger(__name__)

BATCH = 2000  # records: 500 halves the rate, 5000 gains nothing (measured on two cores)
CONCURRENT_TRANSACTIONS = 4
WATCH_SECONDS = 5.0  # between two checks whether partitions move
POLL_SECONDS = 0.5  # a worker waits this long for records before it checks whether it should stop


class Consumer:
    """Reads the partitions whose leases this replica owns."""

    def __init__(
        self,
        *,
        database: Database,
        kafka: Kafka,
        cluster: Cluster,
        outbox: Outbox,
        owner: str,
        subscription: Subscription,
    ) -> None:
        self._kafka = kafka
        self._cluster = cluster
        self._subscription = subscription
        self._leases = Leases(database, cluster.id, subscription.group, owner)
        self._batches = Batches(database, self._leases, outbox, subscription, self._unwanted)
        self._client: AIOKafkaConsumer | None = None
        self._workers: dict[TopicPartition, tuple[PartitionClaim, asyncio.Task[None]]] = {}
        self._dropped: set[TopicPartition] = set()
        self._slots = asyncio.Semaphore(CONCURRENT_TRANSACTIONS)
        self._stopping = asyncio.Event()
        self._halted: set[TopicPartition] = set()
        self._busy: set[TopicPartition] = set()
        self._watchdog = Watchdog()
        self._watch_again = 0.0
        self._reading = False

    def waits_for(self) -> str | None:
        """None once it reads, else the reason. One halted partition does not make a service unready."""
        return None if self._reading else f"{self._subscription.group} does not read from Kafka yet"

    @property
    def group(self) -> str:
        return self._subscription.group

    def progress(self) -> int:
        """The sum of the next offsets of its partitions."""
        return sum(claim.next_offset for claim, _ in self._workers.values())

    async def is_at_rest(self) -> bool:
        """Whether every partition that this replica reads is read and handled to its end."""
        client = self._client
        if client is None or not self._reading or self._busy:
            return False
        partitions = list(self._workers)
        ends: dict[TopicPartition, int] = await client.end_offsets(partitions)
        claims = [self._workers[partition][0] for partition in partitions if partition in self._workers]
        return not self._busy and all(claim.next_offset >= ends[claim.partition] for claim in claims)

    def _unwanted(self, claim: PartitionClaim) -> bool:
        return self._stopping.is_set() or claim.partition in self._dropped

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Consume until stopped; errors of the database or the broker are retried, also at the start."""
        try:
            while not self._stopping.is_set():
                try:
                    if self._client is None:
                        self._client = await self._connect()
                    await self._balance()
                    self._reading = True
                    await self._watch()
                except (*INFRASTRUCTURE, KafkaError) as problem:
                    log.warning("consumer.interrupted", problem=repr(problem))
                await wait_for_event(self._stopping, TTL / 6)
        finally:
            await self._close()

    async def _connect(self) -> AIOKafkaConsumer:
        """A client with every partition assigned, at its stored offset and paused: a claim only seeks and resumes."""
        client = AIOKafkaConsumer(
            **client_options(self._kafka),
            client_id=self._subscription.group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=250,
            fetch_max_bytes=16 << 20,
            max_partition_fetch_bytes=1 << 20,
            request_timeout_ms=11_000,
        )
        partitions = [
            TopicPartition(topic, part)
            for topic in self._subscription.topics
            for part in range(self._cluster.partitions[topic])
        ]
        try:
            await client.start()
            client.assign(partitions)
            offsets = await self._leases.enrol(await client.beginning_offsets(partitions))
            for partition in partitions:
                client.seek(partition, offsets[partition])
            client.pause(*partitions)
        except BaseException:
            await stop_client(client)
            raise
        return client

    async def _balance(self) -> None:
        """Read a fair share of the partitions: drop lost ones, give back a surplus, claim free ones."""
        members, epochs = await self._leases.renew()
        lost = [
            partition
            for partition, (claim, task) in self._workers.items()
            if epochs.get(partition) != claim.epoch or task.done()
        ]
        await self._drop(lost)
        total = sum(self._cluster.partitions[topic] for topic in self._subscription.topics)
        share = math.ceil(total / members)
        surplus = max(0, len(self._workers) - share)
        highest_first = sorted(self._workers, key=lambda tp: (tp.partition, tp.topic), reverse=True)
        await self._drop(highest_first[:surplus])
        if len(self._workers) < share:
            for claim in await self._leases.take(share - len(self._workers), list(self._workers)):
                fault("consumer.after_claim")
                self._workers[claim.partition] = (claim, asyncio.create_task(self._work(claim)))

    async def _watch(self) -> None:
        """Measure the lag, and reconnect when fetching has stopped before the end of a partition."""
        client = self._client
        if client is None or monotonic() < self._watch_again:
            return
        self._watch_again = monotonic() + WATCH_SECONDS
        partitions = list(self._workers)
        async with asyncio.timeout(2):  # the leases must be renewed in time
            ends: dict[TopicPartition, int] = await client.end_offsets(partitions)
            positions = {partition: int(await client.position(partition)) for partition in partitions}
        for partition, (claim, _) in self._workers.items():
            METRICS.lag.labels(*partition).set(max(0, ends.get(partition, 0) - claim.next_offset))
            METRICS.halted.labels(*partition).set(partition in self._halted)
        idle = {tp: position for tp, position in positions.items() if tp not in self._busy | self._halted}
        stuck = self._watchdog.stuck(idle, ends, monotonic())
        if stuck:
            log.error("consumer.stuck", partitions=[f"{topic}/{part}" for topic, part in stuck])
            self._watchdog.forget()
            await self._drop(list(self._workers))
            self._client = None
            await stop_client(client)

    async def _drop(self, partitions: Sequence[TopicPartition]) -> None:
        """Let the workers finish their current batch, then give the leases back."""
        if not partitions:
            return
        self._halted.difference_update(partitions)
        dropped = [self._workers.pop(partition) for partition in partitions]
        self._dropped.update(partitions)
        await asyncio.wait([task for _, task in dropped])
        self._dropped.difference_update(partitions)
        for claim, task in dropped:
            METRICS.lag.labels(*claim.partition).set(0)
            METRICS.halted.labels(*claim.partition).set(0)
            if (problem := task.exception()) is not None:
                log.error("consumer.worker_failed", topic=claim.partition.topic, exc_info=problem)
            await self._leases.release(claim)

    async def _work(self, claim: PartitionClaim) -> None:
        """Read one partition until it is dropped or lost."""
        client, partition = self._client, claim.partition
        if client is None:
            return
        client.seek(partition, claim.next_offset)
        client.resume(partition)
        try:
            while not self._unwanted(claim):
                records = await self._fetch(client, partition)
                records = [record for record in records if record.offset >= claim.next_offset]
                if records:
                    self._busy.add(partition)
                    async with self._slots:
                        await self._batches.handle(claim, records)
                    self._busy.discard(partition)
                    end = client.highwater(partition) or claim.next_offset
                    METRICS.lag.labels(*partition).set(end - claim.next_offset)
        except PartitionLost:
            METRICS.conflicts.labels(partition.topic).inc()
            log.info("consumer.partition_lost", **partition._asdict())
        finally:
            self._busy.discard(partition)
            client.pause(partition)

    async def _fetch(self, client: AIOKafkaConsumer, partition: TopicPartition) -> list[Record]:
        # Never cancelled: aiokafka leaks its fetch count when a getmany is.
        try:
            batches: Mapping[Any, Sequence[Any]] = await client.getmany(
                partition, timeout_ms=int(POLL_SECONDS * 1000), max_records=BATCH
            )
        except OffsetOutOfRangeError:
            # The broker does not have the stored offset: the topic was truncated or created again. Reading on
            # from another offset would lose records silently: the partition halts until an operator decides.
            log.exception("consumer.offset_out_of_range", **partition._asdict())
            self._halted.add(partition)
            await wait_for_event(self._stopping, 5.0)
            return []
        except (KafkaError, OSError) as problem:
            log.warning("consumer.fetch_failed", problem=repr(problem))
            await wait_for_event(self._stopping, 1.0)
            return []
        messages = batches.get(partition, ())
        if messages:
            self._halted.discard(partition)
        return [
            Record(
                *partition, record.offset, record.key, record.value, tuple(record.headers), record.timestamp
            )
            for record in messages
        ]

    async def _close(self) -> None:
        self._stopping.set()
        self._reading = False
        try:
            async with asyncio.timeout(10):
                await self._drop(list(self._workers))
                await self._leases.leave()
        except (TimeoutError, *INFRASTRUCTURE) as problem:
            log.warning("consumer.leave_failed", problem=repr(problem))
        if self._client is not None:
            await stop_client(self._client)
