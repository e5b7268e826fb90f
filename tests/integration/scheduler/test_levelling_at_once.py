"""Two replicas level and release while plans and people change: everything once, and then nothing moves any more."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest

from services.scheduler.adapters.book_repository import PostgresBooks
from services.scheduler.application.level_books import level_next_book
from tests.integration.scheduler.conftest import (
    MONDAY,
    FixedClock,
    Scheduler,
    at,
    level_at_once,
    one_off,
    rhythm,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
DAY = timedelta(days=1)
ACCOUNTS = 24
ROUNDS = 6
AGE_MARKS = """
UPDATE csm_mark SET marked_at = marked_at - interval '1 minute'
WHERE n IN (SELECT n FROM csm_mark ORDER BY n FOR UPDATE SKIP LOCKED)
"""
STATES = "SELECT id, due_at, status, sequence FROM touchpoint ORDER BY id"
LOCKED = (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)


async def level_once(scheduler: Scheduler) -> int:
    async with scheduler.database.transaction() as connection:
        books = PostgresBooks(connection, scheduler.calendars(connection))
        result = await level_next_book(books, level_at_once, FixedClock.now_is)
    return result.moved + result.phases


async def test_replicas_that_level_and_release_while_plans_change_do_everything_once(
    scheduler: Scheduler,
) -> None:
    for person in ("ada", "kim"):
        await scheduler.describe(person, weekly_minutes=240)
    deadlocks: list[BaseException] = []
    writing = True

    async def write(first: int) -> None:
        for version in range(1, ROUNDS + 1):
            for number in range(first, ACCOUNTS, 3):
                person = "ada" if (number + version) % 3 else "kim"
                item = one_off(
                    f"00000000-0000-4000-8000-{number:012d}", MONDAY + version * DAY, MONDAY + 40 * DAY,
                    csm_id=person, minutes=60,
                )  # fmt: skip
                every_days = 14 if version % 2 else 28
                plan = scheduler.plan(
                    version,
                    [rhythm(every_days, urgency="spread", csm_id=person)],
                    [item],
                    account=f"acc-{number}",
                )
                await scheduler.consume(plan)

    async def repeat(work: Callable[[], Awaitable[object]]) -> None:
        while writing:
            try:
                await work()
            except LOCKED as problem:
                deadlocks.append(problem)
            await asyncio.sleep(0)

    async def age_marks() -> None:
        await scheduler.database.pool.execute(AGE_MARKS)

    others = [
        asyncio.create_task(repeat(work))
        for work in (
            lambda: level_once(scheduler),
            lambda: level_once(scheduler),
            scheduler.release,
            scheduler.release,
            scheduler.extend,
            age_marks,
        )
    ]
    await asyncio.gather(*(write(first) for first in range(3)))
    at(MONDAY + 3 * DAY)
    await asyncio.sleep(0.5)
    writing = False
    await asyncio.gather(*others)
    assert not deadlocks, [str(getattr(problem, "detail", problem)) for problem in deadlocks]
    await scheduler.level()
    before = await scheduler.database.pool.fetch(STATES)
    await scheduler.database.pool.execute(
        "INSERT INTO csm_mark (csm_id, cause) VALUES ('ada', 'x'), ('kim', 'x')"
    )
    await scheduler.level()
    assert await scheduler.database.pool.fetch(STATES) == before
    while await scheduler.release() == 0:
        continue
    due = Counter(
        event["data"]["touchpoint_id"]
        for event in await scheduler.sent()
        if event["ce_type"].endswith(".due.v1")
    )
    assert due
    assert set(due.values()) == {1}
    outside = await scheduler.database.pool.fetchval(
        "SELECT count(*) FROM touchpoint WHERE status = 'planned' AND NOT (due_at BETWEEN earliest_at AND latest_at)"
    )
    assert outside == 0
