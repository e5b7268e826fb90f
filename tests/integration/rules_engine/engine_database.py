"""The engine's own tables without a running engine: batches and sweeps of several replicas, one step at a time."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import asyncpg

from services.cadence.account import FactEvent
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio
from services.chassis.clock import ServiceClock
from services.chassis.clock import real_now as host_now
from services.chassis.database import Connection, Database, real_now
from services.chassis.dead_letters import Record
from services.chassis.outbox import Outbox
from services.rules_engine.adapters.account_repository import AccountUnitOfWork
from services.rules_engine.adapters.notice_repository import NoticeRepository
from services.rules_engine.adapters.sweep_repository import SweepRepository
from services.rules_engine.application.apply_events import apply_events
from services.rules_engine.domain.account import BatchCounts, Clocks, EvaluationContext, incoming_event
from services.rules_engine.entrypoints.cadence_notices import CadenceNotices
from services.rules_engine.entrypoints.workers import Sweeper
from tests.integration.migrating import upgrade_to
from tests.unit.cadence.events import NOW

_numbers = count(1)
RETRY = timedelta(minutes=1)
CONNECTIONS = 6
MOST_PASSES = 500
TABLES = """account, account_plan, cadence_notice, decision, receipt, parked, outbox, contact_home, erasure,
    policy_version, policy, epoch"""
EPOCH = """
INSERT INTO epoch (number, policy_hash, mode, version) VALUES ($1, $2, $3, 1)
ON CONFLICT (one) DO UPDATE SET number = excluded.number, policy_hash = excluded.policy_hash, mode = excluded.mode
"""


def context_of(policy: Policy, generation: int, *, publish: bool = True) -> EvaluationContext:
    return EvaluationContext(policy, Portfolio(generation), generation, publish=publish, retry_after=RETRY)


@dataclass(slots=True)
class EngineDatabase:
    """The tables; `ahead`: how far service time is ahead of NOW."""

    database: Database
    ahead: timedelta = timedelta(0)
    began: datetime = field(default_factory=host_now)

    @property
    def clock(self) -> ServiceClock:
        return ServiceClock(start=NOW + self.ahead, origin=self.began, rate=1.0)

    async def clocks(self, connection: Connection) -> Clocks:
        real = await real_now(connection)
        return Clocks(service=self.clock.at(real), real=real)

    async def empty(self) -> None:
        await self.database.pool.execute(f"TRUNCATE {TABLES}")
        await self.database.pool.execute("UPDATE sweep SET generation = 0, completed = 0, position = ''")

    async def publish(self, context: EvaluationContext) -> None:
        mode = "live" if context.publish else "observe"
        await self.database.pool.execute(EPOCH, context.generation, context.policy.hash, mode)

    def work(self, connection: Connection) -> AccountUnitOfWork:
        return AccountUnitOfWork(connection, Outbox("/drumbeat/rules_engine"), set())

    async def apply_in(
        self, connection: Connection, context: EvaluationContext, events: Sequence[FactEvent]
    ) -> BatchCounts:
        """A batch in a transaction that the caller commits."""
        record = Record("account.signals", 0, 0, None, b"{}", (), 0)
        incoming = [incoming_event(event, record) for event in events]
        return await apply_events(self.work(connection), incoming, context, await self.clocks(connection))

    async def apply(self, context: EvaluationContext, *events: FactEvent) -> BatchCounts:
        async with self.database.transaction() as connection:
            return await self.apply_in(connection, context, events)

    def sweeper(self, context: EvaluationContext, batch: int = 500) -> Sweeper:
        return Sweeper(
            database=self.database,
            clock=self.clock,
            context=lambda: context,
            work=self.work,
            sweeps=SweepRepository(self.database),
            after_commit=lambda: None,
            batch=batch,
        )

    async def sweep(self, context: EvaluationContext, batch: int = 500) -> None:
        """Until nothing is left; fails when that takes more passes than there can be."""
        sweeper = self.sweeper(context, batch)
        for _ in range(MOST_PASSES):
            pause = await sweeper.run_once()
            completed = await self.database.pool.fetchval("SELECT completed FROM sweep")
            if pause != 0 and completed == context.generation:
                return
        rows = await self.rows("SELECT account_id, decided_under, next_evaluation_at, undecided FROM account")
        raise AssertionError((await self.rows("SELECT * FROM sweep"), self.clock.now(), rows[:20]))

    async def tell(self, context: EvaluationContext) -> None:
        """Until nobody is left whose cadence is to be looked at now."""
        queue = partial(NoticeRepository, outbox=Outbox("/drumbeat/rules_engine"))
        cadence_notices = CadenceNotices(self.database, self.clock, lambda: context, queue, lambda: None)
        while await cadence_notices.run_once() == 0:
            continue

    async def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.database.pool.fetch(query, *values)]

    async def rows_written(self) -> int:
        """Rows inserted and changed since the server began to count."""
        async with AsyncExitStack() as stack:
            for _ in range(CONNECTIONS):
                connection = await stack.enter_async_context(self.database.pool.acquire())
                await connection.execute("SELECT pg_stat_force_next_flush()")
        query = "SELECT sum(n_tup_ins + n_tup_upd)::bigint FROM pg_stat_user_tables"
        return await self.database.pool.fetchval(query) or 0


@asynccontextmanager
async def engine_database(server_url: str) -> AsyncGenerator[EngineDatabase]:
    name = f"rules_of_test_{next(_numbers)}"
    admin = await asyncpg.connect(server_url)
    await admin.execute(f'CREATE ROLE "{name}" SUPERUSER')
    await admin.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
    await upgrade_to(server_url, name, "rules_engine", "head")
    database = await Database.open(server_url, name, pool_size=CONNECTIONS)
    try:
        yield EngineDatabase(database)
    finally:
        await database.close()
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()
