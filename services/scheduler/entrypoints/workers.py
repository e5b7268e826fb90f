"""The workers: they release what is due, mark what is overdue, extend horizons and announce changes.

Each pass is one short transaction; `now` is the database's real clock, read once and mapped to the service clock.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.faults import fault
from services.scheduler.application.announce_changes import BATCH as ACCOUNTS
from services.scheduler.application.announce_changes import AnnouncementQueue, announce_changes
from services.scheduler.application.hand_over import HandoverContext, HandoverRepository, share_out_left
from services.scheduler.application.ports import (
    CalendarRepository,
    Count,
    Keep,
    TouchpointQueue,
)
from services.scheduler.application.read_touchpoints import TouchpointReader
from services.scheduler.application.reconcile_calendar import extend_horizons
from services.scheduler.application.release_due import BATCH, mark_overdue, release_due
from services.scheduler.application.remind_of_touchpoints import ReminderQueue, remind_of_touchpoints

OUTAGE_SECONDS = 5.0
"""Real seconds of lateness from which an outage is the cause, not a busy moment."""
MIN_REST_SECONDS = 0.005
LANES = 3
"""Transactions at once in a backlog: while the database works at one batch, Python prepares the next."""
BATCHES = 20
"""Of a lane, before the loop checks whether it should stop."""


@dataclass(frozen=True, slots=True)
class Releaser:
    """Releases touchpoints that are due, oldest first."""

    database: Database
    clock: ServiceClock
    queue: Callable[[Connection], TouchpointQueue]
    after_commit: Callable[[], None]
    count: Count

    async def run_once(self) -> float:
        """Release a batch, and while there is a backlog more of them side by side.

        Returns the real seconds until the next pass is worthwhile.
        """
        claimed, rest_seconds = await self._release_batch()
        if claimed == BATCH:
            await asyncio.gather(*(self._run_lane() for _ in range(LANES)))
            return 0
        return rest_seconds

    async def _run_lane(self) -> None:
        for _ in range(BATCHES):
            claimed, _ = await self._release_batch()
            if claimed < BATCH:
                return

    async def _release_batch(self) -> tuple[int, float]:
        async with self.database.transaction() as connection:
            queue = self.queue(connection)
            now = self.clock.at(await real_now(connection))
            claimed = await release_due(queue, now, timedelta(seconds=OUTAGE_SECONDS * self.clock.rate))
            fault("release.before_commit")
            next_due_at = await queue.next_due_at() if claimed < BATCH else now
        fault("release.after_commit")
        if claimed:
            self.count("released", claimed)
            self.after_commit()
        rest_seconds = 3600.0 if next_due_at is None else self.clock.real_seconds(next_due_at - now)
        return claimed, max(rest_seconds, MIN_REST_SECONDS)  # what is due but unclaimed is locked elsewhere


class Swept(NamedTuple):
    """What a pass did, by kind of the metric, and whether more of it waits. Empty: there was nothing to do."""

    counts: Mapping[str, int]
    has_more: bool = False


class PassTime(NamedTuple):
    """The time of a pass by both clocks."""

    real: datetime
    service: datetime


Sweep = Callable[[Connection, PassTime], Awaitable[Swept]]


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Runs the passes of one sweep, each in a transaction of its own."""

    database: Database
    clock: ServiceClock
    sweep: Sweep
    after_commit: Callable[[], None]
    count: Count

    async def run_once(self) -> float | None:
        async with self.database.transaction() as connection:
            real = await real_now(connection)
            swept = await self.sweep(connection, PassTime(real, self.clock.at(real)))
            fault("sweep.before_commit")
        if not swept.counts:
            return None
        for kind, number in swept.counts.items():
            self.count(kind, number)
        self.after_commit()
        return 0 if swept.has_more else None


def overdue_sweep(queue: Callable[[Connection], TouchpointQueue]) -> Sweep:
    """Marks overdue what people owe."""

    async def mark(connection: Connection, now: PassTime) -> Swept:
        claimed = await mark_overdue(queue(connection), now.service)
        return Swept({"overdue": claimed} if claimed else {}, claimed == BATCH)

    return mark


def prune_sweep(queue: Callable[[Connection], TouchpointQueue], keep: Keep) -> Sweep:
    """Archives what was closed long ago, and deletes old rows of the change feed."""

    async def prune(connection: Connection, now: PassTime) -> Swept:
        has_more = await queue(connection).prune(now.service, keep)
        return Swept({"pruned": 1} if has_more else {}, has_more)

    return prune


def horizon_sweep(calendars: Callable[[Connection], CalendarRepository]) -> Sweep:
    """Extends the horizons of accounts, also when the hours of their people have changed."""

    async def extend(connection: Connection, now: PassTime) -> Swept:
        result = await extend_horizons(calendars(connection), now.service)
        return Swept(result.counts("extended") if result.calendars else {}, has_more=True)

    return extend


def leaver_sweep(
    calendars: Callable[[Connection], CalendarRepository],
    handovers: Callable[[Connection], HandoverRepository],
    reader: TouchpointReader,
) -> Sweep:
    """Shares out the accounts of people who have left over their pools."""

    async def share_out(connection: Connection, now: PassTime) -> Swept:
        context = HandoverContext(handovers(connection), calendars(connection), reader, now.service)
        shared = await share_out_left(context)
        return Swept({} if shared is None else {"shared_out": shared}, has_more=True)

    return share_out


def announcement_sweep(announcements: Callable[[Connection], AnnouncementQueue]) -> Sweep:
    """Announces the changes of accounts that are quiet."""

    async def announce(connection: Connection, now: PassTime) -> Swept:
        claimed = await announce_changes(announcements(connection), now.real, now.service)
        return Swept({"announced": claimed} if claimed else {}, claimed == ACCOUNTS)

    return announce


def reminder_sweep(reminders: Callable[[Connection], ReminderQueue]) -> Sweep:
    """Reminds of what comes near."""

    async def remind(connection: Connection, now: PassTime) -> Swept:
        result = await remind_of_touchpoints(reminders(connection), now.service)
        return Swept(result.counts(), result.has_more)

    return remind
