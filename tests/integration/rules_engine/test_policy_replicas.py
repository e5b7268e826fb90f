"""Policies from files and several replicas: which one comes into force, and what a replica does that cannot read it."""

import asyncio
from itertools import count, pairwise
from typing import Any

import httpx
import pytest

from services.chassis.database import Database
from services.chassis.schema_versions import DATABASES
from services.rules_engine.adapters.configuration_repository import Offer, put_in_force
from services.rules_engine.adapters.configuration_repository import current as current_configuration
from tests.integration.rules_engine.conftest import Engine, OpenEngine, problem_of
from tests.integration.rules_engine.policy_requests import (
    check_in_days,
    current_policy,
    mid_market_account,
    policy_files,
    publish,
    restart,
    wait_until_evaluated,
)
from tests.stack import until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.long,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="module"),
]


class TestFiles:
    async def test_a_published_policy_survives_restarts_until_the_files_are_edited(
        self, open_engine: OpenEngine
    ) -> None:
        async with open_engine() as running:
            shipped = await current_policy(running)
            published = await publish(running, 40)
            await restart(running)
            assert (await current_policy(running))["version"] == published["version"]

            mine = running.stack.folder / "mine.yaml"
            mine.write_text(policy_files(41)["cadence.yaml"])
            await restart(running, DRUMBEAT_POLICY=str(mine))
            edited = await current_policy(running)
            assert edited["hash"] not in {shipped["hash"], published["hash"]}
            assert edited["versions"][0]["origin"] == "file"

            newer = await publish(running, 42)
            await restart(running)
            assert (await current_policy(running))["version"] == newer["version"], (
                "unchanged files change nothing"
            )

            mine.write_text("# Only a remark.\n" + policy_files(41)["cadence.yaml"])
            await restart(running)
            assert (await current_policy(running))["version"] == newer["version"], "a comment changes nothing"

            mine.write_text(policy_files(43)["cadence.yaml"])
            await restart(running, DRUMBEAT_MODE="observe")
            last = await current_policy(running)
            assert (last["versions"][0]["origin"], last["mode"]) == ("file", "observe")
            assert last["files"] == {"mine.yaml": policy_files(43)["cadence.yaml"]}

    async def test_files_that_were_published_and_replaced_since_replace_nothing_at_a_restart(
        self, open_engine: OpenEngine
    ) -> None:
        """A10: the operator edits the files, publishes them, and later something better over HTTP."""
        async with open_engine() as running:
            mine = running.stack.folder / "mine.yaml"
            mine.write_text(policy_files(46)["cadence.yaml"])
            await restart(running, DRUMBEAT_POLICY=str(mine))
            mine.write_text(policy_files(47)["cadence.yaml"])
            await publish(running, 47)
            better = await publish(running, 48, author="Ada")
            await restart(running)
            assert (await current_policy(running))["version"] == better["version"]
            log = running.stack.processes["rules_engine"].log.read_text()
            (line,) = [line for line in log.splitlines() if "policy.files_not_in_force" in line]
            assert f"version {better['version']}, which was published by Ada" in line
            assert f"drumbeat policy publish {mine}" in line

            # A replica that is new here, with files of long ago, brings nothing back either.
            running.stack.environment["DRUMBEAT_POLICY"] = str(mine.with_name("old.yaml"))
            mine.with_name("old.yaml").write_text(policy_files(46)["cadence.yaml"])
            await running.stack.run("rules_engine#2")
            assert (await current_policy(running))["version"] == better["version"]

            mine.write_text(policy_files(49)["cadence.yaml"])
            await restart(running, DRUMBEAT_POLICY=str(mine))
            assert (await current_policy(running))["version"] == better["version"] + 1, "these were edited"
            log = running.stack.processes["rules_engine"].log.read_text()
            assert f'"replaced": "version {better["version"]}, which was published by Ada"' in log

    async def test_a_replica_with_old_files_changes_nothing(self, open_engine: OpenEngine) -> None:
        async with open_engine() as running:
            stack = running.stack
            old, new = (stack.folder / name for name in ("old.yaml", "new.yaml"))
            old.write_text(policy_files(44)["cadence.yaml"])
            new.write_text(policy_files(45)["cadence.yaml"])
            await restart(running, DRUMBEAT_POLICY=str(old))
            stack.environment["DRUMBEAT_POLICY"] = str(new)
            await stack.run("rules_engine#2")
            edited = await current_policy(running)
            assert edited["files"] == {"new.yaml": policy_files(45)["cadence.yaml"]}
            await restart(running, DRUMBEAT_POLICY=str(old))
            assert (await current_policy(running))["version"] == edited["version"]


