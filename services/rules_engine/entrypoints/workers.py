"""The sweep: accounts whose time has come, or whose policy or portfolio changed, are evaluated again in batches."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from services.chassis.clock import ServiceClock
from services.chassis.database import INFRASTRUCTURE, Connection, Database, real_now
from services.chassis.faults import fault
from services.rules_engine.application.ports import UnitOfWork
from services.rules_engine.application.sweep_accounts import (
    SweepPhase,
    find_affected,
    give_up_account,
    sweep_accounts,
)
from services.rules_engine.domain.account import Account, Clocks, EvaluationContext

log = structlog.get_logger(__name__)

BATCH = 500  # accounts per transaction
AT_ONCE = 50  # accounts between which other tasks of the process run
BEHIND_SECONDS = 1.0  # real time until a replica without the newest policy looks again


class Sweeps(Protocol):
    """What is to be evaluated again, and how far the sweep of a new policy or portfolio has come."""

    async def follow(self, generation: int, policy_hash: str) -> SweepPhase: ...

    async def claim_due(
        self, connection: Connection, now: datetime, generation: int, limit: int
    ) -> list[str]: ...

    async def claim_piece(
        self, connection: Connection, generation: int, limit: int
    ) -> Sequence[Account] | None: ...

    async def finish_piece(self, connection: Connection, piece: Sequence[Account], limit: int) -> None: ...

    async def next_due(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Sweeper:
    """One pass evaluates a batch of accounts whose time has come, and a piece of the sweep of a new generation."""

    database: Database
    clock: ServiceClock
    context: Callable[[], EvaluationContext]
    work: Callable[[Connection], UnitOfWork]
    sweeps: Sweeps
    after_commit: Callable[[], None]
    batch: int = BATCH

    async def run_once(self) -> float | None:
        """Returns the seconds until the next pass, None where none is known."""
        context = self.context()
        phase = await self.sweeps.follow(context.generation, context.policy.hash)
        if phase is SweepPhase.SUPERSEDED:
            return BEHIND_SECONDS
        due, now = await self._evaluate_due(context)
        piece = await self._sweep_piece(context) if phase is SweepPhase.RUNNING else 0
        if due or piece:
            self.after_commit()
        if self.batch in {due, piece}:
            return 0
        upcoming = await self.sweeps.next_due()
        if upcoming is None:
            return None
        return max(0.02, self.clock.real_seconds(upcoming - now))

    async def _evaluate_due(self, context: EvaluationContext) -> tuple[int, datetime]:
        """Returns how many accounts there were, and the moment."""
        async with self.database.transaction() as connection:
            clocks = await self._clocks(connection)
            claimed = await self.sweeps.claim_due(connection, clocks.service, context.generation, self.batch)
            await self._write(connection, claimed, context, clocks)
            fault("sweep.before_commit")
        return len(claimed), clocks.service

    async def _sweep_piece(self, context: EvaluationContext) -> int:
        """Returns how many accounts there were; those for which nothing changes are neither locked nor written."""
        async with self.database.transaction() as connection:
            piece = await self.sweeps.claim_piece(connection, context.generation, self.batch)
            if piece is None:
                return 0
            clocks = await self._clocks(connection)
            affected: list[str] = []
            for start in range(0, len(piece), AT_ONCE):
                affected += find_affected(piece[start : start + AT_ONCE], context, clocks)
                await asyncio.sleep(0)
            await self._write(connection, affected, context, clocks)
            await self.sweeps.finish_piece(connection, piece, self.batch)
            fault("sweep.before_commit")
        return len(piece)

    async def _write(
        self, connection: Connection, account_ids: Sequence[str], context: EvaluationContext, clocks: Clocks
    ) -> None:
        """What cannot be stored is undone for its account alone, which is undecided for that reason."""
        work = self.work(connection)
        for start in range(0, len(account_ids), AT_ONCE):
            some = account_ids[start : start + AT_ONCE]
            problem = await _attempt(connection, sweep_accounts(work, some, context, clocks))
            for account_id in some if problem is not None else ():
                problem = await _attempt(connection, sweep_accounts(work, [account_id], context, clocks))
                if problem is not None:
                    log.error("sweep.account_failed", account_id=account_id, problem=repr(problem))
                    await give_up_account(work, account_id, problem, context, clocks)

    async def _clocks(self, connection: Connection) -> Clocks:
        real = await real_now(connection)
        return Clocks(service=self.clock.at(real), real=real)


async def _attempt(connection: Connection, writing: Awaitable[object]) -> Exception | None:
    """Write with a savepoint; returns what went wrong with the accounts themselves."""
    try:
        async with connection.transaction():
            await writing
    except INFRASTRUCTURE:
        raise
    except Exception as problem:  # noqa: BLE001 - one account must not stop the others
        return problem
    return None
