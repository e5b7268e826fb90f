"""A stored account state that cannot be read, applied to or evaluated affects its own account and no other.

No accepted event leads to such a state, so the tests write it into the table, as another version or a defect would.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Producer

from schemas.ids import derived_id
from services.chassis.database import database_url
from services.chassis.schema_versions import DATABASES
from tests.faults.ledger import binary
from tests.integration.rules_engine.conftest import Engine, fresh, problem_of
from tests.stack import until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]

State = dict[str, Any]


async def change_state(running: Engine, account: str, change: Callable[[State], None]) -> None:
    connection = await asyncpg.connect(database_url(running.stack.postgres.url, DATABASES["rules_engine"]))
    async with connection.transaction():
        stored = await connection.fetchval(
            "SELECT state FROM account WHERE account_id = $1 FOR UPDATE", account
        )
        state: State = json.loads(stored)
        change(state)
        await connection.execute(
            "UPDATE account SET state = $2 WHERE account_id = $1", account, json.dumps(state).encode()
        )
    await connection.close()


async def replace_state(running: Engine, account: str, state: bytes) -> bytes:
    """Returns the bytes that were stored."""
    connection = await asyncpg.connect(database_url(running.stack.postgres.url, DATABASES["rules_engine"]))
    async with connection.transaction():
        where = "WHERE account_id = $1"
        stored = await connection.fetchval(f"SELECT state FROM account {where} FOR UPDATE", account)
        await connection.execute(f"UPDATE account SET state = $2 {where}", account, state)
    await connection.close()
    return stored


def produce_in_order(running: Engine, *events: Mapping[str, Any]) -> None:
    """All to one partition: the engine reads one after the other."""
    producer = Producer({"bootstrap.servers": running.stack.kafka.bootstrap})
    for event in events:
        value, headers = binary(event)
        producer.produce("account.signals", value, key=event["subject"], headers=headers, partition=0)
    assert producer.flush(20) == 0


async def two_accounts(running: Engine) -> tuple[str, str]:
    names = fresh("damaged"), fresh("sound")
    for name in names:
        await running.post_event("account.described", name, {"name": name, "arr": 50_000})
    return names


async def parked_of(running: Engine, account: str) -> list[dict[str, Any]]:
    items = (await running.get("/v1/parked"))["items"]
    return [item for item in items if item["account_id"] == account]


async def evaluate_all(running: Engine) -> dict[str, Any]:
    """An announced program has every account evaluated again; returns the progress when all are."""
    generation = (await running.get("/v1/policies/progress"))["epoch"]
    program = {"program_id": fresh("program"), "kind": "webinar", "at": (await running.now()).isoformat()}
    await running.post_event("program.announced", "*", program)

    async def evaluated() -> dict[str, Any] | None:
        progress = await running.get("/v1/policies/progress")
        return progress if progress["epoch"] > generation and progress["behind"] == 0 else None

    return await until(evaluated, 30, "every account evaluated")


class TestUnreadable:
    async def test_its_events_are_parked_and_other_accounts_go_on(self, running: Engine) -> None:
        damaged, sound = await two_accounts(running)
        before = await running.account(damaged)
        parked = await running.metric("drumbeat_events_total", topic="account.signals", outcome="parked")
        await change_state(running, damaged, lambda state: state.update(v=99))
        sent = [
            await running.make_event("health.scored", account, {"color": "red"})
            for account in (damaged, sound)
        ]

        produce_in_order(running, *sent)

        await running.wait_until_folded(sent[1])
        assert (await running.account(sound))["color"] == "red"
        receipt = await running.receipt(sent[0])
        assert receipt is not None
        assert receipt["status"] == "parked"
        (item,) = await parked_of(running, damaged)
        assert (item["event_id"], item["reason"]) == (sent[0]["id"], receipt["reason"])
        assert item["reason"].startswith("UnreadableState: ")
        assert "99" in item["reason"]
        count = await running.metric("drumbeat_events_total", topic="account.signals", outcome="parked")
        assert count == parked + 1
        account = await running.account(damaged)
        assert account["undecided"] == item["reason"]
        assert (account["plan"], account["color"]) == (before["plan"], before["color"])
        path = f"/v1/accounts/{damaged}/why"
        why = problem_of(await running.request("GET", path, params={"touchpoint_type": "check_in"}), 404)
        assert "99" in why["detail"]

        await change_state(running, damaged, lambda state: state.update(v=2))
        answer = await running.request("POST", f"/v1/parked/{item['id']}/replay")
        assert answer.status_code == 200, answer.text
        await running.wait_until_folded(sent[0])
        account = await running.account(damaged)
        assert (account["undecided"], account["color"]) == (None, "red")
        assert await parked_of(running, damaged) == []

    async def test_the_sweep_evaluates_the_others(self, running: Engine) -> None:
        damaged, sound = await two_accounts(running)
        before = [await running.account(account) for account in (damaged, sound)]
        await change_state(running, damaged, lambda state: state.update(v=99))

        progress = await evaluate_all(running)

        assert progress["undecided"] == 1
        account = await running.account(damaged)
        assert account["undecided"].startswith("UnreadableState: ")
        assert account["plan"] == before[0]["plan"]
        assert (await running.account(sound))["decided_at"] >= before[1]["decided_at"]

        await change_state(running, damaged, lambda state: state.update(v=2))
        assert (await evaluate_all(running))["undecided"] == 0
        assert (await running.account(damaged))["undecided"] is None

    async def test_damaged_bytes_are_shown_listed_and_counted_until_they_are_restored(
        self, running: Engine
    ) -> None:
        """A6: a page of the API shows what is known, and the gauge is what an alarm watches."""
        damaged, sound = await two_accounts(running)
        sent = [
            await running.make_event("health.scored", account, {"color": "red"})
            for account in (damaged, sound)
        ]
        whole = await replace_state(running, damaged, b'{"v":4,"a":{')

        produce_in_order(running, *sent)
        await running.wait_until_folded(sent[1])
        assert (await running.account(sound))["color"] == "red"
        shown = await running.account(damaged)
        assert shown["undecided"].startswith("UnreadableState: ")
        assert "is damaged" in shown["undecided"]
        assert shown["plan"] is not None
        listed = (await running.get("/v1/accounts", undecided="true"))["items"]
        assert [item["id"] for item in listed] == [damaged]
        others = (await running.get("/v1/accounts", undecided="false", q=sound))["items"]
        assert [item["id"] for item in others] == [sound]
        assert (await running.get("/v1/accounts", undecided="false", q=damaged))["items"] == []

        async def counted() -> bool:
            return await running.metric("drumbeat_accounts_undecided") == 1

        await until(counted, 20, "the gauge counts it")
        (item,) = await parked_of(running, damaged)
        await replace_state(running, damaged, whole)
        await running.request("POST", f"/v1/parked/{item['id']}/replay")
        await running.wait_until_folded(sent[0])
        account = await running.account(damaged)
        assert (account["undecided"], account["color"]) == (None, "red")


class TestEvent:
    async def test_one_that_cannot_be_applied_is_parked_and_its_account_goes_on(
        self, running: Engine
    ) -> None:
        account = fresh("parked")
        await running.post_event("account.described", account, {"arr": 50_000})
        damage = {derived_id("contact", "ann"): "damaged"}
        await change_state(running, account, lambda state: state.update(erased=damage))
        answer = {"contact_id": "ann", "score": 7}
        refused = await running.make_event("nps.answered", account, answer)
        accepted = await running.make_event("health.scored", account, {"color": "red"})

        produce_in_order(running, refused, accepted)

        await running.wait_until_folded(accepted)
        shown = await running.account(account)
        assert (shown["color"], shown["undecided"]) == ("red", None)
        (item,) = await parked_of(running, account)
        assert (item["event_id"], item["type"]) == (refused["id"], "nps.answered")
        assert "Error: " in item["reason"]

        await change_state(running, account, lambda state: state.pop("erased"))
        await running.request("POST", f"/v1/parked/{item['id']}/replay")
        await running.wait_until_folded(refused)
        assert await parked_of(running, account) == []


class TestEvaluation:
    async def test_one_that_fails_keeps_the_plan_and_the_facts_until_it_succeeds(
        self, running: Engine
    ) -> None:
        damaged, sound = await two_accounts(running)
        before = await running.account(damaged)

        await change_state(running, damaged, lambda state: state.update(p={"damaged": {}}))
        sent = [
            await running.make_event("health.scored", account, {"color": "red"})
            for account in (damaged, sound)
        ]

        produce_in_order(running, *sent)

        for event in sent:
            await running.wait_until_folded(event)
        assert (await running.account(sound))["color"] == "red"
        undecided = await running.account(damaged)
        assert undecided["undecided"].startswith("ValueError: ")
        assert undecided["plan"] == before["plan"]
        assert undecided["facts"]["color"]["value"] == "red"
        assert await parked_of(running, damaged) == []
        items = (await running.get("/v1/accounts", q=damaged))["items"]
        assert [item["undecided"] for item in items] == [undecided["undecided"]]

        await change_state(running, damaged, lambda state: state.pop("p"))
        await running.post_event("account.described", damaged, {"arr": 50_001})
        decided = await running.account(damaged)
        assert (decided["undecided"], decided["color"]) == (None, "red")
        assert decided["plan"]["version"] > before["plan"]["version"]
