"""A6: whatever is wrong with a stored account, in a batch and in the sweep it alone is undecided, and nothing is lost.

The damage is written into the table. The policy says the industry of an account in its reasons.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
import pytest_asyncio

from services.cadence.account.packing import unpacked
from services.cadence.policy import compile_policy
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.rules_engine.adapters.progress_queries import count_undecided
from tests.integration.rules_engine.engine_database import (
    RETRY,
    EngineDatabase,
    context_of,
    engine_database,
)
from tests.unit.cadence.events import DAY, HOUR, NOW, make_event
from tests.unit.cadence.policies import CATALOGUE, policy, rhythm

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

Damage = Callable[[dict[str, Any]], object]
BASE = policy(rhythm("all", "check_in", 30))
SAYS = replace(BASE.content.rhythms[0], because="It is in {industry}.")
BEFORE = context_of(compile_policy(replace(BASE.content, rhythms=(SAYS,))), 1)
RARER = replace(SAYS, every_days=45)
AFTER = context_of(compile_policy(replace(BASE.content, rhythms=(RARER,), touchpoints=CATALOGUE)), 2)
DAMAGED, SOUND, OTHER = "damaged", "sound", "tail"


def described(account_id: str, at: Any = NOW - DAY, **fields: object) -> Any:
    return make_event("account.described", at, **fields)._replace(account_id=account_id)


def set_field(name: str, value: object) -> Damage:
    return lambda document: document["a"][min(document["a"])].update({name: value})


ODD_STATES: dict[str, tuple[Damage | bytes, bool]] = {
    "bytes that are no JSON": (b'{"v":4,"a":', False),
    "no bytes": (b"", False),
    "another document": (b"[1, 2]", False),
    "an unknown format": (lambda document: document.update(v=99), False),
    "a part that is missing": (lambda document: document.pop("e"), False),
    "a part of another kind": (lambda document: document.update(p={"odd": {}}), True),
    "a plan that cannot be worded": (set_field("industry", [1, 2]), True),
    "a record that cannot be made": (set_field("language", {"odd": 1}), True),
    "text that cannot be stored": (set_field("name", "A\0B"), False),
}
"""How the state is damaged, and whether events can still be applied to it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tables(postgres: EmbeddedPostgres) -> AsyncGenerator[EngineDatabase]:
    async with engine_database(postgres.url) as database:
        yield database


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def three_accounts(tables: EngineDatabase) -> None:
    await tables.empty()
    await tables.publish(BEFORE)
    names = (DAMAGED, SOUND, OTHER)
    await tables.apply(BEFORE, *(described(name, name=name, industry="retail") for name in names))
    await tables.sweep(BEFORE)


async def damage(tables: EngineDatabase, change: Damage | bytes) -> bytes:
    """Returns the state before."""
    ((state,),) = await tables.rows("SELECT state FROM account WHERE account_id = $1", DAMAGED)
    if callable(change):
        document = orjson.loads(state)
        change(document)
        await store(tables, orjson.dumps(document))
    else:
        await store(tables, change)
    return state


async def store(tables: EngineDatabase, state: bytes) -> None:
    query = "UPDATE account SET state = $2 WHERE account_id = $1"
    await tables.database.pool.execute(query, DAMAGED, state)


async def plans(tables: EngineDatabase) -> dict[str, tuple[int, str | None]]:
    rows = await tables.rows(
        "SELECT account_id, p.plan, a.undecided FROM account AS a JOIN account_plan AS p USING (account_id)"
    )
    return {row[0]: (orjson.loads(unpacked(row[1]))["rhythms"][0]["every_days"], row[2]) for row in rows}


@pytest.mark.parametrize("kind", [kind for kind in ODD_STATES if "record" not in kind])
async def test_the_sweep_decides_the_others_and_the_account_after_its_repair(
    tables: EngineDatabase, kind: str
) -> None:
    state = await damage(tables, ODD_STATES[kind][0])
    await tables.publish(AFTER)

    await tables.sweep(AFTER)

    stored = await plans(tables)
    assert (stored[SOUND], stored[OTHER]) == ((45, None), (45, None))
    assert stored[DAMAGED][1] is not None
    assert await count_undecided(tables.database) == 1

    await store(tables, state)
    tables.ahead += 2 * RETRY
    await tables.sweep(AFTER)
    assert set((await plans(tables)).values()) == {(45, None)}


@pytest.mark.parametrize("kind", [kind for kind in ODD_STATES if "stored" not in kind])
async def test_a_batch_applies_what_is_said_of_the_others_and_keeps_what_is_said_of_the_account(
    tables: EngineDatabase, kind: str
) -> None:
    change, is_applied = ODD_STATES[kind]
    before = await plans(tables)
    state = await damage(tables, change)
    await tables.publish(AFTER)
    events = [described(name, NOW - HOUR, country="FR") for name in (DAMAGED, SOUND)]

    counts = await tables.apply(AFTER, *events)

    assert (counts.parked, counts.undecided) == (0 if is_applied else 1, 1)
    stored = await plans(tables)
    assert stored[SOUND] == (45, None)
    assert stored[DAMAGED][1] is not None
    assert stored[DAMAGED][0] in {before[DAMAGED][0], 45}
    ((kept,),) = await tables.rows("SELECT state FROM account WHERE account_id = $1", DAMAGED)
    parked = await tables.rows("SELECT event_id, reason FROM parked")
    if is_applied:
        assert b'"FR"' in kept
        document = orjson.loads(kept)
        document["a"] |= orjson.loads(state)["a"]
        document.pop("p", None)
        await store(tables, orjson.dumps(document))
    else:
        assert parked == [(events[0].provenance.id, stored[DAMAGED][1])]
        await store(tables, state)

    counts = await tables.apply(AFTER, events[0])
    assert (counts.parked, counts.undecided) == (0, 0)
    ((kept, undecided),) = await tables.rows(
        "SELECT state, undecided FROM account WHERE account_id = $1", DAMAGED
    )
    assert b'"FR"' in kept
    assert undecided is None
    assert (await plans(tables))[DAMAGED] == (45, None)


async def test_a_plan_in_force_that_cannot_be_read_is_replaced(tables: EngineDatabase) -> None:
    await tables.database.pool.execute("UPDATE account_plan SET plan = $1", b"{")
    await tables.publish(AFTER)
    await tables.sweep(AFTER)
    assert set((await plans(tables)).values()) == {(45, None)}


async def test_an_account_that_cannot_be_read_is_not_merged_and_stops_no_other(
    tables: EngineDatabase,
) -> None:
    await damage(tables, b"[]")
    merged = make_event("account.merged", NOW, from_=DAMAGED)._replace(account_id=SOUND)

    counts = await tables.apply(BEFORE, merged, described(OTHER, NOW - HOUR, country="FR"))

    assert counts.parked == 1
    assert await tables.rows("SELECT count(*) FROM account WHERE state IS NOT NULL") == [(3,)]
    ((state,),) = await tables.rows("SELECT state FROM account WHERE account_id = $1", OTHER)
    assert b'"FR"' in state
