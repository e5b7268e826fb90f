"""A batch and its offset: committed together, retried after infrastructure errors, split when a record fails.

A batch that would make too many dead letters is not committed: its partition halts (see `halts`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from structlog.contextvars import bound_contextvars

from services.chassis.database import INFRASTRUCTURE, Connection, Database
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.faults import fault
from services.chassis.halts import Halts, TooManyDeadLetters
from services.chassis.leases import Leases, PartitionClaim, advance, stored_offset
from services.chassis.outages import OUTAGES
from services.chassis.outbox import Outbox
from services.chassis.settings import DeadLetters
from services.chassis.telemetry import METRICS
from services.chassis.tracing import traces

log = structlog.get_logger(__name__)

TRIES = 3  # of a whole batch, before it is split

Handler = Callable[[Connection, Sequence[Record], datetime], Awaitable[None]]


def reporter(claim: PartitionClaim) -> str:
    """The name under which a partition's worker reports outages."""
    return f"{claim.partition.topic}/{claim.partition.partition}"


def _name_batch(records: Sequence[Record]) -> str:
    """A batch in the lines of the log: `topic/partition@first-last offset`."""
    first, last = records[0], records[-1]
    return f"{first.topic}/{first.partition}@{first.offset}-{last.offset}"


def _report(claim: PartitionClaim, problem: Exception) -> None:
    if not OUTAGES.report(reporter(claim), problem):
        log.warning("consumer.batch_interrupted", topic=claim.partition.topic, problem=repr(problem))


class PartitionLost(Exception):
    """Another replica owns the partition; it reads again what this one fetched."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a consumer group reads and what it does with it.

    `handler` gets one partition's records in order, inside a transaction, with the database's real clock.
    """

    group: str
    topics: Sequence[str]
    handler: Handler
    after_commit: Callable[[], None]
    limits: DeadLetters = field(default_factory=DeadLetters)


@dataclass(frozen=True, slots=True)
class Batches:
    """Commits the batches of a consumer's partitions. `unwanted` answers whether a claim is being given up."""

    database: Database
    leases: Leases
    halts: Halts
    outbox: Outbox
    subscription: Subscription
    unwanted: Callable[[PartitionClaim], bool]

    async def handle(self, claim: PartitionClaim, records: Sequence[Record], *, tries: int = TRIES) -> None:
        """Commit the records, however long it takes. Raises `PartitionLost` and `TooManyDeadLetters`."""
        topic = claim.partition.topic
        pause, failures = 0.1, 0
        while True:
            try:
                with METRICS.batch_seconds.labels(topic).time():
                    await self._commit(claim, records, self.subscription.handler)
                break
            except (PartitionLost, TooManyDeadLetters):
                raise
            except INFRASTRUCTURE as problem:
                _report(claim, problem)
                if await self._was_committed(claim, records):
                    break
            except Exception as problem:
                failures += 1
                log.exception("consumer.batch_failed", topic=topic, records=len(records))
                if failures >= tries:
                    await self._isolate(claim, records, problem)
                    return
            METRICS.retries.labels(topic).inc()
            await asyncio.sleep(pause)
            if self.unwanted(claim):
                raise PartitionLost
            pause = min(pause * 2, 2.0)
        self._done(claim, records)

    def _done(self, claim: PartitionClaim, records: Sequence[Record]) -> None:
        claim.next_offset = records[-1].offset + 1
        OUTAGES.works(reporter(claim))
        METRICS.consumed.labels(claim.partition.topic).inc(len(records))
        self.subscription.after_commit()
        fault("consumer.after_commit")

    async def _commit(self, claim: PartitionClaim, records: Sequence[Record], handler: Handler) -> None:
        with (
            bound_contextvars(batch=_name_batch(records)),
            traces().batch(self.subscription.group, records),
        ):
            await self._transact(claim, records, handler)

    async def _transact(self, claim: PartitionClaim, records: Sequence[Record], handler: Handler) -> None:
        async with self.database.transaction() as connection:
            now = await advance(connection, self.leases, claim, to=records[-1].offset + 1)
            if now is None:
                raise PartitionLost
            fault("consumer.after_offset")
            await handler(connection, records, now)
            await self.halts.check(connection, claim.partition, [record.offset for record in records])
            fault("consumer.before_commit")

    async def _was_committed(self, claim: PartitionClaim, records: Sequence[Record]) -> bool:
        """Whether the commit happened before the connection was lost, by the stored offset."""
        try:
            next_offset, epoch = await stored_offset(self.leases, claim)
        except INFRASTRUCTURE:
            return False
        return epoch == claim.epoch and next_offset == records[-1].offset + 1

    async def _isolate(self, claim: PartitionClaim, records: Sequence[Record], problem: Exception) -> None:
        """Halve the batch until the record that fails is alone, and make a dead letter of it."""
        if len(records) > 1:
            middle = len(records) // 2
            await self.handle(claim, records[:middle], tries=1)
            await self.handle(claim, records[middle:], tries=1)
            return

        async def dead_letter(connection: Connection, batch: Sequence[Record], _now: datetime) -> None:
            reason = f"could not be handled: {problem!r}"
            await dead_letter_record(connection, self.outbox, batch[0], reason=reason)

        await self._commit(claim, records, dead_letter)
        self._done(claim, records)
