"""Accounts whose ids differ in letter case only: one query for the ids of a request that were not looked up lately."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import asyncpg

from services.chassis.clock import monotonic
from services.chassis.database import Database

TWINS = """
SELECT s.id, min(a.account_id) FROM unnest($1::text[]) AS s(id)
JOIN account AS a ON lower(a.account_id) = lower(s.id) AND a.account_id <> s.id AND a.state IS NOT NULL GROUP BY s.id
"""
ANSWER_WITHIN = 1.0
REST = 10.0
REMEMBERED = 60.0
"""Real seconds for which an id without a twin is not looked up again: most requests are about accounts that are known."""
MOST_REMEMBERED = 200_000


@dataclass(slots=True)
class AccountTwins:
    """Finds them. A database that fails or does not answer costs requests their warnings, never their events."""

    database: Database
    rests_until: float = 0.0
    _alone_until: dict[str, float] = field(default_factory=dict[str, float])

    async def find(self, account_ids: Collection[str]) -> Mapping[str, str]:
        """Account id -> an account whose id differs from it in letter case only."""
        now = monotonic()
        wanted = [account_id for account_id in account_ids if self._alone_until.get(account_id, 0.0) <= now]
        if not wanted or now < self.rests_until:
            return {}
        query = asyncio.ensure_future(self._query(wanted))
        # A query to a frozen server cannot be cancelled quickly, so nothing waits for its end.
        answered, _ = await asyncio.wait({query}, timeout=ANSWER_WITHIN)
        if not answered:
            query.cancel()
        twins = query.result() if answered else None
        if twins is None:
            self.rests_until = monotonic() + REST
            return {}
        if len(self._alone_until) > MOST_REMEMBERED:
            self._alone_until.clear()
        alone = (account_id for account_id in wanted if account_id not in twins)
        self._alone_until.update(dict.fromkeys(alone, now + REMEMBERED))
        return twins

    async def _query(self, account_ids: list[str]) -> Mapping[str, str] | None:
        try:
            rows = await self.database.pool.fetch(TWINS, account_ids)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return None
        return {row[0]: row[1] for row in rows}
