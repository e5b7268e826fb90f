# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The consume loop: a partition's batch, its offset and its effects commit together or not at all.

Each partition of this replica has one worker; a few transactions run at once. A batch that fails because the
database or the broker is away is retried until it succeeds. A batch that fails for another reason is halved
until the record that fails is alone; that record becomes a dead letter with the reason, and the partition goes on.
Too many dead letters halt it (see `halts`).

Leases are renewed by a task of their own: whatever a batch, a claim or the broker takes, no lease ends meanwhile.
"""

import asyncio
import math
from collections.abc import Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from services.chassis.batch_sizes import BatchSizes
from services.chassis.batches import Batches, PartitionLost, Subscription, reporter
from services.chassis.clock import monotonic
from services.chassis.consumer_client import AssignedConsumer, connect_assigned
from services.chassis.database import INFRASTRUCTURE, Database
from services.chassis.dead_letters import Record
from services.chassis.faults import fault
from services.chassis.group_offsets import GroupOffsets
from services.chassis.halts import OFFSET_MISSING, Halts, TooManyDeadLetters
from services.chassis.kafka import stop_client
from services.chassis.leases import TTL, Leases, PartitionClaim
from services.chassis.loops import wait_for_event
from services.chassis.measured import Measured
from services.chassis.outages import KAFKA, OUTAGES, KafkaAway, part_of
from services.chassis.outbox import Outbox
from services.chassis.settings import Kafka
from services.chassis.telemetry import METRICS
from services.chassis.topics import Cluster
from services.chassis.watchdog import Watchdog

log = structlog.get_logger(__name__)

CONCURRENT_TRANSACTIONS = 4
WATCH_SECONDS = 5.0  # between two checks whether partitions move
ENDS_SECONDS = 3.0  # until the broker tells the ends of partitions: first it ends the fetch that it holds
POLL_SECONDS = 10.0  # a worker waits this long for records, unless it is interrupted


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
        self._halts = Halts(database, cluster.id, subscription.group, subscription.limits)
        self._batches = Batches(database, self._leases, self._halts, outbox, subscription, self._unwanted)
        self._sizes = BatchSizes()
        self._positions = GroupOffsets(kafka, subscription.group)
        self._client: AssignedConsumer | None = None
        self._workers: dict[TopicPartition, tuple[PartitionClaim, asyncio.Task[None]]] = {}
        self._dropped: set[TopicPartition] = set()
        self._slots = asyncio.Semaphore(CONCURRENT_TRANSACTIONS)
        self._stopping = asyncio.Event()
        self._halted: dict[TopicPartition, str] = {}  # with the reasons, also of those that no replica reads
        self._out_of_range: set[TopicPartition] = set()
        self._busy: set[TopicPartition] = set()
        self._watchdog = Watchdog()
        self._watch_again = 0.0
        self._reading = False
        # A name of its own: a pass that asks nothing of the broker does not show that the broker works.
        self._broker_reporter = f"{subscription.group} broker"

    def waits_for(self) -> str | None:
        """None once it reads every partition, else the reason."""
        return None if self._reading else f"{self._subscription.group} does not read from Kafka yet"

    def halted(self) -> dict[str, str]:
        """The halted partitions (`topic/partition`) that this replica knows of, with the reasons."""
        missing = dict.fromkeys(self._out_of_range, OFFSET_MISSING)
        reasons = missing | self._halted
        return {f"{place.topic}/{place.partition}": reasons[place] for place in sorted(reasons)}

    def idle_claims(self) -> list[PartitionClaim] | None:
        """What it reads; None while it handles a batch, or does not read yet."""
        if self._client is None or not self._reading or self._busy:
            return None
        return [claim for claim, _ in self._workers.values()]

    def _unwanted(self, claim: PartitionClaim) -> bool:
        return self._stopping.is_set() or claim.partition in self._dropped

    def stop(self) -> None:
        self._stopping.set()
        if self._client is not None:
            self._client.interrupt()

    async def run(self) -> None:
        """Consume until stopped; errors of the database or the broker are retried, also at the start."""
        renewing = asyncio.create_task(self._keep_leases())
        committing = asyncio.create_task(self._positions.run())
        try:
            while not self._stopping.is_set():
                try:
                    if self._client is None:
                        await self._leases.take_over()
                        self._client = await connect_assigned(self._kafka, self._leases, self._partitions())
                    await self._balance()
                    self._reading = True
                    await self._watch()
                    OUTAGES.works(self._subscription.group)
                except (*INFRASTRUCTURE, KafkaError) as problem:
                    who = self._broker_reporter if part_of(problem) == KAFKA else self._subscription.group
                    if not OUTAGES.report(who, problem):
                        log.warning("consumer.interrupted", problem=repr(problem))
                await wait_for_event(self._stopping, TTL / 6)
        finally:
            await self._close(renewing)
            committing.cancel()
            await asyncio.wait([committing])

    async def _keep_leases(self) -> None:
        """Renew the leases until cancelled."""
        while True:
            try:
                await self._leases.renew()
                OUTAGES.works("leases")
            except INFRASTRUCTURE as problem:
                if not OUTAGES.report("leases", problem):
                    log.warning("consumer.leases_not_renewed", problem=repr(problem))
            await asyncio.sleep(TTL / 6)

    def _partitions(self) -> list[TopicPartition]:
        return [
            TopicPartition(topic, part)
            for topic in self._subscription.topics
            for part in range(self._cluster.partitions[topic])
        ]

    async def _balance(self) -> None:
        """Read a fair share of the partitions: drop lost ones, give back a surplus, claim free ones."""
        await self._note_halts()
        members, epochs = await self._leases.survey()
        lost = [
            partition
            for partition, (claim, task) in self._workers.items()
            if epochs.get(partition) != claim.epoch or task.done()
        ]
        await self._drop(lost)
        share = math.ceil(len(self._partitions()) / members)
        surplus = max(0, len(self._workers) - share)
        highest_first = sorted(self._workers, key=lambda tp: (tp.partition, tp.topic), reverse=True)
        await self._drop(highest_first[:surplus])
        if len(self._workers) < share:
            for claim in await self._leases.take(share - len(self._workers), list(self._workers)):
                fault("consumer.after_claim")
                self._workers[claim.partition] = (claim, asyncio.create_task(self._work(claim)))

    async def _note_halts(self) -> None:
        """Read which partitions are halted, by any replica."""
        halted = await self._halts.read()
        for partition in self._halted.keys() - halted.keys():
            METRICS.halted.labels(*partition).set(0)
        for partition in halted:
            METRICS.halted.labels(*partition).set(1)
        self._halted = halted

    async def _watch(self) -> None:
        """Measure the lag, and reconnect when fetching has stopped before the end of a partition."""
        client = self._client
        if client is None or monotonic() < self._watch_again:
            return
        self._watch_again = monotonic() + WATCH_SECONDS
        partitions = list(self._workers)
        try:
            async with asyncio.timeout(ENDS_SECONDS):
                ends: dict[TopicPartition, int] = await client.end_offsets(partitions)
                positions = {partition: int(await client.position(partition)) for partition in partitions}
        except TimeoutError:
            raise KafkaAway("the broker does not tell the ends of the partitions") from None
        OUTAGES.works(self._broker_reporter)
        for partition, (claim, _) in self._workers.items():
            METRICS.lag.labels(*partition).set(max(0, ends.get(partition, 0) - claim.next_offset))
        waiting = self._busy | self._out_of_range
        idle = {tp: position for tp, position in positions.items() if tp not in waiting}
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
        dropped = [self._workers.pop(partition) for partition in partitions]
        self._dropped.update(partitions)
        if self._client is not None:
            self._client.interrupt()
        await asyncio.wait([task for _, task in dropped])
        self._dropped.difference_update(partitions)
        for claim, task in dropped:
            METRICS.lag.labels(*claim.partition).set(0)
            self._set_out_of_range(claim.partition, is_missing=False)
            self._positions.forget(claim.partition)
            OUTAGES.works(reporter(claim))
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
                        handling = Measured(self._batches.handle(claim, records))
                        await handling
                    self._sizes.adapt(partition.topic, len(records), handling)
                    self._busy.discard(partition)
                    self._positions.note(partition, claim.next_offset)
                    end = client.highwater(partition) or claim.next_offset
                    METRICS.lag.labels(*partition).set(end - claim.next_offset)
        except PartitionLost:
            METRICS.conflicts.labels(partition.topic).inc()
            log.info("consumer.partition_lost", **partition._asdict())
        except TooManyDeadLetters as reason:
            log.critical("consumer.partition_halted", **partition._asdict(), reason=str(reason))
            await self._halts.halt(partition, claim.epoch, str(reason))
        finally:
            self._busy.discard(partition)
            client.pause(partition)

    async def _fetch(self, client: AssignedConsumer, partition: TopicPartition) -> list[Record]:
        try:
            messages = await client.read(partition, self._sizes.of(partition.topic), POLL_SECONDS)
        except OffsetOutOfRangeError:
            # The broker does not have the stored offset: the topic was truncated or created again. Reading on
            # from another offset would lose records silently: the partition halts until an operator decides.
            self._set_out_of_range(partition, is_missing=True)
            await wait_for_event(self._stopping, 5.0)
            return []
        except (KafkaError, OSError) as problem:
            OUTAGES.report(self._broker_reporter, KafkaAway(repr(problem)))
            await wait_for_event(self._stopping, 1.0)
            return []
        client.adapt(has_records=bool(messages))
        if messages:
            self._set_out_of_range(partition, is_missing=False)
        return [
            Record(*partition, raw.offset, raw.key, raw.value, tuple(raw.headers), raw.timestamp)
            for raw in messages
        ]

    def _set_out_of_range(self, partition: TopicPartition, *, is_missing: bool) -> None:
        """Note whether the broker has a partition's stored offset."""
        if is_missing == (partition in self._out_of_range):
            return
        METRICS.halted.labels(*partition).set(is_missing)
        if is_missing:
            self._out_of_range.add(partition)
            log.critical("consumer.offset_out_of_range", **partition._asdict())
        else:
            self._out_of_range.discard(partition)

    async def _close(self, renewing: "asyncio.Task[None]") -> None:
        self._stopping.set()
        self._reading = False
        try:
            async with asyncio.timeout(10):
                await self._drop(list(self._workers))
                await self._positions.flush()
                renewing.cancel()  # or it would announce this replica again
                await asyncio.wait([renewing])
                await self._leases.leave()
        except (TimeoutError, *INFRASTRUCTURE) as problem:
            log.warning("consumer.leave_failed", problem=repr(problem))
        renewing.cancel()
        if self._client is not None:
            await stop_client(self._client)
