"""One change of a person's book, levelled by the scheduler's own leveller, and what the release notices of it.

Books of about a thousand planned touchpoints over a year, 25 to 100 accounts each, on a real database. Touchpoints come
due in a steady trickle in the same process, in turns at rest and while one book after the other is levelled.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple
from uuid import UUID

from services.calendar.plan import PlanCommand
from services.chassis.clock import ServiceClock, real_now
from services.chassis.database import Connection, Database
from services.chassis.loops import Loop
from services.chassis.schema_versions import DATABASES
from services.chassis.work_poll import FALLBACK_SECONDS
from services.chassis.worker_process import WorkerProcess
from services.scheduler.adapters.book_repository import PostgresBooks
from services.scheduler.adapters.queue_repository import PostgresQueue
from services.scheduler.entrypoints.leveller import Leveller
from services.scheduler.entrypoints.workers import Releaser, Sweeper, horizon_sweep
from services.scheduler.main import LEVELLING
from services.scheduler.settings import LEVEL_MEGABYTES, LEVEL_SECONDS
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.plans import CONSOLE, Calendars, describe_people, one_off, pause, plan, rhythm
from tests.stack import Stack

SIZES = (25, 50, 75, 100)
TOUCHES = 1_000
"""Of a book, planned over a year."""
REVIEW_DAYS = 90
MONDAY = datetime.fromisoformat("2026-03-02T03:00:00+00:00")
"""At an hour at which nobody of the books works: nothing of them comes due meanwhile."""
PER_SECOND = 100
"""Touchpoints of the trickle that come due."""
LEAD_SECONDS = 0.5
PATIENCE_SECONDS = 30.0
LIMIT_MS = 100.0
AGE_MARKS = "UPDATE csm_mark SET marked_at = marked_at - interval '1 hour'"
PLANNED = "SELECT csm_id, count(*) FROM touchpoint WHERE status = 'planned' AND owner = 'csm' GROUP BY 1"
TRICKLE_RHYTHM = """
INSERT INTO rhythm (account_id, type, every_days, anchor_at, last_number, active, owner, minutes, face)
SELECT 'trickle-' || i, 'tips', 7, $2, 100, true, 'marketing', 0, face
FROM generate_series(0, $1::int - 1) i, (SELECT face FROM rhythm LIMIT 1) r
"""
TRICKLE = """
WITH made AS (
    INSERT INTO touchpoint (id, account_id, type, origin, number, status, due_at, start_at, end_at, deadline, owner,
        minutes, pinned, sequence, changed_at)
    SELECT md5('trickle' || $1::int || '-' || i)::uuid, 'trickle-' || i % $3::int, 'tips', 'rhythm', $1::int * 10000 + i,
        'planned', at, at, at + interval '7 days', at + interval '7 days', 'marketing', 0, false, 1, at
    FROM generate_series(0, $2::int - 1) i,
    LATERAL (SELECT $4::timestamptz + i * $5::interval AS at) due
    RETURNING due_at, id
)
INSERT INTO agenda (at, id) SELECT due_at, id FROM made
"""
TRICKLE_ACCOUNTS = 200
RELEASED = """
SELECT due_at, released_at FROM touchpoint WHERE type = 'tips' AND due_at >= $1 AND released_at IS NOT NULL
ORDER BY released_at, due_at
"""
LEFT = "SELECT count(*) FROM touchpoint WHERE type = 'tips' AND status = 'planned'"


class Account(NamedTuple):
    account_id: str
    csm_id: str
    every_days: int


class Change(NamedTuple):
    """What one change of a book cost the leveller: milliseconds of each pass, from claim to commit."""

    kind: str
    passes: tuple[float, ...]


@dataclass
class Books:
    """Books of people in one scheduler, each `TOUCHES` big."""

    database: Database
    clock: ServiceClock
    accounts: dict[str, list[Account]] = field(default_factory=dict[str, list[Account]])
    versions: dict[str, int] = field(default_factory=dict[str, int])
    counted: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        self.calendars = Calendars(self.database, self.clock)
        self.worker = WorkerProcess(
            seconds=LEVEL_SECONDS, megabytes=LEVEL_MEGABYTES, most_waiting=1, module=LEVELLING
        )
        self.leveller = Leveller(
            self.database, self.clock, self._books, self.worker, lambda: None, self._count
        )
        self.extend = Sweeper(
            self.database, self.clock, horizon_sweep(self.calendars.on), lambda: None, self._count
        )

    def _books(self, connection: Connection) -> PostgresBooks:
        return PostgresBooks(connection, self.calendars.on(connection))

    def _count(self, kind: str, number: int) -> None:
        self.counted[kind] = self.counted.get(kind, 0) + number

    @property
    def csm_ids(self) -> list[str]:
        return list(self.accounts)

    async def open(self, people: int) -> None:
        """Plan and level the books of so many people."""
        for number in range(people):
            csm_id, size = f"csm-{number:02d}", SIZES[number % len(SIZES)]
            every_days = check_in_days(size)
            self.accounts[csm_id] = [
                Account(f"{csm_id}-{index:03d}", csm_id, every_days) for index in range(size)
            ]
        await describe_people(self.database, self.csm_ids)
        every = [self.plan(account) for accounts in self.accounts.values() for account in accounts]
        await self.calendars.accept(every)
        await self.settle()

    def plan(
        self, account: Account, every_days: int | None = None, **more: Sequence[Mapping[str, object]]
    ) -> PlanCommand:
        version = self.versions[account.account_id] = self.versions.get(account.account_id, 0) + 1
        rhythms = [
            rhythm("business_review", REVIEW_DAYS, csm_id=account.csm_id, minutes=90, never_skip=True),
            rhythm("check_in", every_days or account.every_days, csm_id=account.csm_id),
        ]
        return plan(account.account_id, version, MONDAY, rhythms, **more)

    async def settle(self) -> list[float]:
        """Level until nobody is marked; the milliseconds of each pass."""
        passes: list[float] = []
        while True:
            await self.database.pool.execute(AGE_MARKS)
            began = time.perf_counter()
            if await self.leveller.run_once() == 0:
                passes.append((time.perf_counter() - began) * 1000)
            elif await self.extend.run_once() is None:
                return passes

    def changes(self, csm_id: str, number: int) -> tuple[str, PlanCommand]:
        """One change of a book: an account is met twice as often, needs a meeting more, or wants a pause."""
        accounts = self.accounts[csm_id]
        account = accounts[number % len(accounts)]
        start = MONDAY + timedelta(days=20 + number % 40)
        kind = ("meeting", "pause", "rhythm")[number % 3]
        if kind == "rhythm":
            return kind, self.plan(account, max(account.every_days // 2, 3))
        if kind == "pause":
            return kind, self.plan(account, avoid=[pause(start, 14)])
        touchpoint_id = str(UUID(int=number * 1000 + int(csm_id[-2:])))
        window = start, start + timedelta(days=14)
        return kind, self.plan(
            account, touchpoints=[one_off(touchpoint_id, "risk_action_plan", window, csm_id=csm_id)]
        )

    async def change_one(self, csm_id: str, number: int) -> Change:
        kind, command = self.changes(csm_id, number)
        await self.calendars.accept([command])
        return Change(kind, tuple(await self.settle()))

    async def change_all(self, number: int) -> None:
        """A change in every book that moves no phase, for the leveller to find."""
        shift = number * 3 + number % 2
        await self.calendars.accept([self.changes(csm_id, shift)[1] for csm_id in self.csm_ids])
        await self.database.pool.execute(AGE_MARKS)

    async def level_all(self, until: float) -> int:
        """Level one book after the other until that moment (`perf_counter`); how many."""
        levelled = 0
        while time.perf_counter() < until:
            if await self.leveller.run_once() == 0:
                levelled += 1
                continue
            await self.database.pool.execute(
                "INSERT INTO csm_mark (csm_id, cause, marked_at)"
                " SELECT csm_id, 'bench', now() - interval '1 hour' FROM unnest($1::text[]) csm_id",
                self.csm_ids,
            )
        return levelled


class Latencies(NamedTuple):
    """Of touchpoints that came due, in milliseconds: until `released_at`, and until that was committed."""

    released: list[float]
    committed: list[float]


class Trickle:
    """Touchpoints that come due one after the other, released by the scheduler's own loop."""

    def __init__(self, books: Books) -> None:
        self._database, self._clock, self._outbox = books.database, books.clock, books.calendars.outbox
        self._turn = 0
        self._commits: list[datetime] = []
        self._releaser = Releaser(self._database, self._clock, self._queue, lambda: None, self._count)

    def _queue(self, connection: Connection) -> PostgresQueue:
        return PostgresQueue(connection, self._outbox, CONSOLE)

    def _count(self, kind: str, number: int) -> None:
        del kind
        self._commits += [self._clock.now()] * number

    async def open(self) -> None:
        await self._database.pool.execute(TRICKLE_RHYTHM, TRICKLE_ACCOUNTS, MONDAY)

    async def run(
        self, seconds: float, beside: Callable[[float], Awaitable[object]] | None = None
    ) -> Latencies:
        """The latencies of `seconds`, while `beside` works until the moment (`perf_counter`) it is given."""
        count, self._turn, self._commits = round(seconds * PER_SECOND), self._turn + 1, []
        first = self._clock.now() + timedelta(seconds=LEAD_SECONDS)
        every = timedelta(seconds=1 / PER_SECOND)
        await self._database.pool.execute(TRICKLE, self._turn, count, TRICKLE_ACCOUNTS, first, every)
        loop = Loop("release", interval=FALLBACK_SECONDS, run_once=self._releaser.run_once)
        until = time.perf_counter() + LEAD_SECONDS + seconds
        async with asyncio.timeout(PATIENCE_SECONDS + seconds), asyncio.TaskGroup() as group:
            group.create_task(loop.run())
            if beside is None:
                await asyncio.sleep(until - time.perf_counter())
            else:
                await beside(until)
            while await self._database.pool.fetchval(LEFT):
                await asyncio.sleep(0.05)
            loop.stop()
        rows = await self._database.pool.fetch(RELEASED, first)
        assert len(rows) == len(self._commits) == count
        return Latencies(
            [milliseconds(row["released_at"] - row["due_at"]) for row in rows],
            [milliseconds(commit - row["due_at"]) for row, commit in zip(rows, self._commits, strict=True)],
        )


