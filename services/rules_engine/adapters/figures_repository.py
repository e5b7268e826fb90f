"""Stored accounts and programs, as figures read them: one query for all of a kind."""

from collections.abc import Collection, Mapping

import structlog

from services.cadence.account import StampedFields
from services.cadence.account.codec import AccountState, UnreadableState, decode
from services.chassis.database import Database
from services.rules_engine.adapters.portfolio_repository import unpack

log = structlog.get_logger(__name__)

# An account that was merged names the one that has everything of it now.
STATES = """
SELECT wanted.account_id, account.account_id, account.state
FROM unnest($1::text[]) AS wanted(account_id)
LEFT JOIN account AS ended ON ended.account_id = wanted.account_id AND ended.merged_into IS NOT NULL
JOIN account ON account.account_id = coalesce(ended.merged_into, wanted.account_id)
WHERE account.state IS NOT NULL
"""
PROGRAMS = "SELECT program_id, state FROM program WHERE program_id = ANY($1::text[])"


class FiguresRepository:
    """Reads of the engine's tables for `answer_figures`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self, account_ids: Collection[str]) -> Mapping[str, AccountState]:
        """A state that this version cannot read is left out: the messages about its account go without figures."""
        states: dict[str, AccountState] = {}
        for wanted, account_id, state in await self._database.pool.fetch(STATES, list(account_ids)):
            try:
                states[wanted] = decode(account_id, state)
            except UnreadableState as unreadable:
                log.warning("figures.state_unreadable", account_id=account_id, error=str(unreadable))
        return states

    async def programs(self, program_ids: Collection[str]) -> Mapping[str, StampedFields]:
        rows = await self._database.pool.fetch(PROGRAMS, list(program_ids)) if program_ids else []
        return {program_id: unpack(state) for program_id, state in rows}
