"""Plans, releases, outcomes and deadlines at the same time: nothing twice, nothing lost, nothing stuck."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest

from services.chassis.dead_letters import Record
from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, rhythm, tips

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
ACCOUNTS = [f"account-{n}" for n in range(25)]
DAYS = 60


async def until_done(act: Callable[[], Awaitable[object]]) -> None:
    """As the consumer does: after a deadlock it tries again."""
    while True:
        try:
            await act()
        except asyncpg.DeadlockDetectedError:
            continue
        return


def plans(scheduler: Scheduler, dice: random.Random, version: int) -> list[Record]:
    return [
        scheduler.plan(
            version,
            [rhythm(dice.choice([3, 7, 14])), tips(dice.choice([1, 7]))][: dice.choice([1, 2, 2])],
            account=name,
        )
        for name in dice.sample(ACCOUNTS, 8)
    ]


def outcomes(scheduler: Scheduler, dice: random.Random, number: int) -> list[Record]:
    return [
        scheduler.outcome(
            {"touchpoint_type": "check_in", "outcome": "completed"}, name, id=f"{number}:{name}"
        )
        for name in dice.sample(ACCOUNTS, 8)
    ]


async def test_sixty_days_of_everything_at_once(scheduler: Scheduler) -> None:
    dice = random.Random(7)
    await scheduler.consume(*(scheduler.plan(0, [rhythm(7), tips(7)], account=name) for name in ACCOUNTS))

    for day in range(1, DAYS):
        at(MONDAY + timedelta(days=day))
        commands, outcome_event = plans(scheduler, dice, day), outcomes(scheduler, dice, day)
        await asyncio.gather(
            until_done(lambda c=commands: scheduler.consume(*c)),
            until_done(lambda n=outcome_event: scheduler.consume(*n)),
            until_done(scheduler.release),
            until_done(scheduler.release),
            until_done(scheduler.mark_overdue),
            until_done(scheduler.extend),
            until_done(scheduler.announce),
        )
    await scheduler.release()
    await scheduler.mark_overdue()

    await check_events(scheduler)
    await check_tables(scheduler)


async def check_events(scheduler: Scheduler) -> None:
    sequences: dict[str, list[int]] = defaultdict(list)
    due: list[str] = []
    known: set[str] = set()
    for each in await scheduler.sent():
        data = each["data"]
        assert data["touchpoint_id"] in known or each["ce_type"].endswith("scheduled.v1")
        known.add(data["touchpoint_id"])
        sequences[data["touchpoint_id"]].append(data["sequence"])
        if each["ce_type"].endswith("due.v1") and not each["ce_type"].endswith("overdue.v1"):
            due.append(data["touchpoint_id"])
            assert data["released_at"] >= data["due_at"]
    assert len(due) > 300
    assert len(due) == len(set(due))
    for sequence in sequences.values():
        assert sequence == sorted(set(sequence))


async def check_tables(scheduler: Scheduler) -> None:
    pool = scheduler.database.pool
    agenda = await pool.fetch("SELECT id, at FROM agenda ORDER BY id")
    planned = await pool.fetch("SELECT id, due_at FROM touchpoint WHERE status = 'planned' ORDER BY id")
    assert [tuple(row) for row in agenda] == [tuple(row) for row in planned]
    assert await pool.fetchval("SELECT count(*) FROM touchpoint WHERE status = 'planned' AND due_at <= $1",
        MONDAY + timedelta(days=DAYS - 1)) == 0  # fmt: skip
    numbers = await pool.fetch(
        "SELECT account_id, type, number, count(*) FROM touchpoint GROUP BY 1, 2, 3 HAVING count(*) > 1"
    )
    assert numbers == []
    feed = await pool.fetchval(
        "SELECT count(*) FROM touchpoint t WHERE NOT EXISTS"
        " (SELECT 1 FROM change c WHERE c.id = t.id AND c.xid = t.change_xid)"
    )
    assert feed == 0
