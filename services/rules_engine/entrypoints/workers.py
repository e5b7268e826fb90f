"""The sweep: accounts whose time has come, or whose policy or portfolio changed, are evaluated again in batches."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.faults import fault
from services.rules_engine.application.ports import UnitOfWork
from services.rules_engine.application.sweep_accounts import sweep_accounts
from services.rules_engine.domain.account import Clocks, EvaluationContext

BATCH = 500  # accounts per transaction
LONGEST_PAUSE_SECONDS = 1.0  # real seconds at most between two passes


@dataclass(frozen=True, slots=True)
class Sweeper:
    """One pass claims a batch of accounts and evaluates them."""

    database: Database
    clock: ServiceClock
    context: Callable[[], EvaluationContext]
    work: Callable[[Connection], UnitOfWork]
    claim: Callable[[Connection, datetime, int, int], Awaitable[list[str]]]
    next_due: Callable[[], Awaitable[datetime | None]]
    after_commit: Callable[[], None]

    async def run_once(self) -> float | None:
        """Returns the seconds until the next pass."""
        context = self.context()
        async with self.database.transaction() as connection:
            real = await real_now(connection)
            clocks = Clocks(service=self.clock.at(real), real=real)
            claimed = await self.claim(connection, clocks.service, context.generation, BATCH)
            if claimed:
                await sweep_accounts(self.work(connection), claimed, context, clocks)
            fault("sweep.before_commit")
        if claimed:
            self.after_commit()
        if len(claimed) >= BATCH:
            return 0
        upcoming = await self.next_due()
        if upcoming is None:
            return LONGEST_PAUSE_SECONDS
        return min(LONGEST_PAUSE_SECONDS, max(0.02, self.clock.real_seconds(upcoming - clocks.service)))