class TestTwoReplicas:
    async def test_no_event_is_lost_and_no_decision_names_an_older_version_while_policies_change(
        self, open_engine: OpenEngine
    ) -> None:
        """Events are posted while policies are published on both replicas."""
        async with open_engine() as running:
            stack = running.stack
            stack.spawn("rules_engine#2")
            await stack.ready("rules_engine#2")
            names = [await mid_market_account(running, "streamed") for _ in range(6)]
            urls = [stack.processes[name].url for name in ("rules_engine", "rules_engine#2")]
            sent: list[dict[str, Any]] = []
            done = asyncio.Event()

            async def post_events() -> None:
                for number in count():
                    if done.is_set():
                        return
                    score = {"score": (number * 37) % 100}
                    batch = [await running.make_event("health.scored", name, score) for name in names]
                    await stack.tell(*batch)
                    sent.extend(batch)
                    await running.wait_until_folded(batch[-1], 60)  # else the events outrun the policies

            posting = asyncio.create_task(post_events())
            for number, days in enumerate(range(50, 54)):
                answer = await stack.client.put(
                    urls[number % 2] + "/v1/policies/current", json={"files": policy_files(days)}
                )
                assert answer.status_code == 201, answer.text
                for url in urls:
                    shown = (await stack.client.get(url + "/v1/policies/current")).json()
                    assert shown["hash"] == answer.json()["hash"]
                await asyncio.sleep(0.4)
            done.set()
            await posting

            assert len(sent) >= 4 * len(names)
            for event in sent:
                await running.wait_until_folded(event)
            await wait_until_evaluated(running)
            last = await current_policy(running)
            for name in names:
                await running.post_event("health.scored", name, {"score": 90})
                account = await running.account(name)
                assert check_in_days(account) == 53
                assert account["plan"]["policy"] == last["hash"]
                decisions = (await running.get(f"/v1/accounts/{name}/decisions", limit=500))["items"]
                versions = [decision["policy_version"] for decision in decisions]
                assert all(newer >= older for newer, older in pairwise(versions)), versions

    async def test_a_replica_that_cannot_read_the_policy_in_force_is_not_ready_and_keeps_the_old_one(
        self, open_engine: OpenEngine
    ) -> None:
        """The stored text is one that only a newer version could read."""
        async with open_engine() as running:
            name = await mid_market_account(running, "behind")
            before = await current_policy(running)
            database = await Database.open(running.stack.postgres.url, DATABASES["rules_engine"], pool_size=2)
            async with database.transaction() as connection:
                files = {"future.yaml": "horoscopes: []"}
                await put_in_force(connection, Offer("f" * 64, "future", files))
            try:
                unready = problem_of(await self.wait_until_unready(running), 503)
                assert "version 2, cannot be read" in unready["detail"]
                await running.post_event("health.scored", name, {"color": "red"})
                account = await running.account(name)
                assert account["plan"]["policy"] == before["hash"]
                async with database.transaction() as connection:
                    generation = (await current_configuration(connection)).generation
                    await connection.execute(
                        "UPDATE account SET decided_under = $1 WHERE account_id = $2", generation, name
                    )
                await running.post_event("health.scored", name, {"color": "green"})
                shown = await running.account(name)
                assert shown["facts"]["color"]["value"] == "green"
                assert shown["plan"] == account["plan"], "left to a replica of its generation"

                back = await running.request("POST", "/v1/policies/rollback", json={"version": 1})
                assert back.status_code == 201, back.text
                await running.stack.ready("rules_engine", 20)
                await wait_until_evaluated(running)
                assert (await running.account(name))["color"] == "green"
            finally:
                await database.close()

    async def wait_until_unready(self, running: Engine) -> httpx.Response:
        async def not_ready() -> httpx.Response | None:
            answer = await running.request("GET", "/readyz")
            return answer if answer.status_code == 503 else None

        return await until(not_ready, 15, "not ready")
