"""What changes without any event: time, the policy, the mode; the sweep decides again and says under what."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.cadence.policy.load import SHIPPED, policy_texts
from tests.faults.ledger import Published, read_topic
from tests.integration.rules_engine.conftest import Engine, OpenEngine
from tests.stack import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOURS_A_SECOND = 3600.0 * 12


async def restart(running: Engine, **settings: str) -> None:
    stack = running.stack
    child = stack.processes["rules_engine"].child
    child.terminate()
    child.wait(20)
    stack.environment.update(settings)
    await stack.run("rules_engine")


def commands(running: Engine, *keys: str) -> list[Published]:
    found = read_topic(running.stack.kafka.bootstrap, "touchpoint.commands")
    return [each for each in found if each.key in keys]


def introduced(running: Engine) -> bool:
    records = read_topic(running.stack.kafka.bootstrap, "directory.accounts")
    return any(each.key == "quiet" and each.data["color"] == "red" for each in records)


def types(account: Mapping[str, Any]) -> set[str]:
    return {each["touchpoint_type"] for each in account["plan"]["touchpoints"]}


async def test_time_alone_changes_a_plan(open_engine: OpenEngine) -> None:
    async with open_engine(rate=HOURS_A_SECOND, start=MONDAY) as running:
        now = await running.now()
        renews_on = (now + timedelta(days=93)).date().isoformat()
        signed = (now - timedelta(days=400)).date().isoformat()
        await running.tell("account.described", "renewing", {"name": "R", "arr": 50_000}, time=now)
        contract = {"contract_id": "c", "status": "active", "starts_on": signed, "renews_on": renews_on}
        await running.tell("contract.changed", "renewing", contract, time=now)
        await running.tell("account.described", "happy", {"name": "H", "arr": 50_000}, time=now)
        await running.tell("nps.answered", "happy", {"score": 10}, time=now)
        before = {name: await running.account(name) for name in ("renewing", "happy")}
        assert before["renewing"]["stage"] == "growth"
        assert "advocacy_ask" in types(before["happy"])

        async def moved_on() -> bool:
            renewing, happy = await running.account("renewing"), await running.account("happy")
            return renewing["stage"] == "renewal" and "advocacy_ask" not in types(happy)

        await until(moved_on, 30, "the renewal stage, and the end of the window to ask for advocacy")

        for name in ("renewing", "happy"):
            newest = (await running.get(f"/v1/accounts/{name}/decisions"))["items"][0]
            assert newest["events"] == []
            assert newest["plan_version"] > before[name]["plan"]["version"]

        async def told() -> bool:
            versions = {(each.key, each.data["version"]) for each in commands(running, *before)}
            wanted = [(name, await running.account(name)) for name in ("renewing", "happy")]
            return all((name, account["plan"]["version"]) in versions for name, account in wanted)

        await until(told, 20, "the changed plans on touchpoint.commands")
        for name, kind in (("renewing", "renewal_value_summary"), ("renewing", "renewal_discussion")):
            assert kind in types(before[name]), "a step stands in the plan as soon as its date is known"


@pytest.mark.asyncio(loop_scope="module")
async def test_another_policy_decides_every_account_again(running: Engine) -> None:
    names = [f"account-{number}" for number in range(4)]
    for name in names:
        await running.tell("account.described", name, {"name": name, "arr": 50_000})
    before = {name: await running.account(name) for name in names}
    changed = running.stack.folder / "changed.yaml"
    shipped = "\n".join(policy_texts(SHIPPED).values())
    rule = "rule: mid-market-pooled-check-in\n    touchpoint: check_in\n    segment: mid_market\n"
    weekly = shipped.replace(rule + "    every: {onboarding: 30d", rule + "    every: {onboarding: 21d")
    assert weekly != shipped
    changed.write_text(weekly)

    await restart(running, DRUMBEAT_POLICY=str(changed))

    listed = (await running.get("/v1/policies"))["items"]
    in_force = next(each["hash"] for each in listed if each["in_force"])
    assert len(listed) == 2

    async def decided() -> bool:
        return all([(await running.account(name))["plan"]["policy"] == in_force for name in names])

    await until(decided, 20, "every account under the new policy")
    for name in names:
        account = await running.account(name)
        (rhythm,) = (each for each in account["plan"]["rhythms"] if each["touchpoint_type"] == "check_in")
        assert rhythm["every_days"] == 21
        assert rhythm["reason"]["policy"] == in_force
        newest = (await running.get(f"/v1/accounts/{name}/decisions"))["items"][0]
        assert newest["policy"] == in_force
        assert any(each["touchpoint_type"] == "check_in" for each in newest["changes"])
        assert before[name]["plan"]["policy"] != in_force


@pytest.mark.asyncio(loop_scope="module")
async def test_observe_commands_nobody_until_it_goes_live(running: Engine) -> None:
    await restart(running, DRUMBEAT_MODE="observe")
    await running.tell("account.described", "quiet", {"name": "Quiet", "arr": 50_000})
    await running.tell("health.scored", "quiet", {"color": "red"})
    observed = await running.account("quiet")
    assert "risk_action_plan" in types(observed)
    decisions = (await running.get("/v1/accounts/quiet/decisions"))["items"]
    assert len(decisions) == 2
    assert decisions[0]["reasons"]
    # Whatever was to be published went through the same outbox as the directory, in order.
    await until(lambda: introduced(running), 20, "the directory")
    assert commands(running, "quiet") == []

    await restart(running, DRUMBEAT_MODE="live")

    await until(lambda: commands(running, "quiet"), 20, "a command")
    (command,) = commands(running, "quiet")
    assert command.key == "quiet"
    live = await running.account("quiet")
    assert command.data["version"] == live["plan"]["version"]
    assert {each["touchpoint_type"] for each in command.data["touchpoints"]} == types(observed)
