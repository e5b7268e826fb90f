"""The workers: they release what is due, mark what is overdue and extend horizons.

Each pass is one short transaction; `now` is the database's real clock, read once and mapped to the service clock.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.faults import fault
from services.scheduler.application.ports import CalendarRepository, Count, TouchpointQueue
from services.scheduler.application.reconcile_calendar import extend_horizons
from services.scheduler.application.release_due import BATCH, mark_overdue, release_due

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


@dataclass(frozen=True, slots=True)
class OverdueMarker:
    """Marks overdue what people owe, and deletes old rows of the change feed."""

    database: Database
    clock: ServiceClock
    queue: Callable[[Connection], TouchpointQueue]
    after_commit: Callable[[], None]
    count: Count

    async def run_once(self) -> float | None:
        async with self.database.transaction() as connection:
            now = self.clock.at(await real_now(connection))
            queue = self.queue(connection)
            claimed = await mark_overdue(queue, now)
            await queue.delete_old_changes()
            fault("sweep.before_commit")
        if claimed:
            self.count("overdue", claimed)
            self.after_commit()
        return 0 if claimed == BATCH else None


@dataclass(frozen=True, slots=True)
class HorizonExtender:
    """Extends the horizons of accounts, also when the hours of their people have changed."""

    database: Database
    clock: ServiceClock
    calendars: Callable[[Connection], CalendarRepository]
    after_commit: Callable[[], None]
    count: Count

    async def run_once(self) -> float | None:
        async with self.database.transaction() as connection:
            now = self.clock.at(await real_now(connection))
            result = await extend_horizons(self.calendars(connection), now)
            fault("sweep.before_commit")
        if not result.calendars:
            return None
        result.report("extended", self.count)
        self.after_commit()
        return 0
