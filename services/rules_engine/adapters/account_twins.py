"""Accounts whose ids differ in letter case only: one query for the ids of a request."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import asyncpg

from services.chassis.clock import monotonic
from services.chassis.database import Database

TWINS = """
SELECT s.id, min(a.account_id) FROM unnest($1::text[]) AS s(id)
JOIN account AS a ON lower(a.account_id) = lower(s.id) AND a.account_id <> s.id AND a.state IS NOT NULL GROUP BY s.id
"""
ANSWER_WITHIN = 1.0
REST = 10.0


@dataclass(slots=True)
class AccountTwins:
    """Finds them. A database that fails or does not answer costs requests their warnings, never their events."""

    database: Database
    rests_until: float = 0.0

    async def find(self, account_ids: Collection[str]) -> Mapping[str, str]:
        """Account id -> an account whose id differs from it in letter case only."""
        if not account_ids or monotonic() < self.rests_until:
            return {}
        query = asyncio.ensure_future(self._query(list(account_ids)))
        # A query to a frozen server cannot be cancelled quickly, so nothing waits for its end.
        answered, _ = await asyncio.wait({query}, timeout=ANSWER_WITHIN)
        if not answered:
            query.cancel()
        twins = query.result() if answered else None
        if twins is None:
            self.rests_until = monotonic() + REST
        return twins or {}

    async def _query(self, account_ids: list[str]) -> Mapping[str, str] | None:
        try:
            rows = await self.database.pool.fetch(TWINS, account_ids)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return None
        return {row[0]: row[1] for row in rows}
