"""Which accounts are to be evaluated again: by time, or because policy or portfolio changed.

One row says how far the sweep of the newest generation has come, in order of account ids; an account for which nothing
changes is only read. Replicas take turns with it. Who loads accounts follows the sweep (`FOLLOW_SWEEP`): when a sweep
begins, no transaction that began without knowing of it is under way, so what it does not see is evaluated by whoever
writes it. `decided_under` of an account is negative when it waits for a replica of that generation, because one that is
behind received an event of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import asyncpg

from services.chassis.database import Connection, Database
from services.rules_engine.adapters.account_repository import FOLLOW_SWEEP, STORED, stored_account
from services.rules_engine.application.sweep_accounts import SweepPhase
from services.rules_engine.domain.account import Account

BEGIN_LOCK = "LOCK TABLE sweep IN EXCLUSIVE MODE"
WAIT_FOR_LOCK = "SET LOCAL lock_timeout = '2s'"
"""Batches wait meanwhile for those that are under way; the next pass tries again."""
BEGIN = """
UPDATE sweep SET generation = $1, policy = $2, position = '' WHERE generation < $1
"""
KNOWN = "SELECT generation, completed FROM sweep"
CLAIM = """
SELECT position FROM sweep WHERE generation = $1 AND completed < $1 FOR UPDATE SKIP LOCKED
"""
AFTER = f"{STORED} WHERE account_id > $1 AND state IS NOT NULL ORDER BY account_id LIMIT $2"
ADVANCE = "UPDATE sweep SET position = $1"
COMPLETE = "UPDATE sweep SET completed = generation, completed_policy = policy"
# Both skip rows that another replica is sweeping; an account whose events are being applied is evaluated there anyway.
DUE = """
SELECT account_id FROM account WHERE next_evaluation_at <= $1 AND decided_under BETWEEN -$3::bigint AND $3
ORDER BY next_evaluation_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
WAITING = """
SELECT account_id FROM account WHERE decided_under < 0 AND decided_under >= -$1::bigint AND state IS NOT NULL
ORDER BY decided_under LIMIT $2 FOR UPDATE SKIP LOCKED
"""
NEXT = "SELECT min(next_evaluation_at) FROM account"


@dataclass(frozen=True, slots=True)
class SweepRepository:
    """The `Sweeps` port."""

    database: Database

    async def follow(self, generation: int, policy_hash: str) -> SweepPhase:
        """Where the sweep of this generation is; it begins if it has not."""
        row = await self.database.pool.fetchrow(KNOWN)
        known, completed = row or (0, 0)
        if known < generation:
            return SweepPhase.RUNNING if await self._begin(generation, policy_hash) else SweepPhase.SUPERSEDED
        if known > generation:
            return SweepPhase.SUPERSEDED
        return SweepPhase.COMPLETE if completed == generation else SweepPhase.RUNNING

    async def _begin(self, generation: int, policy_hash: str) -> bool:
        """False: what is under way took too long, or a later generation came first."""
        try:
            async with self.database.transaction() as connection:
                await connection.execute(WAIT_FOR_LOCK)
                await connection.execute(BEGIN_LOCK)
                return await connection.execute(BEGIN, generation, policy_hash) == "UPDATE 1"
        except asyncpg.LockNotAvailableError:
            return False

    async def claim_due(
        self, connection: Connection, now: datetime, generation: int, limit: int
    ) -> list[str]:
        """Accounts, locked: first those whose time has come, then those that waited for this generation."""
        await connection.execute(FOLLOW_SWEEP)
        rows = await connection.fetch(DUE, now, limit, generation)
        if len(rows) < limit:
            rows += await connection.fetch(WAITING, generation, limit - len(rows))
        return sorted({row[0] for row in rows})

    async def claim_piece(
        self, connection: Connection, generation: int, limit: int
    ) -> Sequence[Account] | None:
        """The next accounts of this generation's sweep, not locked; None: it is complete, or another replica has it.

        Until the transaction ends no other replica sweeps.
        """
        await connection.execute(FOLLOW_SWEEP)
        position = await connection.fetchval(CLAIM, generation)
        if position is None:
            return None
        return [stored_account(row) for row in await connection.fetch(AFTER, position, limit)]

    async def finish_piece(self, connection: Connection, piece: Sequence[Account], limit: int) -> None:
        """Everything in the piece is evaluated; one that is not full was the last."""
        if len(piece) < limit:
            await connection.execute(COMPLETE)
        else:
            await connection.execute(ADVANCE, piece[-1].account_id)

    async def next_due(self) -> datetime | None:
        return cast("datetime | None", await self.database.pool.fetchval(NEXT))
