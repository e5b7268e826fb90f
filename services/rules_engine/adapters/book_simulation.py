"""Simulations of the deployment: its stored accounts and the scheduler's calendar, in worker processes within bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import asyncpg
import orjson

from services.chassis.clock import ServiceClock
from services.chassis.database import Database, real_now
from services.chassis.settings import Settings
from services.chassis.worker_pool import PoolReservation, WorkerPool
from services.rules_engine.adapters import simulation_jobs
from services.rules_engine.adapters.configuration_repository import FILES, Configuration, current
from services.rules_engine.adapters.program_repository import MOST_PROGRAMS, NEAREST, RELEVANT_FOR
from services.rules_engine.adapters.rates_file import read_stored_rates
from services.rules_engine.adapters.standing_client import StandingClient
from services.rules_engine.application.publish_policy import SimulationWanted
from services.simulation.comparison import compare_schedules
from services.simulation.from_standing import StoredAccount
from services.simulation.jobs import RuleTexts, add_up
from services.simulation.totals import Wanted

MOST = 20_000
EVENTS_AT_A_TIME = 2_000
ACCOUNTS = """
SELECT account_id, state, plan_key, next_evaluation_at, decided_under, undecided FROM account
WHERE account_id COLLATE "C" > $1 AND ($2::text IS NULL OR account_id COLLATE "C" <= $2) AND state IS NOT NULL
    AND merged_into IS NULL
ORDER BY account_id COLLATE "C" LIMIT $3
"""
BOOK = "SELECT arr_percentiles, rates::text FROM book"


@dataclass(frozen=True, slots=True)
class _Start:
    """What is in force, and what a simulation reads of it, at one moment."""

    configuration: Configuration
    rules: RuleTexts
    now: datetime


class BookSimulation:
    """Simulations run one at a time, each in all processes of the pool."""

    def __init__(
        self, database: Database, pool: WorkerPool, clock: ServiceClock, calendars: StandingClient
    ) -> None:
        self._database, self._pool, self._clock, self._calendars = database, pool, clock, calendars

    async def simulate(self, wanted: SimulationWanted) -> Mapping[str, object]:
        """The document, with `sample`. Raises `PolicyRefused`, `WorkerBusy`, `JobTooLarge`, `SchedulerAway`."""
        async with self._pool.reserve() as reserved:
            return await self._simulate(reserved, await self._begin(wanted.files), wanted, ())

    async def forecast(self, events: Sequence[Mapping[str, object]], days: int) -> dict[str, object]:
        """What the next days bring as things are, and if these events came now. Raises as `simulate` does."""
        wanted = SimulationWanted(days=days, schedule=True)
        async with self._pool.reserve() as reserved:
            start = await self._begin(None)
            before = await self._simulate(reserved, start, wanted, ())
            after = await self._simulate(reserved, start, wanted, events) if events else before
        return compare_schedules(before, after)

    async def _simulate(
        self,
        reserved: PoolReservation,
        start: "_Start",
        wanted: SimulationWanted,
        events: Sequence[Mapping[str, object]],
    ) -> Mapping[str, object]:
        asked = Wanted(wanted.days, wanted.hire, wanted.seed, wanted.schedule)
        begun = simulation_jobs.Begun(start.rules, start.configuration.policy_hash, start.now, asked)
        policy_hash, *_ = await reserved.call_all(simulation_jobs.begin_simulation, begun)
        sample = await self._collect(reserved, start)
        for first in range(0, len(events), EVENTS_AT_A_TIME):
            piece = [orjson.dumps(event) for event in events[first : first + EVENTS_AT_A_TIME]]
            left_out, *_ = await reserved.call_all(simulation_jobs.apply_to_book, piece, MOST)
            sample = sample or left_out > 0
        totals = await reserved.call_each(simulation_jobs.finish_simulation)
        period = simulation_jobs.period_of(start.now, asked)
        return {**add_up(totals, policy_hash, period, asked), "sample": sample}

    async def _begin(self, files: Mapping[str, str] | None) -> _Start:
        async with self._database.transaction() as connection:
            now = self._clock.at(await real_now(connection))
            configuration = await current(connection)
            stored = await connection.fetchval(FILES, configuration.policy_hash)
            book = await connection.fetchrow(BOOK)
            programs = await connection.fetch(NEAREST, now - RELEVANT_FOR, now, MOST_PROGRAMS)
        in_force = cast("dict[str, str]", orjson.loads(str(stored)))
        ranks, rates = (None, None) if book is None else (book[0], book[1])
        rules = RuleTexts(
            in_force if files is None else files,
            tuple(ranks or ()),
            [(row[0], row[1]) for row in programs],
            read_stored_rates(rates),
            configuration.policy_hash if files is None else None,
        )
        return _Start(configuration, rules, now)

    async def _collect(self, reserved: PoolReservation, start: _Start) -> bool:
        """Give every process the whole book; True when accounts are left."""
        after, collected = "", 0
        async for page, last in self._calendars.read_pages():
            rows = await self._database.pool.fetch(ACCOUNTS, after, last, MOST + 1 - collected)
            found = [_stored(row, start.configuration.generation) for row in rows]
            collected += len(found)
            await reserved.call_all(
                simulation_jobs.add_accounts, page, found[: MOST - collected + len(found)]
            )
            if collected > MOST:
                return True
            after = last or after
        return False


def make_simulation(database: Database, clock: ServiceClock, settings: Settings) -> BookSimulation:
    """Simulations within the limits of the settings, with the scheduler at its address."""
    limits = settings.simulations
    pool = WorkerPool(
        limits.processes,
        seconds=limits.seconds,
        megabytes=limits.megabytes,
        most_waiting=limits.most_waiting,
        module="services.rules_engine.adapters.simulation_jobs",
    )
    return BookSimulation(
        database, pool, clock, StandingClient(settings.url_of("scheduler"), settings.key_file)
    )


def _stored(row: asyncpg.Record, generation: int) -> StoredAccount:
    is_current = row["undecided"] is None and row["decided_under"] == generation
    key = row["plan_key"] if is_current else None
    return StoredAccount(row["account_id"], row["state"], key, row["next_evaluation_at"])
