"""A batch and its offset: committed together, tried again when the world fails, cut when a record does."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.chassis.database import INFRASTRUCTURE, Connection, Database, real_now
from services.chassis.dead_letters import Record, bury
from services.chassis.faults import fault
from services.chassis.leases import Claim, Leases, advance, stored_offset
from services.chassis.outbox import Outbox
from services.chassis.telemetry import METRICS

log = structlog.get_logger(__name__)

TRIES = 3  # of a whole batch, before it is cut

Handler = Callable[[Connection, Sequence[Record], datetime], Awaitable[None]]


class PartitionLost(Exception):
    """Another replica owns the partition by now; what was fetched is dropped and fetched by the other."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a group reads and what it does with it.

    `handler` gets one partition's records in order, inside a transaction, with the database's real clock.
    """

    group: str
    topics: Sequence[str]
    handler: Handler
    after_commit: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Batches:
    """Commits the batches of the partitions a consumer holds. `unwanted` tells that a claim is being given up."""

    database: Database
    leases: Leases
    outbox: Outbox
    subscription: Subscription
    unwanted: Callable[[Claim], bool]

    async def handle(self, claim: Claim, records: Sequence[Record], *, tries: int = TRIES) -> None:
        """Commit the records, however long it takes; raises `PartitionLost` when they are another's by now."""
        pause, failures = 0.1, 0
        while True:
            try:
                with METRICS.batch_seconds.labels(claim.topic).time():
                    await self._commit(claim, records, self.subscription.handler)
                break
            except PartitionLost:
                raise
            except INFRASTRUCTURE as problem:
                log.warning("consumer.batch_interrupted", topic=claim.topic, problem=repr(problem))
                if await self._committed_after_all(claim, records):
                    break
            except Exception as problem:
                failures += 1
                log.exception("consumer.batch_failed", topic=claim.topic, records=len(records))
                if failures >= tries:
                    await self._isolate(claim, records, problem)
                    return
            METRICS.retries.labels(claim.topic).inc()
            await asyncio.sleep(pause)
            if self.unwanted(claim):
                raise PartitionLost
            pause = min(pause * 2, 2.0)
        self._done(claim, records)

    def _done(self, claim: Claim, records: Sequence[Record]) -> None:
        claim.next_offset = records[-1].offset + 1
        METRICS.consumed.labels(claim.topic).inc(len(records))
        self.subscription.after_commit()
        fault("consumer.after_commit")

    async def _commit(self, claim: Claim, records: Sequence[Record], handler: Handler) -> None:
        async with self.database.transaction() as connection:
            if not await advance(connection, self.leases, claim, to=records[-1].offset + 1):
                raise PartitionLost
            fault("consumer.after_offset")
            await handler(connection, records, await real_now(connection))
            fault("consumer.before_commit")

    async def _committed_after_all(self, claim: Claim, records: Sequence[Record]) -> bool:
        """The connection was lost, perhaps at COMMIT: the stored offset tells whether it happened."""
        try:
            next_offset, epoch = await stored_offset(self.leases, claim)
        except INFRASTRUCTURE:
            return False
        return epoch == claim.epoch and next_offset == records[-1].offset + 1

    async def _isolate(self, claim: Claim, records: Sequence[Record], problem: Exception) -> None:
        """Halve until the record that cannot be handled stands alone, and bury that one."""
        if len(records) > 1:
            middle = len(records) // 2
            await self.handle(claim, records[:middle], tries=1)
            await self.handle(claim, records[middle:], tries=1)
            return

        async def bury_it(connection: Connection, these: Sequence[Record], _now: datetime) -> None:
            await bury(connection, self.outbox, these[0], reason=f"could not be handled: {problem!r}")

        await self._commit(claim, records, bury_it)
        self._done(claim, records)
