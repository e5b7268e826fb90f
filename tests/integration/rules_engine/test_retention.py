"""Retention: decisions and receipts are dropped by age, and what remains still explains the plan in force."""

from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.database import Database
from services.chassis.partitions import drop_partitions, month_start
from services.chassis.schema_versions import DATABASES
from services.rules_engine.adapters.decision_rows import DECISIONS
from tests.integration.rules_engine.conftest import Engine, fresh, problem_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


async def test_a_plan_whose_decision_was_dropped_is_shown_and_explained(running: Engine) -> None:
    """A3: an account of long ago, about which nothing new was said for more than the 400 days of the retention."""
    account = fresh("quiet")
    await running.post_event("account.described", account, {"name": account, "arr": 50_000})
    before = await running.account(account)
    long_ago = datetime.now(UTC) - timedelta(days=500)
    version = int(long_ago.timestamp() * 1000)
    database = await Database.open(running.stack.postgres.url, DATABASES["rules_engine"], pool_size=2)
    async with database.transaction() as connection:
        # As if the decision had been made then.
        for table, column in (
            ("account", "plan_version"),
            ("account_plan", "version"),
            ("decision", "version"),
        ):
            await connection.execute(
                f"UPDATE {table} SET {column} = $2 WHERE account_id = $1", account, version
            )
        await connection.execute(
            "UPDATE decision SET recorded_at = $2 WHERE account_id = $1", account, long_ago
        )
    path = f"/v1/accounts/{account}/why"
    asked = {"touchpoint_type": "check_in", "decision": version}
    assert (await running.get(path, **asked))["reproduced"]

    async with database.transaction() as connection:
        await drop_partitions(connection, DECISIONS, datetime.now(UTC) - timedelta(days=400))
    await database.close()

    shown = await running.account(account)
    assert shown["plan"] == before["plan"] | {"version": version}
    why = await running.get(path, touchpoint_type="check_in")
    assert why["plan_version"] == version
    assert (await running.get(f"/v1/accounts/{account}/decisions"))["items"] == []
    missing = problem_of(await running.request("GET", path, params=asked), 404)
    assert "older than the retention of 400 days" in missing["detail"]
    unknown = problem_of(
        await running.request("GET", path, params=asked | {"decision": before["plan"]["version"] + 1}), 404
    )
    assert "has no decision with plan version" in unknown["detail"]
    await running.post_event("health.scored", account, {"color": "red"})
    newest = (await running.get(f"/v1/accounts/{account}/decisions"))["items"][0]
    assert newest["changes"], "the changes from the plan that was in force"
    assert all("check_in" not in change["text"] or change["kind"] != "added" for change in newest["changes"])


async def test_an_event_whose_receipt_was_dropped_changes_nothing_when_it_comes_again(
    running: Engine,
) -> None:
    """A3: the stamps in the state of the account know it."""
    account = fresh("again")
    sent = [
        await running.post_event("account.described", account, {"name": account, "arr": 50_000}),
        await running.post_event("health.scored", account, {"color": "red"}),
        await running.post_event("nps.answered", account, {"contact_id": "ann", "score": 3}),
        await running.post_event("health.scored", account, {"color": "green"}),
    ]
    database = await Database.open(running.stack.postgres.url, DATABASES["rules_engine"], pool_size=2)
    stored = "SELECT state, plan_version, plan_key FROM account WHERE account_id = $1"
    before = await database.pool.fetchrow(stored, account)
    await database.pool.execute("DELETE FROM receipt")

    for event in sent:
        assert await running.receipt(event) is None
    await running.stack.tell(*sent)
    for event in sent:
        await running.wait_until_folded(event)

    assert await database.pool.fetchrow(stored, account) == before
    await database.close()


async def test_decisions_of_this_month_are_in_a_partition_of_their_own(running: Engine) -> None:
    account = fresh("dated")
    await running.post_event("account.described", account, {"name": account})
    database = await Database.open(running.stack.postgres.url, DATABASES["rules_engine"], pool_size=2)
    where = await database.pool.fetchval(
        "SELECT tableoid::regclass::text FROM decision WHERE account_id = $1", account
    )
    assert where == f"decision_{month_start(datetime.now(UTC)):%Y_%m}"
    await database.close()
