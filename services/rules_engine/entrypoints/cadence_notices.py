"""The worker that tells customers of their cadence, a batch of accounts in a transaction."""

from collections.abc import Callable
from dataclasses import dataclass

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.faults import fault
from services.rules_engine.application.tell_cadence import BATCH, NoticeQueue, tell_cadence
from services.rules_engine.domain.account import EvaluationContext


@dataclass(frozen=True, slots=True)
class CadenceNotices:
    """One pass looks at some accounts whose cadence may have changed."""

    database: Database
    clock: ServiceClock
    context: Callable[[], EvaluationContext]
    queue: Callable[[Connection], NoticeQueue]
    after_commit: Callable[[], None]

    async def run_once(self) -> float | None:
        """Returns 0 while there may be more, else None."""
        async with self.database.transaction() as connection:
            now = self.clock.at(await real_now(connection))
            looked_at = await tell_cadence(self.queue(connection), self.context(), now)
            fault("sweep.before_commit")
        if not looked_at:
            return None
        self.after_commit()
        return 0 if looked_at == BATCH else None
