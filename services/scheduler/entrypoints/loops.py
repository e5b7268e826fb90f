"""The clock's doors: what is due, what is overdue, and whose horizon wants the next occurrence.

Each pass is one short transaction; `now` is the database's real clock, read once and mapped.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.faults import fault
from services.scheduler.application.accept import Tally, refresh
from services.scheduler.application.ports import Calendar, Queue
from services.scheduler.application.release import BATCH, release
from services.scheduler.entrypoints.counting import Counted, count_all
from services.scheduler.entrypoints.letters import plan_of

OUTAGE = 5.0
"""Real seconds of lateness from which a touchpoint was missed by an outage, not by a busy moment."""

BREATH = 0.005
LANES = 3
"""Transactions at once in a backlog: while the database works at one batch, the next is put into words."""
BATCHES = 20
"""Of a lane, before the loop looks whether it should stop."""

Woken = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Releaser:
    """Says that touchpoints are due, oldest first."""

    database: Database
    clock: ServiceClock
    queue: Callable[[Connection], Queue]
    after_commit: Woken
    counted: Counted

    async def run_once(self) -> float:
        """A batch, and while there is a backlog more of them side by side.

        Answers the real seconds until the next look is worth while.
        """
        claimed, rest = await self._batch()
        if claimed == BATCH:
            await asyncio.gather(*(self._lane() for _ in range(LANES)))
            return 0
        return rest

    async def _lane(self) -> None:
        for _ in range(BATCHES):
            claimed, _ = await self._batch()
            if claimed < BATCH:
                return

    async def _batch(self) -> tuple[int, float]:
        async with self.database.transaction() as connection:
            queue = self.queue(connection)
            now = self.clock.at(await real_now(connection))
            claimed = await release(queue, now, timedelta(seconds=OUTAGE * self.clock.rate))
            fault("release.before_commit")
            next_due = await queue.next_due() if claimed < BATCH else now
        fault("release.after_commit")
        if claimed:
            self.counted("released", claimed)
            self.after_commit()
        rest = 3600.0 if next_due is None else self.clock.real_seconds(next_due - now)
        return claimed, max(rest, BREATH)  # what is due and was not claimed is in another hand right now


@dataclass(frozen=True, slots=True)
class Lapser:
    """Marks overdue what people owe."""

    database: Database
    clock: ServiceClock
    queue: Callable[[Connection], Queue]
    after_commit: Woken
    counted: Counted

    async def run_once(self) -> float | None:
        async with self.database.transaction() as connection:
            now = self.clock.at(await real_now(connection))
            queue = self.queue(connection)
            lapsed = await queue.lapse(now, BATCH)
            await queue.forget_old_changes()
            fault("sweep.before_commit")
        if lapsed:
            self.counted("overdue", lapsed)
            self.after_commit()
        return 0 if lapsed == BATCH else None


Claim = Callable[[Connection, datetime], Awaitable[Mapping[str, bytes]]]


@dataclass(frozen=True, slots=True)
class Extender:
    """Looks again at accounts whose horizon has moved on, or whose people's hours have changed."""

    database: Database
    clock: ServiceClock
    claim: Claim
    calendar: Callable[[Connection], Calendar]
    after_commit: Woken
    counted: Counted

    async def run_once(self) -> float | None:
        async with self.database.transaction() as connection:
            now = self.clock.at(await real_now(connection))
            letters = await self.claim(connection, now)
            tally = await refresh(letters, plan_of, self.calendar(connection), now) if letters else Tally()
            fault("sweep.before_commit")
        if not letters:
            return None
        count_all(tally, "extended", self.counted)
        self.after_commit()
        return 0
