"""The sweep of a new policy: every account is decided under it, and one for which nothing changes is not written."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
import pytest_asyncio

from services.cadence.account import FactEvent
from services.cadence.account.codec import decode
from services.cadence.evaluation import evaluate_account
from services.cadence.expressions.parser import parse
from services.cadence.policy import Policy, compile_policy
from services.chassis.faults import FaultInjected, arm
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.rules_engine.adapters.account_repository import erasure_key
from services.rules_engine.adapters.progress_queries import measure
from services.rules_engine.adapters.sweep_repository import SweepRepository
from services.rules_engine.application.sweep_accounts import SweepPhase, sweep_accounts
from services.rules_engine.domain.account import EvaluationContext
from tests.integration.rules_engine.engine_database import EngineDatabase, context_of, engine_database
from tests.unit.cadence.events import DAY, NOW, make_event
from tests.unit.cadence.policies import policy, rhythm

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

ACCOUNTS = 3_000
BASE = policy(
    rhythm("all", "check_in", 30),
    rhythm("rich", "business_review", 90, parse("arr is not null and arr >= 1000")),
)
VIP = parse('industry == "vip"')


def with_rhythm(base: Policy, every_days: int) -> Policy:
    """Another rhythm for one account of a hundred."""
    rhythms = (*base.content.rhythms, rhythm("vip", "tips", every_days, VIP))
    return compile_policy(replace(base.content, rhythms=rhythms))


BEFORE = context_of(BASE, 1)
AFTER = context_of(with_rhythm(BASE, 7), 2)


def described(account_id: str, **fields: object) -> FactEvent:
    return make_event("account.described", NOW - DAY, name=account_id, **fields)._replace(
        account_id=account_id
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tables(postgres: EmbeddedPostgres) -> AsyncGenerator[EngineDatabase]:
    async with engine_database(postgres.url) as database:
        yield database


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def empty_tables(tables: EngineDatabase) -> None:
    await tables.empty()
    await tables.publish(BEFORE)


async def fill(tables: EngineDatabase, accounts: int, context: EvaluationContext = BEFORE) -> None:
    events = [
        described(f"a{number:06}", arr=100, industry="vip" if number % 100 == 0 else "retail")
        for number in range(accounts)
    ]
    for start in range(0, accounts, 500):
        await tables.apply(context, *events[start : start + 500])
    await tables.sweep(context)


async def written_by_sweep(tables: EngineDatabase, context: EvaluationContext) -> int:
    await tables.publish(context)
    before = await tables.rows_written()
    await tables.sweep(context)
    return await tables.rows_written() - before


async def decided_otherwise(tables: EngineDatabase, context: EvaluationContext) -> list[str]:
    """The accounts whose plan in force is not what an evaluation under the context returns."""
    wrong: list[str] = []
    rows = await tables.rows(
        "SELECT a.account_id, a.state, a.plan_key, a.plan_version, p.version, a.decided_under FROM account AS a"
        " LEFT JOIN account_plan AS p USING (account_id) WHERE state IS NOT NULL"
    )
    now = tables.clock.now()
    for account_id, state, key, version, in_force, decided_under in rows:
        decision = evaluate_account(context.policy, *decode(account_id, state), context.portfolio, now)
        if decision.key != key or version != in_force or decided_under < 0:
            wrong.append(account_id)
    return wrong


async def test_a_publish_that_changes_one_account_of_a_hundred_writes_two_percent_of_the_rows(
    tables: EngineDatabase,
) -> None:
    """A3: before, each account wrote its row, a decision and a command."""
    await fill(tables, ACCOUNTS)
    versions = await tables.rows("SELECT account_id, version FROM account_plan ORDER BY account_id")
    commands = await tables.rows("SELECT count(*) FROM outbox WHERE topic = 'touchpoint.commands'")

    written = await written_by_sweep(tables, AFTER)

    assert written <= 0.02 * 3 * ACCOUNTS
    changed = set(await tables.rows("SELECT account_id, version FROM account_plan")) - set(versions)
    assert {account_id for account_id, _ in changed} == {
        f"a{number:06}" for number in range(0, ACCOUNTS, 100)
    }
    sent = await tables.rows("SELECT count(*) FROM outbox WHERE topic = 'touchpoint.commands'")
    assert sent[0][0] - commands[0][0] == ACCOUNTS // 100
    assert await decided_otherwise(tables, AFTER) == []
    assert (await measure(tables.database, 2))["behind"] == 0


async def test_a_publish_that_changes_nothing_writes_the_position_of_the_sweep_only(
    tables: EngineDatabase,
) -> None:
    await fill(tables, 600)
    rhythms = (*BASE.content.rhythms, rhythm("nobody", "tips", 7, parse('industry == "mining"')))
    other = context_of(compile_policy(replace(BASE.content, rhythms=rhythms)), 2)

    assert await written_by_sweep(tables, other) <= 4
    assert await written_by_sweep(tables, replace(other, generation=3)) <= 4, "another portfolio"


async def test_an_account_that_is_created_while_the_sweep_begins_is_decided_under_the_new_policy(
    tables: EngineDatabase,
) -> None:
    """The sweep waits for batches that began before it; it does not see what they have not committed yet."""
    async with tables.database.transaction() as connection:
        await tables.apply_in(connection, BEFORE, [described("new", industry="vip")])
        await tables.publish(AFTER)
        beginning = asyncio.create_task(SweepRepository(tables.database).follow(2, AFTER.policy.hash))
        await asyncio.wait({beginning}, timeout=0.2)
        assert not beginning.done()
    assert await beginning is SweepPhase.RUNNING

    await tables.sweep(AFTER)

    assert await decided_otherwise(tables, AFTER) == []


async def test_a_batch_that_takes_long_delays_the_sweep_and_no_other_batch(tables: EngineDatabase) -> None:
    repository = SweepRepository(tables.database)
    async with tables.database.transaction() as connection:
        await tables.apply_in(connection, BEFORE, [described("slow")])
        assert await repository.follow(2, AFTER.policy.hash) is SweepPhase.SUPERSEDED
        await asyncio.wait_for(tables.apply(BEFORE, described("other")), 5)
    assert await repository.follow(2, AFTER.policy.hash) is SweepPhase.RUNNING


async def test_a_replica_behind_leaves_accounts_that_the_sweep_has_passed_to_it(
    tables: EngineDatabase,
) -> None:
    """The account names its old generation still, for the sweep did not write it."""
    await fill(tables, 10)
    await tables.publish(AFTER)
    await tables.sweep(AFTER)
    assert await tables.rows("SELECT count(*) FROM account WHERE decided_under = 1") == [(9,)]

    await tables.apply(BEFORE, described("a000003", industry="vip"), described("new", industry="vip"))

    assert await tables.rows("SELECT account_id FROM account WHERE decided_under = -2") == [
        ("a000003",), ("new",),
    ]  # fmt: skip
    assert (await measure(tables.database, 2))["behind"] == 2
    assert await tables.sweeper(BEFORE).run_once() == 1.0
    await tables.sweep(AFTER)
    assert await decided_otherwise(tables, AFTER) == []


async def test_a_replica_behind_leaves_accounts_to_a_sweep_that_is_under_way(tables: EngineDatabase) -> None:
    """Health that reads as before under the old policy may not under the new one."""
    passed, ahead = ("a000003", "a000004"), ("a000033",)

    async def score(value: int) -> None:
        for account_id in (*passed, *ahead):
            event = make_event("health.scored", NOW - DAY / value, score=value)
            await tables.apply(BEFORE, event._replace(account_id=account_id))

    await fill(tables, 40)
    await score(95)
    watching = (
        *BASE.content.rhythms,
        rhythm("low", "tips", 7, parse("health_score is not null and health_score > 95")),
    )
    newest = context_of(compile_policy(replace(BASE.content, rhythms=watching)), 2)
    await tables.publish(newest)
    await tables.sweeper(newest, batch=15).run_once()

    await score(96)
    await tables.apply(BEFORE, described("a000004", industry="retail"))

    waiting = "SELECT account_id FROM account WHERE decided_under = -2 ORDER BY 1"
    assert [row[0] for row in await tables.rows(waiting)] == [*passed, *ahead]
    await tables.sweep(newest, batch=15)
    assert await decided_otherwise(tables, newest) == []


async def test_a_sweep_that_is_interrupted_goes_on_where_it_was_and_begins_anew_under_a_newer_policy(
    tables: EngineDatabase,
) -> None:
    await fill(tables, 40)
    await tables.publish(AFTER)
    sweeper = tables.sweeper(AFTER, batch=15)
    await sweeper.run_once()
    (position,) = await tables.rows("SELECT position, completed FROM sweep")
    assert position == ("a000014", 1)
    assert (await measure(tables.database, 2))["behind"] == 25

    arm("sweep.before_commit=raise@2")
    with pytest.raises(FaultInjected):
        await sweeper.run_once()
    arm("")
    assert await tables.rows("SELECT position, completed FROM sweep") == [position]
    newest = context_of(with_rhythm(BASE, 14), 3)
    await tables.publish(newest)
    await tables.sweep(newest, batch=15)

    assert await decided_otherwise(tables, newest) == []
    assert await tables.rows("SELECT completed FROM sweep") == [(3,)]


async def test_replicas_take_turns_with_the_sweep(tables: EngineDatabase) -> None:
    await fill(tables, 300)
    await tables.publish(AFTER)

    await asyncio.gather(*(tables.sweep(AFTER, batch=20) for _ in range(3)))

    assert await decided_otherwise(tables, AFTER) == []
    decisions = "SELECT account_id FROM decision GROUP BY account_id HAVING count(*) > 2"
    assert await tables.rows(decisions) == []


async def test_what_was_only_observed_is_sent_when_the_mode_becomes_live(tables: EngineDatabase) -> None:
    await fill(tables, 20, context_of(BASE, 1, publish=False))
    assert await tables.rows("SELECT 1 FROM outbox WHERE topic = 'touchpoint.commands'") == []
    await written_by_sweep(tables, context_of(BASE, 2))
    assert len(await tables.rows("SELECT 1 FROM outbox WHERE topic = 'touchpoint.commands'")) == 20
    assert await written_by_sweep(tables, context_of(BASE, 3)) <= 4


async def test_an_account_that_was_erased_meanwhile_does_not_come_back(tables: EngineDatabase) -> None:
    await fill(tables, 3)
    wanted = ["a000000", "a000001"]
    async with tables.database.transaction() as connection:
        await connection.execute("DELETE FROM account WHERE account_id = $1", wanted[0])
        await connection.execute("INSERT INTO erasure VALUES ($1, now())", erasure_key(wanted[0]))
        clocks = await tables.clocks(connection)
        assert await sweep_accounts(tables.work(connection), wanted, AFTER, clocks) == 0
    assert await tables.rows("SELECT count(*) FROM account") == [(2,)]