def check_in_days(accounts: int) -> int:
    """The interval with which so many accounts, reviewed each quarter too, make a book of `TOUCHES`."""
    reviews = accounts * 365 // REVIEW_DAYS
    return max(1, accounts * 365 // (TOUCHES - reviews))


def milliseconds(span: timedelta) -> float:
    return span.total_seconds() * 1000


async def run(stack: Stack, *, quick: bool) -> list[Figure]:
    """One change after the other, then the release at rest and beside the leveller, in turns."""
    database = await Database.open(stack.postgres.url, DATABASES["scheduler"])
    books = Books(database, ServiceClock(MONDAY, real_now(), 1.0))
    people, changes, rounds, seconds = (4, 6, 2, 2.0) if quick else (16, 48, 10, 4.0)
    try:
        await books.open(people)
        sizes = [row[1] for row in await database.pool.fetch(PLANNED)]
        changed = [await books.change_one(books.csm_ids[each % people], each) for each in range(changes)]
        trickle = Trickle(books)
        await trickle.open()
        found = await _in_turns(books, trickle, rounds, seconds)
    finally:
        await books.worker.close()
        await database.close()
    return [_of_changes(changed, sizes), *_of_release(*found)]


async def _in_turns(
    books: Books, trickle: Trickle, rounds: int, seconds: float
) -> tuple[list[Latencies], list[Latencies], list[int]]:
    resting: list[Latencies] = []
    levelling: list[Latencies] = []
    levelled: list[int] = []

    async def level(until: float) -> None:
        levelled.append(await books.level_all(until))

    for number in range(rounds + 1):
        await books.change_all(number)
        await books.calendars.database.pool.execute("VACUUM ANALYZE touchpoint, agenda", timeout=60)
        turn = [await trickle.run(seconds), await trickle.run(seconds, level)]
        if number:  # the first warms everything
            resting.append(turn[0])
            levelling.append(turn[1])
    return resting, levelling, levelled[1:]


def _of_changes(changed: Sequence[Change], sizes: Sequence[int]) -> Figure:
    passes = [each for change in changed for each in change.passes]
    by_kind = {
        kind: {
            "changes": sum(each.kind == kind for each in changed),
            "passes": median(len(each.passes) for each in changed if each.kind == kind),
            "ms_of_all_passes": median(sum(each.passes) for each in changed if each.kind == kind),
        }
        for kind in sorted({each.kind for each in changed})
    }
    more = {
        "touchpoints_of_a_book": sizes,
        "passes_ms": {"p50": median(passes), "p90": percentile(passes, 0.9), "max": max(passes)},
        "by_kind": by_kind,
    }
    return Figure(
        f"a book of {median(sizes):,.0f} touchpoints relevelled, claim to commit", median(passes), LIMIT_MS,
        median(passes) / LIMIT_MS, "ms", f"the limit, {LIMIT_MS:.0f} ms", at_most=1.0, more=more,
    )  # fmt: skip


def _of_release(
    resting: Sequence[Latencies], levelling: Sequence[Latencies], levelled: Sequence[int]
) -> list[Figure]:
    more: dict[str, object] = {"books_levelled": levelled, "due_per_second": PER_SECOND}
    figures: list[Figure] = []
    for what in ("released", "committed"):
        rest = [getattr(each, what) for each in resting]
        beside = [getattr(each, what) for each in levelling]
        more[what] = {"rest": _summary(rest), "levelling": _summary(beside)}
    rest_p99 = percentile([each for turn in resting for each in turn.committed], 0.99)
    beside_p99 = percentile([each for turn in levelling for each in turn.committed], 0.99)
    figures.append(Figure(
        "due to released, p99 while books are relevelled", beside_p99, rest_p99, beside_p99 / rest_p99, "ms",
        "the same at rest", at_most=1.1, more=more,
    ))  # fmt: skip
    return figures


def _summary(turns: Sequence[Sequence[float]]) -> dict[str, object]:
    every = [each for turn in turns for each in turn]
    return {
        "p50": median(every),
        "p90": percentile(every, 0.9),
        "p99": percentile(every, 0.99),
        "max": max(every),
        "p99_of_turns": [percentile(turn, 0.99) for turn in turns],
    }
