"""Plans that change without an event: by time, by another policy, by another mode."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faults.ledger import Published, read_topic
from tests.integration.rules_engine.conftest import Engine, OpenEngine
from tests.integration.rules_engine.policy_requests import SHIPPED_TEXT, restart
from tests.stack import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)


def commands(running: Engine, *keys: str) -> list[Published]:
    records = read_topic(running.stack.kafka.bootstrap, "touchpoint.commands")
    return [record for record in records if record.key in keys]


def is_in_directory(running: Engine) -> bool:
    records = read_topic(running.stack.kafka.bootstrap, "directory.accounts")
    return any(record.key == "quiet" and record.data["color"] == "red" for record in records)


def types(account: Mapping[str, Any]) -> set[str]:
    return {touchpoint["touchpoint_type"] for touchpoint in account["plan"]["touchpoints"]}


async def test_time_alone_changes_a_plan(open_engine: OpenEngine) -> None:
    async with open_engine(rate=0, start=MONDAY) as running:
        now = await running.now()
        renews_on = (now + timedelta(days=93)).date().isoformat()
        signed = (now - timedelta(days=400)).date().isoformat()
        await running.post_event("account.described", "renewing", {"name": "R", "arr": 50_000}, time=now)
        contract = {"contract_id": "c", "status": "active", "starts_on": signed, "renews_on": renews_on}
        await running.post_event("contract.changed", "renewing", contract, time=now)
        await running.post_event("account.described", "happy", {"name": "H", "arr": 50_000}, time=now)
        await running.post_event("nps.answered", "happy", {"score": 10}, time=now)
        before = {name: await running.account(name) for name in ("renewing", "happy")}
        assert before["renewing"]["stage"] == "growth"
        assert "advocacy_ask" in types(before["happy"])

        advanced = await running.stack.post("rules_engine", "/v1/clock/advance", {"by": "4d"})
        assert datetime.fromisoformat(advanced["now"]) == MONDAY + timedelta(days=4)
        assert (
            await running.stack.post("rules_engine", "/v1/clock/advance", {"to": now.isoformat()}) == advanced
        )

        async def have_changed() -> bool:
            renewing, happy = await running.account("renewing"), await running.account("happy")
            return renewing["stage"] == "renewal" and "advocacy_ask" not in types(happy)

        await until(have_changed, 30, "the renewal stage, and the end of the window to ask for advocacy")

        for name in ("renewing", "happy"):
            newest = (await running.get(f"/v1/accounts/{name}/decisions"))["items"][0]
            assert newest["events"] == []
            assert newest["plan_version"] > before[name]["plan"]["version"]

        async def are_published() -> bool:
            versions = {(command.key, command.data["version"]) for command in commands(running, *before)}
            wanted = [(name, await running.account(name)) for name in ("renewing", "happy")]
            return all((name, account["plan"]["version"]) in versions for name, account in wanted)

        await until(are_published, 20, "the changed plans on touchpoint.commands")
        for name, kind in (("renewing", "renewal_value_summary"), ("renewing", "renewal_discussion")):
            assert kind in types(before[name]), "a step is in the plan as soon as its date is known"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_clock_that_runs_is_not_advanced(running: Engine) -> None:
    url = running.stack.processes["rules_engine"].url + "/v1/clock/advance"
    refused = await running.stack.client.post(url, json={"by": "1d"})
    assert refused.status_code == 409
    assert "DRUMBEAT_CLOCK__RATE=0" in refused.json()["detail"]
    assert refused.json()["title"] == "Clock runs by itself"
    wrong = await running.stack.client.post(url, json={"by": "1 week"})
    assert wrong.status_code == 422


@pytest.mark.asyncio(loop_scope="module")
async def test_another_policy_has_every_account_evaluated_again(running: Engine) -> None:
    names = [f"account-{number}" for number in range(4)]
    for name in names:
        await running.post_event("account.described", name, {"name": name, "arr": 50_000})
    before = {name: await running.account(name) for name in names}
    changed = running.stack.folder / "changed.yaml"
    rule = "rule: mid-market-pooled-check-in\n    touchpoint: check_in\n    segment: mid_market\n"
    changed_text = SHIPPED_TEXT.replace(
        rule + "    every: {onboarding: 30d", rule + "    every: {onboarding: 21d"
    )
    assert changed_text != SHIPPED_TEXT
    changed.write_text(changed_text)

    await restart(running, DRUMBEAT_POLICY=str(changed))

    listed = (await running.get("/v1/policies"))["items"]
    in_force = next(item["hash"] for item in listed if item["in_force"])
    assert len(listed) == 2

    async def are_decided() -> bool:
        return all([(await running.account(name))["plan"]["policy"] == in_force for name in names])

    await until(are_decided, 20, "every account under the new policy")
    for name in names:
        account = await running.account(name)
        (rhythm,) = (
            rhythm for rhythm in account["plan"]["rhythms"] if rhythm["touchpoint_type"] == "check_in"
        )
        assert rhythm["every_days"] == 21
        assert rhythm["reason"]["policy"] == in_force
        newest = (await running.get(f"/v1/accounts/{name}/decisions"))["items"][0]
        assert newest["policy"] == in_force
        assert any(change["touchpoint_type"] == "check_in" for change in newest["changes"])
        assert before[name]["plan"]["policy"] != in_force


@pytest.mark.asyncio(loop_scope="module")
async def test_observe_mode_publishes_no_plan_until_the_service_goes_live(running: Engine) -> None:
    await restart(running, DRUMBEAT_MODE="observe")
    await running.post_event("account.described", "quiet", {"name": "Quiet", "arr": 50_000})
    await running.post_event("health.scored", "quiet", {"color": "red"})
    observed = await running.account("quiet")
    assert "risk_action_plan" in types(observed)
    decisions = (await running.get("/v1/accounts/quiet/decisions"))["items"]
    assert len(decisions) == 2
    assert decisions[0]["reasons"]
    # A plan would go through the same outbox as the directory, in order.
    await until(lambda: is_in_directory(running), 20, "the directory")
    assert commands(running, "quiet") == []

    await restart(running, DRUMBEAT_MODE="live")

    await until(lambda: commands(running, "quiet"), 20, "a command")
    (command,) = commands(running, "quiet")
    assert command.key == "quiet"
    live = await running.account("quiet")
    assert command.data["version"] == live["plan"]["version"]
    assert {touchpoint["touchpoint_type"] for touchpoint in command.data["touchpoints"]} == types(observed)
