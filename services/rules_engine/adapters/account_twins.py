"""Accounts whose ids differ in letter case only: one query for the ids of a request."""

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
    """Finds them; a database that does not answer costs a request its warnings, never its events."""

    database: Database
    rests_until: float = 0.0

    async def find(self, account_ids: Collection[str]) -> Mapping[str, str]:
        """Account id -> an account whose id differs from it in letter case only."""
        if not account_ids or monotonic() < self.rests_until:
            return {}
        try:
            rows = await self.database.pool.fetch(TWINS, list(account_ids), timeout=ANSWER_WITHIN)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            self.rests_until = monotonic() + REST
            return {}
        return {row[0]: row[1] for row in rows}
