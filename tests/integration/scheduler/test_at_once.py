"""Plans, releases, outcomes and deadlines at the same time: nothing twice, nothing lost, nothing stuck."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest

from services.chassis.dead_letters import Record
from tests.integration.scheduler.conftest import MONDAY, House, at, rhythm, tips

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
ACCOUNTS = [f"account-{n}" for n in range(25)]
DAYS = 60


async def until_done(act: Callable[[], Awaitable[object]]) -> None:
    """As the consumer does: a deadlock is the database's way of asking for another try."""
    while True:
        try:
            await act()
        except asyncpg.DeadlockDetectedError:
            continue
        return


def plans(house: House, dice: random.Random, version: int) -> list[Record]:
    return [
        house.plan(
            version,
            [rhythm(dice.choice([3, 7, 14])), tips(dice.choice([1, 7]))][: dice.choice([1, 2, 2])],
            account=name,
        )
        for name in dice.sample(ACCOUNTS, 8)
    ]


def outcomes(house: House, dice: random.Random, number: int) -> list[Record]:
    return [
        house.outcome({"touchpoint_type": "check_in", "outcome": "completed"}, name, id=f"{number}:{name}")
        for name in dice.sample(ACCOUNTS, 8)
    ]


async def test_sixty_days_of_everything_at_once(house: House) -> None:
    dice = random.Random(7)
    await house.hear(*(house.plan(0, [rhythm(7), tips(7)], account=name) for name in ACCOUNTS))

    for day in range(1, DAYS):
        at(MONDAY + timedelta(days=day))
        commands, news = plans(house, dice, day), outcomes(house, dice, day)
        await asyncio.gather(
            until_done(lambda c=commands: house.hear(*c)),
            until_done(lambda n=news: house.hear(*n)),
            until_done(house.release),
            until_done(house.release),
            until_done(house.lapse),
            until_done(house.extend),
        )
    await house.release()
    await house.lapse()

    await check_what_was_told(house)
    await check_what_stands(house)


async def check_what_was_told(house: House) -> None:
    sequences: dict[str, list[int]] = defaultdict(list)
    due: list[str] = []
    for each in await house.told():
        data = each["data"]
        sequences[data["touchpoint_id"]].append(data["sequence"])
        if each["ce_type"].endswith("due.v1") and not each["ce_type"].endswith("overdue.v1"):
            due.append(data["touchpoint_id"])
            assert data["released_at"] >= data["due_at"]
    assert len(due) > 300
    assert len(due) == len(set(due))
    for heard in sequences.values():
        assert heard == sorted(set(heard))


async def check_what_stands(house: House) -> None:
    pool = house.database.pool
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
