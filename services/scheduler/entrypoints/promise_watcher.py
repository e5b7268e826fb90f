"""Looks at promises that may be broken, on one replica at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.faults import fault
from services.scheduler.application.ports import Count
from services.scheduler.application.watch_promises import Patience, PromiseRepository, watch_promises

PATIENCE_SECONDS: Final = 60.0
"""Real seconds before a promise ends in which a look at it no longer waits for plans, levelling and announcements."""


@dataclass(slots=True)
class PromiseWatcher:
    """`is_waiting`: on a clock that stands, whether something is still to be looked at: the rehearsal waits for it."""

    database: Database
    clock: ServiceClock
    promises: Callable[[Connection], PromiseRepository]
    after_commit: Callable[[], None]
    count: Count
    is_waiting: bool = False

    async def run_once(self) -> float | None:
        """One pass; the real seconds until the next one, None: the loop's interval."""
        async with self.database.transaction() as connection:
            now = self.clock.at(await real_now(connection))
            urgent_at = now + PATIENCE_SECONDS * timedelta(seconds=self.clock.rate)
            promises = self.promises(connection)
            if not await promises.is_anything_due(now):
                self.is_waiting = False
                return None
            result = await watch_promises(promises, now, Patience(urgent_at, not self.clock.stands))
            self.is_waiting = self.clock.stands and await promises.is_anything_due(now)
            fault("sweep.before_commit")
        for kind, number in result.counts().items():
            self.count(kind, number)
        if result.has_changed:
            self.after_commit()
        return 0 if result.has_more else None
