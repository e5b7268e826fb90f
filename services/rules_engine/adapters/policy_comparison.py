"""Policy comparison: stored accounts evaluated under two policies, in batches and within bounds; nothing is stored."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from services.cadence.account.codec import UnreadableState, decode
from services.cadence.evaluation.policy_diff import Difference, Period
from services.cadence.policy.load import load_policy_texts
from services.cadence.portfolio import Portfolio
from services.chassis.clock import ServiceClock, monotonic
from services.chassis.database import Database
from services.rules_engine.adapters.active_policy import ActivePolicy
from services.rules_engine.application.publish_policy import Compared

MOST = 20_000
LONGEST_SECONDS = 20.0
BATCH = 100  # accounts, between which other tasks of the process run
ACCOUNTS = """
SELECT account_id, state FROM account WHERE account_id > $1 AND state IS NOT NULL ORDER BY account_id LIMIT $2
"""


class PolicyComparison:
    """One comparison at a time: each takes a whole processor while it runs."""

    def __init__(self, database: Database, active_policy: ActivePolicy, clock: ServiceClock) -> None:
        self._database = database
        self._active_policy = active_policy
        self._clock = clock
        self._comparing = asyncio.Lock()

    async def compare(self, wanted: Compared) -> Mapping[str, object]:
        new = await asyncio.to_thread(load_policy_texts, wanted.files)
        async with self._comparing:
            context = self._active_policy.context()
            found = Difference(context.policy, new, Period(self._clock.now(), wanted.days))
            sample = await self._all(found, context.portfolio)
        return {**found.document(), "sample": sample}

    async def _all(self, found: Difference, portfolio: Portfolio) -> bool:
        """True when accounts are left that were not compared."""
        began, after = monotonic(), ""
        while True:
            rows = await self._database.pool.fetch(ACCOUNTS, after, BATCH)
            if not rows:
                return False
            if found.compared >= MOST or monotonic() - began > LONGEST_SECONDS:
                return True
            await asyncio.to_thread(_compare, found, rows, portfolio)
            after = rows[-1][0]


def _compare(found: Difference, rows: Sequence[Any], portfolio: Portfolio) -> None:
    for account_id, state in rows:
        try:
            account_state = decode(account_id, state)
        except UnreadableState:
            found.compared += 1
            found.undecided += 1
            continue
        found.compare(account_state, portfolio)
