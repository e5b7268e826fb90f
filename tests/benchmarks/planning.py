"""Plans into the calendar and touchpoints out of it, beside Procrastinate deferring and executing as many jobs.

Not the same work. Planning reads a plan of rhythms, places a year of touchpoints in people's hours and windows and stores
them with what is to be announced; a job is stored as it was given. Release locks, moves and publishes to the outbox what
is due; a worker fetches, runs and finishes each job.
"""

from collections.abc import Sequence
from datetime import datetime
from statistics import median

import asyncpg

from services.calendar.plan import PlanCommand
from services.chassis.clock import ServiceClock, real_now
from services.chassis.database import Database, database_url
from services.chassis.schema_versions import DATABASES
from tests.benchmarks.calendars import DUE, EMPTY, fill, open_copy
from tests.benchmarks.figures import Figure, ratio_of_rounds
from tests.benchmarks.peer_procrastinate import JobQueue
from tests.benchmarks.plans import Calendars, describe_people, plan, rhythm
from tests.benchmarks.release import Loops
from tests.stack import Stack

MONDAY = datetime.fromisoformat("2026-03-02T03:00:00+00:00")
WEEKLY = 52
"""Touchpoints that a weekly rhythm plans for an account, about."""
PEOPLE = 20
ROWS = "SELECT count(*) FROM touchpoint WHERE status = 'planned'"
VERSIONS = "SELECT sum(version) FROM account_calendar"


class Planning:
    """Plans of new accounts, the same plans again, and plans with another rhythm: a year of touchpoints each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._calendars = Calendars(database, ServiceClock(MONDAY, real_now(), 1.0))

    async def rates(self, accounts: int) -> dict[str, float]:
        """Touchpoints a second, of plans that are new, that change nothing, and that have another rhythm."""
        await self._database.pool.execute(EMPTY)
        await describe_people(self._database, [f"csm-{number:02d}" for number in range(PEOPLE)])
        new = await self._calendars.accept(plans(accounts, 1, 7))
        planned = await self._database.pool.fetchval(ROWS)
        same = await self._calendars.accept(plans(accounts, 2, 7))
        before = await self._written()
        changed = await self._calendars.accept(plans(accounts, 3, 10))
        written = await self._written() - before
        assert await self._database.pool.fetchval(VERSIONS) == accounts * 3
        return {"new": planned / new, "same": planned / same, "changed": written / changed}

    async def _written(self) -> int:
        """Rows of touchpoints that were written, some more than once."""
        return await self._database.pool.fetchval("SELECT sum(sequence) FROM touchpoint")


def plans(accounts: int, version: int, every_days: int) -> list[PlanCommand]:
    return [
        plan(
            f"acc-{number:05d}",
            version,
            MONDAY,
            [rhythm("check_in", every_days, csm_id=f"csm-{number % PEOPLE:02d}")],
        )
        for number in range(accounts)
    ]


async def run(stack: Stack, *, quick: bool) -> list[Figure]:
    """Rounds of each in turn, on one server."""
    jobs, rounds = (1_000, 1) if quick else (10_000, 3)
    url = stack.postgres.url
    shallow = await open_copy(url, "bench_due")  # a template has no sessions
    database = await Database.open(url, DATABASES["scheduler"])
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE DATABASE bench_jobs")
    finally:
        await connection.close()
    planning, releasing = Planning(database), Loops(shallow, shallow)
    peer = JobQueue(database_url(url, "bench_jobs"))
    await peer.open()
    found: dict[str, list[float]] = {
        name: [] for name in ("new", "same", "changed", "deferred", "released", "executed")
    }
    try:
        await planning.rates(20)
        for _ in range(rounds):
            for name, rate in (await planning.rates(jobs // WEEKLY)).items():
                found[name].append(rate)
            found["deferred"].append(await peer.defer(jobs))
            await fill(url, "bench_due", 1)
            found["released"].append(await releasing.ours("due", shallow, 0))
            found["executed"].append(await peer.work(jobs))
    finally:
        await peer.close()
        await shallow.close()
        await database.close()
    return _figures(found, jobs)


def _figures(found: dict[str, list[float]], jobs: int) -> list[Figure]:
    def figure(what: str, ours: str, peer: str, peer_is: str, least: float) -> Figure:
        ratio = ratio_of_rounds(found[ours], found[peer])
        more: dict[str, Sequence[float]] = {ours: found[ours], peer: found[peer]}
        return Figure(
            what, median(found[ours]), median(found[peer]), ratio, "/s", peer_is, at_least=least, more=more
        )

    again = "touchpoints of new accounts"
    return [
        figure(
            "touchpoints planned for new accounts", "new", "deferred",
            f"Procrastinate, {jobs:,} jobs deferred as they are", 0.5,
        ),
        figure("touchpoints planned anew by another rhythm", "changed", "new", again, 0.5),
        figure("touchpoints of plans that change nothing", "same", "new", again, 5),
        figure(
            f"release, {DUE:,} due at once", "released", "executed",
            f"Procrastinate, {jobs:,} jobs that do nothing executed", 10,
        ),
    ]  # fmt: skip
