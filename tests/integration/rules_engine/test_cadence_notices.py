"""What customers are told of their cadence, on real tables: once, whatever is repeated and whoever works (S187, S191)."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import orjson
import pytest
import pytest_asyncio

from services.cadence.account import FactEvent
from services.chassis.faults import FaultInjected, arm
from services.devstack.embedded.postgres import EmbeddedPostgres
from tests.integration.rules_engine.engine_database import EngineDatabase, context_of, engine_database
from tests.unit.cadence.events import DAY, HOUR, NOW, make_event, shipped

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
CONTEXT = context_of(shipped(), 1)
STANDS = timedelta(hours=24)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tables(postgres: EmbeddedPostgres) -> AsyncGenerator[EngineDatabase]:
    async with engine_database(postgres.url) as database:
        yield database


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def empty_tables(tables: EngineDatabase) -> None:
    tables.ahead = timedelta(0)
    await tables.empty()
    await tables.publish(CONTEXT)


def account(name: str = "acme", days_ago: int = 0) -> list[FactEvent]:
    start = NOW - days_ago * DAY
    contract: dict[str, Any] = {"contract_id": f"c-{name}", "status": "active", "starts_on": start.date()}
    events = [
        make_event("account.described", start, arr=250_000, csm_id="csm-1"),
        make_event("contract.changed", start, **contract, renews_on=start.date() + 729 * DAY),
    ]
    return [event._replace(account_id=name) for event in events]


def red(name: str = "acme", hours: float = 0) -> FactEvent:
    return make_event("health.scored", NOW + hours * HOUR, score=20)._replace(account_id=name)


async def notices(tables: EngineDatabase) -> list[dict[str, Any]]:
    found = await tables.rows("SELECT payload FROM outbox WHERE topic = 'account.notices' ORDER BY id")
    return [orjson.loads(row[0]) for row in found]


async def pass_time(tables: EngineDatabase, ahead: timedelta) -> None:
    tables.ahead += ahead
    await tables.tell(CONTEXT)


async def begin(tables: EngineDatabase, *names: str) -> None:
    """Accounts whose customers were told the cadence with which they begin."""
    for name in names or ("acme",):
        await tables.apply(CONTEXT, *account(name))
    await tables.tell(CONTEXT)
    await pass_time(tables, STANDS)


async def test_a_customer_is_told_the_cadence_a_day_after_onboarding_began(tables: EngineDatabase) -> None:
    await tables.apply(CONTEXT, *account())
    await tables.tell(CONTEXT)
    assert await notices(tables) == []

    await pass_time(tables, STANDS)
    await pass_time(tables, STANDS)

    (notice,) = await notices(tables)
    assert (notice["account_id"], notice["kind"], notice["cause"]) == ("acme", "cadence_told", "start")
    assert len(notice["phases"]) >= 2
    ((version,),) = await tables.rows("SELECT plan_version FROM account")
    assert notice["version"] == version


async def test_an_established_account_has_no_row_and_is_told_nothing(tables: EngineDatabase) -> None:
    await tables.apply(CONTEXT, *account(days_ago=400), red())
    await tables.tell(CONTEXT)
    await pass_time(tables, 3 * STANDS)

    assert await notices(tables) == []
    assert await tables.rows("SELECT account_id FROM cadence_notice") == []


async def test_a_change_that_stands_is_told_once_and_one_that_is_back_is_not(tables: EngineDatabase) -> None:
    await begin(tables)
    at = tables.ahead / HOUR
    calm = make_event("health.scored", NOW + (at + 2) * HOUR, score=90)
    await tables.apply(CONTEXT, red(hours=at))
    await tables.tell(CONTEXT)
    tables.ahead += 2 * HOUR
    await tables.apply(CONTEXT, calm)
    await pass_time(tables, STANDS)
    assert len(await notices(tables)) == 1

    at = tables.ahead / HOUR
    for _ in range(2):
        await tables.apply(CONTEXT, red(hours=at), calm)
    await tables.tell(CONTEXT)
    await pass_time(tables, STANDS)
    await pass_time(tables, STANDS)

    kinds = [(notice["kind"], notice["cause"]) for notice in await notices(tables)]
    assert kinds == [("cadence_told", "start"), ("cadence_changed", "attention")]


@pytest.mark.parametrize("mode", ["hold", "observe"])
async def test_nothing_is_told_while_customers_must_not_be_contacted(
    tables: EngineDatabase, mode: str
) -> None:
    await tables.database.pool.execute("UPDATE epoch SET mode = $1", mode)
    await begin(tables)
    assert await notices(tables) == []

    await tables.database.pool.execute("UPDATE epoch SET mode = 'live'")
    await tables.tell(CONTEXT)
    await pass_time(tables, STANDS)
    assert len(await notices(tables)) == 1


async def test_replicas_and_a_crash_tell_it_once(tables: EngineDatabase) -> None:
    names = [f"a{number}" for number in range(12)]
    for name in names:
        await tables.apply(CONTEXT, *account(name))
    await tables.tell(CONTEXT)
    tables.ahead += STANDS
    arm("sweep.before_commit=raise")
    with pytest.raises(FaultInjected):
        await tables.tell(CONTEXT)
    assert await notices(tables) == []

    await asyncio.gather(*(tables.tell(CONTEXT) for _ in range(3)))

    assert sorted(notice["account_id"] for notice in await notices(tables)) == sorted(names)
