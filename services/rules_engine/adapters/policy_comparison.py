"""Policy comparison: stored accounts evaluated under two policies, in batches and within bounds; nothing is stored."""

from collections.abc import Mapping
from typing import cast

import orjson

from services.chassis.clock import ServiceClock, monotonic
from services.chassis.database import Database, real_now
from services.chassis.worker_process import Turn, WorkerProcess
from services.rules_engine.adapters import policy_jobs
from services.rules_engine.adapters.configuration_repository import FILES, current
from services.rules_engine.adapters.program_repository import MOST_PROGRAMS, NEAREST, RELEVANT_FOR
from services.rules_engine.adapters.rates_file import read_stored_rates
from services.rules_engine.application.publish_policy import Compared

MOST = 20_000
LONGEST_SECONDS = 20.0
BATCH = 200  # accounts of one call of the worker
ACCOUNTS = """
SELECT account_id, state FROM account WHERE account_id > $1 AND state IS NOT NULL ORDER BY account_id LIMIT $2
"""
BOOK = "SELECT arr_percentiles, rates::text FROM book"


class PolicyComparison:
    """Comparisons run in the worker process, one at a time."""

    def __init__(self, database: Database, worker: WorkerProcess, clock: ServiceClock) -> None:
        self._database = database
        self._worker = worker
        self._clock = clock

    async def compare(self, wanted: Compared) -> Mapping[str, object]:
        async with self._worker.turn() as turn:
            await turn.call(policy_jobs.begin_comparison, await self._begin(wanted))
            sample = await self._all(turn)
            return {**await turn.call(policy_jobs.finish_comparison), "sample": sample}

    async def _begin(self, wanted: Compared) -> policy_jobs.Compared:
        """The policy in force, ranks, rates and programs of one moment."""
        async with self._database.transaction() as connection:
            now = self._clock.at(await real_now(connection))
            in_force = (await current(connection)).policy_hash
            files = cast("dict[str, str]", orjson.loads(str(await connection.fetchval(FILES, in_force))))
            book = await connection.fetchrow(BOOK)
            programs = await connection.fetch(NEAREST, now - RELEVANT_FOR, now, MOST_PROGRAMS)
        percentiles, rates = (None, None) if book is None else (book[0], book[1])
        return policy_jobs.Compared(
            hash=in_force,
            in_force=files,
            files=wanted.files,
            now=now,
            days=wanted.days,
            percentiles=tuple(percentiles or ()),
            programs=[(row[0], row[1]) for row in programs],
            rates=read_stored_rates(rates),
        )

    async def _all(self, turn: Turn) -> bool:
        """True when accounts are left that were not compared."""
        began, after, compared = monotonic(), "", 0
        while True:
            rows = await self._database.pool.fetch(ACCOUNTS, after, BATCH)
            if not rows:
                return False
            if compared >= MOST or monotonic() - began > LONGEST_SECONDS:
                return True
            compared = await turn.call(policy_jobs.compare_accounts, [(row[0], row[1]) for row in rows])
            after = rows[-1][0]
