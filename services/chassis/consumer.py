# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The one consume loop: a partition's batch, its offset and its effects commit together or not at all.

Each partition this replica holds has one worker; a few transactions run at once. A batch that fails for want
of a database or a broker is tried again for as long as it takes. A batch that fails for another reason is cut
in halves until the record that cannot be handled stands alone; that one is buried with its reason, and the
partition goes on.
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
from services.chassis.kafka import client_options
from services.chassis.leases import TTL, Claim, Leases, Place
from services.chassis.outbox import Outbox
from services.chassis.settings import Kafka
from services.chassis.telemetry import METRICS
from services.chassis.topics import Cluster
from services.chassis.watchdog import Watchdog

log = structlog.get_logger(__name__)

BATCH = 2000  # records: 500 halves the rate, 5000 gains nothing (measured on two cores)
AT_ONCE = 4  # transactions
WATCH_EVERY = 5.0  # seconds between two looks at whether partitions move
POLL = 0.5  # seconds a worker waits for records before it looks whether it should stop


class Consumer:
    """Reads the partitions this replica holds leases of."""

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
        self._workers: dict[Place, tuple[Claim, asyncio.Task[None]]] = {}
        self._dropped: set[Place] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._stopping = asyncio.Event()
        self._halted: set[Place] = set()
        self._busy: set[Place] = set()
        self._watchdog = Watchdog()
        self._watch_again = 0.0
        self._reading = False

    def waits_for(self) -> str | None:
        """None once it reads, else what is missing. One halted partition does not make a service unready."""
        return None if self._reading else f"{self._subscription.group} does not read from Kafka yet"

    def _unwanted(self, claim: Claim) -> bool:
        return self._stopping.is_set() or claim.place in self._dropped

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Consume until stopped. Trouble at the start is waited out, like any other."""
        try:
            await self._connect_patiently()
            while not self._stopping.is_set():
                try:
                    await self._balance()
                    self._reading = True
                    await self._watch()
                except (*INFRASTRUCTURE, KafkaError) as problem:
                    log.warning("consumer.balance_failed", problem=repr(problem))
                await self._pause(TTL / 6)
        finally:
            await self._close()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _connect_patiently(self) -> None:
        while not self._stopping.is_set():
            try:
                return await self._connect()
            except (*INFRASTRUCTURE, KafkaError) as problem:
                log.warning("consumer.waiting", problem=repr(problem))
                await self._pause(1.0)
        return None

    async def _connect(self) -> None:
        """Assign every partition, at its stored offset and paused: a lease then only seeks and resumes."""
        if self._client is not None:
            await _stop(self._client)
        client = self._client = AIOKafkaConsumer(
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
        await client.start()
        places = [
            TopicPartition(topic, part)
            for topic in self._subscription.topics
            for part in range(self._cluster.partitions[topic])
        ]
        client.assign(places)
        beginnings = await client.beginning_offsets(places)
        offsets = await self._leases.enrol(
            {(tp.topic, tp.partition): int(at) for tp, at in beginnings.items()}
        )
        for tp in places:
            client.seek(tp, offsets[tp.topic, tp.partition])
        client.pause(*places)

    async def _balance(self) -> None:
        """Hold a fair share of the partitions: drop what was lost, give back a surplus, take what is free."""
        members, held = await self._leases.renew()
        gone = [
            place
            for place, (claim, task) in self._workers.items()
            if held.get(place) != claim.epoch or task.done()
        ]
        await self._drop(gone)
        total = sum(self._cluster.partitions[topic] for topic in self._subscription.topics)
        share = math.ceil(total / members)
        surplus = max(0, len(self._workers) - share)
        by_partition = sorted(self._workers, key=lambda place: (place[1], place[0]), reverse=True)
        await self._drop(by_partition[:surplus])
        if len(self._workers) < share:
            for claim in await self._leases.take(share - len(self._workers), list(self._workers)):
                fault("consumer.after_claim")
                self._workers[claim.place] = (claim, asyncio.create_task(self._work(claim)))

    async def _watch(self) -> None:
        """Measure the lag, and connect anew when fetching stands still before the end of a partition."""
        client = self._client
        if client is None or monotonic() < self._watch_again:
            return
        self._watch_again = monotonic() + WATCH_EVERY
        held = [TopicPartition(*place) for place in self._workers]
        async with asyncio.timeout(2):  # leases must be renewed meanwhile
            ends = {
                (tp.topic, tp.partition): int(end) for tp, end in (await client.end_offsets(held)).items()
            }
            positions = {(tp.topic, tp.partition): int(await client.position(tp)) for tp in held}
        for place, (claim, _) in self._workers.items():
            METRICS.lag.labels(*place).set(max(0, ends.get(place, 0) - claim.next_offset))
            METRICS.halted.labels(*place).set(place in self._halted)
        idle = {place: at for place, at in positions.items() if place not in self._busy | self._halted}
        stuck = self._watchdog.stuck(idle, ends, monotonic())
        if stuck:
            log.error("consumer.stuck", partitions=[f"{topic}/{part}" for topic, part in stuck])
            self._watchdog.forget()
            await self._drop(list(self._workers))
            await self._connect_patiently()

    async def _drop(self, places: Sequence[Place]) -> None:
        """Let the workers finish what they are at, then give the leases back."""
        if not places:
            return
        self._halted.difference_update(places)
        dropped = [self._workers.pop(place) for place in places]
        self._dropped.update(places)
        await asyncio.wait([task for _, task in dropped])
        self._dropped.difference_update(places)
        for claim, task in dropped:
            METRICS.lag.labels(*claim.place).set(0)
            METRICS.halted.labels(*claim.place).set(0)
            if (problem := task.exception()) is not None:
                log.error("consumer.worker_failed", topic=claim.topic, exc_info=problem)
            await self._leases.release(claim)

    async def _work(self, claim: Claim) -> None:
        """Read one partition until it is dropped or lost."""
        client = self._client
        if client is None:
            return
        tp = TopicPartition(*claim.place)
        client.seek(tp, claim.next_offset)
        client.resume(tp)
        try:
            while not self._unwanted(claim):
                records = await self._fetch(client, tp)
                records = [each for each in records if each.offset >= claim.next_offset]
                if records:
                    self._busy.add(claim.place)
                    async with self._slots:
                        await self._batches.handle(claim, records)
                    self._busy.discard(claim.place)
                    METRICS.lag.labels(*tp).set(
                        (client.highwater(tp) or claim.next_offset) - claim.next_offset
                    )
        except PartitionLost:
            METRICS.conflicts.labels(claim.topic).inc()
            log.info("consumer.partition_lost", topic=claim.topic, partition=claim.part)
        finally:
            self._busy.discard(claim.place)
            client.pause(tp)

    async def _fetch(self, client: AIOKafkaConsumer, tp: TopicPartition) -> list[Record]:
        # Never cancelled: aiokafka leaks its fetch count when a getmany is.
        try:
            batches: Mapping[Any, Sequence[Any]] = await client.getmany(
                tp, timeout_ms=int(POLL * 1000), max_records=BATCH
            )
        except OffsetOutOfRangeError:
            # The stored offset is not on the broker: truncated, or another topic of that name. Going
            # on anywhere else would lose records silently: the partition halts until an operator decides.
            log.exception("consumer.offset_out_of_range", topic=tp.topic, partition=tp.partition)
            self._halted.add((tp.topic, tp.partition))
            await self._pause(5.0)
            return []
        except (KafkaError, OSError) as problem:
            log.warning("consumer.fetch_failed", problem=repr(problem))
            await self._pause(1.0)
            return []
        found = batches.get(tp, ())
        if found:
            self._halted.discard((tp.topic, tp.partition))
        return [
            Record(
                each.topic,
                each.partition,
                each.offset,
                each.key,
                each.value,
                tuple(each.headers),
                each.timestamp,
            )
            for each in found
        ]

    async def _close(self) -> None:
        self._stopping.set()
        self._reading = False
        try:
            async with asyncio.timeout(10):
                await self._drop(list(self._workers))
                await self._leases.leave()
        except (TimeoutError, *INFRASTRUCTURE) as problem:
            log.warning("consumer.left_without_goodbye", problem=repr(problem))
        if self._client is not None:
            await _stop(self._client)


async def _stop(client: AIOKafkaConsumer) -> None:
    try:
        async with asyncio.timeout(5):
            await client.stop()
    except (TimeoutError, KafkaError, OSError, asyncio.CancelledError):
        log.warning("consumer.abandoned")
