"""Publishing: versions, what is refused, roll-back, restarts, two replicas; and the book: ranks and programs."""

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.cadence.policy.load import SHIPPED, policy_texts
from services.chassis.database import Database
from services.chassis.migrations import DATABASES
from services.rules_engine.adapters.configuration_repository import Offer, put_in_force
from services.rules_engine.adapters.configuration_repository import current as current_configuration
from tests.integration.rules_engine.conftest import Engine, OpenEngine, fresh, problem_of
from tests.stack import KEY, ROOT, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

TEXT = "\n".join(policy_texts(SHIPPED).values())
CHECK_IN = "rule: mid-market-pooled-check-in\n    touchpoint: check_in\n    segment: mid_market\n    every: "


def every(days: int) -> dict[str, str]:
    """The shipped policy with another interval for the check-ins of mid-market accounts."""
    head, found, tail = TEXT.partition(CHECK_IN)
    assert found, "the shipped policy has the rule this test changes"
    rest = tail.split("\n", 1)[1]
    return {"cadence.yaml": f"{head}{CHECK_IN}{days}d\n{rest}"}


async def publish(running: Engine, days: int, **more: Any) -> dict[str, Any]:
    answer = await running.ask("PUT", "/v1/policies/current", json={"files": every(days), **more})
    assert answer.is_success, answer.text
    return answer.json()


async def current(running: Engine) -> dict[str, Any]:
    return await running.get("/v1/policies/current")


def check_in(account: dict[str, Any]) -> int | None:
    """Days between check-ins; None when the plan has none."""
    plan: dict[str, list[dict[str, Any]]] = account["plan"] or {"rhythms": []}
    return next(
        (each["every_days"] for each in plan["rhythms"] if each["touchpoint_type"] == "check_in"), None
    )


async def followed(running: Engine) -> dict[str, Any]:
    async def nobody_behind() -> dict[str, Any] | None:
        progress = await running.get("/v1/policies/progress")
        return progress if progress["behind"] == 0 else None

    return await until(nobody_behind, 30, "every account decided under what is in force")


async def restart(running: Engine, **settings: str) -> None:
    stack = running.stack
    child = stack.processes["rules_engine"].child
    child.terminate()
    child.wait(20)
    stack.environment.update(settings)
    await stack.run("rules_engine")


async def known(running: Engine, stem: str) -> str:
    """A mid-market account."""
    name = fresh(stem)
    await running.tell("account.described", name, {"name": name, "arr": 50_000})
    return name


class TestPublishing:
    async def test_everybody_is_decided_again_and_decisions_name_the_version(self, running: Engine) -> None:
        names = [await known(running, "published") for _ in range(3)]
        before = await current(running)

        published = await publish(running, 17, note="try seventeen", author="Ada", based_on=before["hash"])

        assert published["changed"] is True
        assert published["version"] == before["version"] + 1
        assert published["epoch"] > before["epoch"]
        progress = await followed(running)
        assert (progress["policy"], progress["version"]) == (published["hash"], published["version"])
        assert progress["accounts"] == progress["decided"] >= len(names)
        assert (progress["undecided"], progress["estimated"]) == (0, False)
        for name in names:
            account = await running.account(name)
            assert check_in(account) == 17
            assert account["plan"]["policy"] == published["hash"]
            assert account["plan"]["policy_version"] == published["version"]
            newest, oldest = (await running.get(f"/v1/accounts/{name}/decisions"))["items"]
            assert (newest["policy"], newest["policy_version"]) == (published["hash"], published["version"])
            assert (oldest["policy"], oldest["policy_version"]) == (before["hash"], before["version"])

    async def test_versions_are_listed_newest_first_page_by_page(self, running: Engine) -> None:
        await publish(running, 18, note="first", author="Ada")
        last = await publish(running, 19, note="second", name="nineteen")
        listed = (await running.get("/v1/policies"))["items"]
        newest, second = listed[:2]
        assert {name: newest[name] for name in ("version", "hash", "name", "note", "origin", "in_force")} == {
            "version": last["version"],
            "hash": last["hash"],
            "name": "nineteen",
            "note": "second",
            "origin": "api",
            "in_force": True,
        }
        assert newest["author"] == KEY.split("_")[1], "without an author it is the key's owner"
        assert (second["author"], second["note"], second["in_force"]) == ("Ada", "first", False)
        assert newest["published_at"] > second["published_at"]
        assert (listed[-1]["origin"], listed[-1]["version"]) == ("file", 1)
        seen, cursor = list[dict[str, Any]](), None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = await running.get("/v1/policies", limit=1, **more)
            seen += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == listed

    async def test_a_named_key_is_the_author(self, running: Engine) -> None:
        made = await running.ask("POST", "/v1/keys", json={"name": "operations", "scopes": ["admin"]})
        headers = {"authorization": f"Bearer {made.json()['key']}"}

        async def published() -> dict[str, Any] | None:
            body = {"files": every(20)}
            answer = await running.ask("PUT", "/v1/policies/current", json=body, headers=headers)
            return answer.json() if answer.is_success else None

        await until(published, 15, "the key known")
        assert (await running.get("/v1/policies"))["items"][0]["author"] == "operations"

    async def test_what_is_in_force_already_changes_nothing(self, running: Engine) -> None:
        published = await publish(running, 21)
        answer = await running.ask("PUT", "/v1/policies/current", json={"files": every(21)})
        assert answer.status_code == 200
        again = answer.json()
        assert again == {**published, "changed": False}

    async def test_one_policy_shows_its_files_and_versions(self, running: Engine) -> None:
        first = await publish(running, 22)
        await publish(running, 23)
        third = await publish(running, 22)
        policy = await running.get(f"/v1/policies/{first['hash']}")
        assert policy["files"] == every(22)
        assert [each["version"] for each in policy["versions"]] == [third["version"], first["version"]]
        assert (await current(running))["files"] == every(22)
        problem_of(await running.ask("GET", "/v1/policies/none"), 404)


class TestRefusals:
    async def test_every_mistake_at_once_with_its_place(self, running: Engine) -> None:
        before = await current(running)
        (text,) = every(24).values()
        broken = text.replace('color == "red"', 'color == "rad"', 1)
        broken = broken.replace("red_below: 40", "red_below: forty", 1)
        lines = broken.splitlines()
        red = next(number for number, line in enumerate(lines, 1) if "forty" in line)
        typo = next(number for number, line in enumerate(lines, 1) if '"rad"' in line)
        for method, path in (("PUT", "/v1/policies/current"), ("POST", "/v1/policies/validate")):
            answer = await running.ask(method, path, json={"files": {"mine.yaml": broken}})
            problem = problem_of(answer, 422)
            places = {(each["file"], each["line"]): each for each in problem["errors"]}
            assert {("mine.yaml", red), ("mine.yaml", typo)} <= places.keys()
            wrong = places["mine.yaml", typo]
            assert wrong["column"] == lines[typo - 1].index('"rad"') + 1
            assert "red" in wrong["message"]
            assert wrong["where"]
            assert f"mine.yaml:{typo}:{wrong['column']}: " in problem["detail"]
        assert await current(running) == before

    async def test_validation_tells_hash_and_rules_and_keeps_nothing(self, running: Engine) -> None:
        before = await current(running)
        answer = await running.ask("POST", "/v1/policies/validate", json={"files": every(25)})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["valid"] is True
        assert told["rules"] > 20
        assert told["findings"] == []
        problem_of(await running.ask("GET", f"/v1/policies/{told['hash']}"), 404)
        assert await current(running) == before
        assert (await publish(running, 25))["hash"] == told["hash"]

    async def test_a_policy_based_on_another_than_the_one_in_force(self, running: Engine) -> None:
        looked_at = await publish(running, 26)
        meanwhile = await publish(running, 27)
        late = {"files": every(28), "based_on": looked_at["hash"]}
        problem = problem_of(await running.ask("PUT", "/v1/policies/current", json=late), 409)
        assert (problem["in_force"], problem["version"]) == (meanwhile["hash"], meanwhile["version"])
        assert (await current(running))["hash"] == meanwhile["hash"]

    async def test_of_two_that_publish_at_once_on_one_base_one_wins(self, running: Engine) -> None:
        base = (await publish(running, 29))["hash"]
        wishes = [{"files": every(days), "based_on": base} for days in (31, 32)]
        answers = await asyncio.gather(
            *(running.ask("PUT", "/v1/policies/current", json=each) for each in wishes)
        )
        assert sorted(each.status_code for each in answers) == [201, 409]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 422),
            ({"files": {}}, 422),
            ({"files": {"a.yaml": ""}}, 422),
            ({"files": {"a.yaml": "\ud800"}}, 422),
            ({"files": {"a.yaml": "\x00"}}, 422),
            ({"files": {"a/b.yaml": "a: 1"}}, 422),
            ({"files": {"a.yaml": 7}}, 422),
            ({"files": {"a.yaml": "a: 1"}, "extra": 1}, 422),
            ({"files": {"mine_test.yaml": "a: 1"}}, 422),
            ({"files": {"a.yaml": "#" * 1_000_001}}, 413),
            ({"files": {"a.yaml": "#" * 600_000, "b.yaml": "#" * 600_000}}, 413),
            ({"files": {"a.yaml": "é" * 600_000}}, 413),
        ],
    )
    async def test_what_is_no_policy(self, running: Engine, body: dict[str, Any], status: int) -> None:
        for method, path in (("PUT", "/v1/policies/current"), ("POST", "/v1/policies/validate")):
            content = json.dumps(body)  # in ASCII, so that what no text may hold gets through
            headers = {"content-type": "application/json"}
            problem_of(await running.ask(method, path, content=content, headers=headers), status)

    async def test_who_may_only_read_may_look_and_change_nothing(self, running: Engine) -> None:
        made = await running.ask("POST", "/v1/keys", json={"name": "reader", "scopes": ["read", "act"]})
        headers = {"authorization": f"Bearer {made.json()['key']}"}

        async def may_read() -> bool:
            return (await running.ask("GET", "/v1/policies", headers=headers)).status_code == 200

        await until(may_read, 15, "the key known")
        for path in ("/v1/policies/current", "/v1/policies/progress", "/v1/programs"):
            assert (await running.ask("GET", path, headers=headers)).status_code == 200
        checked = await running.ask(
            "POST", "/v1/policies/validate", json={"files": every(30)}, headers=headers
        )
        assert checked.status_code == 200
        put = await running.ask("PUT", "/v1/policies/current", json={"files": every(33)}, headers=headers)
        problem_of(put, 403)
        problem_of(
            await running.ask("POST", "/v1/policies/rollback", json={"version": 1}, headers=headers), 403
        )


class TestRollback:
    async def test_an_earlier_version_is_in_force_again_under_a_number_of_its_own(
        self, running: Engine
    ) -> None:
        name = await known(running, "rolled-back")
        good = await publish(running, 34)
        bad = await publish(running, 35)
        await followed(running)
        assert check_in(await running.account(name)) == 35

        answer = await running.ask(
            "POST",
            "/v1/policies/rollback",
            json={"version": good["version"], "note": "too rare", "author": "Bo"},
        )

        assert answer.status_code == 201, answer.text
        back = answer.json()
        assert (back["hash"], back["version"]) == (good["hash"], bad["version"] + 1)
        newest = (await running.get("/v1/policies"))["items"][0]
        assert (newest["origin"], newest["note"], newest["author"]) == ("rollback", "too rare", "Bo")
        await followed(running)
        account = await running.account(name)
        assert check_in(account) == 34
        assert (account["plan"]["policy"], account["plan"]["policy_version"]) == (
            good["hash"],
            back["version"],
        )
        again = await running.ask("POST", "/v1/policies/rollback", json={"version": back["version"]})
        assert (again.status_code, again.json()["changed"]) == (200, False)
        problem_of(await running.ask("POST", "/v1/policies/rollback", json={"version": 10**6}), 404)
        problem_of(await running.ask("POST", "/v1/policies/rollback", json={"version": 0}), 422)


class TestCommandLine:
    async def test_publish_list_and_roll_back(self, running: Engine, tmp_path: Path) -> None:
        (tmp_path / "cadence.yaml").write_text(every(36)["cadence.yaml"])
        (tmp_path / "cadence_test.yaml").write_text("not: a policy")
        before = (await current(running))["version"]

        code, said = await self.drumbeat(running, "publish", str(tmp_path), "--note", "by hand")
        assert code == 0, said
        assert f"version {before + 1} is in force" in said
        code, said = await self.drumbeat(running, "list")
        assert code == 0, said
        assert "by hand" in said
        code, said = await self.drumbeat(running, "rollback", str(before))
        assert code == 0, said
        assert f"version {before + 2} is in force" in said
        (tmp_path / "cadence.yaml").write_text(TEXT.replace("red_below: 40", "red_below: forty"))
        code, said = await self.drumbeat(running, "publish", str(tmp_path))
        assert code == 1
        assert "cadence.yaml:" in said
        assert (await self.drumbeat(running, "rollback", str(10**6)))[0] == 1
        assert (await self.drumbeat(running, "publish", str(tmp_path / "gone")))[0] == 2

    async def drumbeat(self, running: Engine, *words: str) -> tuple[int, str]:
        process = running.stack.processes["rules_engine"]
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "services.console.cli", "policy", *words],
            env={**process.environment, "PYTHONPATH": str(ROOT)},
            cwd=running.stack.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


class TestFiles:
    async def test_restarts_keep_what_was_published_until_the_files_are_edited(
        self, open_engine: OpenEngine
    ) -> None:
        async with open_engine() as running:
            shipped = await current(running)
            published = await publish(running, 40)
            await restart(running)
            assert (await current(running))["version"] == published["version"]

            mine = running.stack.folder / "mine.yaml"
            mine.write_text(every(41)["cadence.yaml"])
            await restart(running, DRUMBEAT_POLICY=str(mine))
            edited = await current(running)
            assert edited["hash"] not in {shipped["hash"], published["hash"]}
            assert edited["versions"][0]["origin"] == "file"

            newer = await publish(running, 42)
            await restart(running)
            assert (await current(running))["version"] == newer["version"], "the same files undo nothing"

            mine.write_text("# Only a remark.\n" + every(41)["cadence.yaml"])
            await restart(running)
            assert (await current(running))["version"] == newer["version"], "a remark says nothing new"

            mine.write_text(every(43)["cadence.yaml"])
            await restart(running, DRUMBEAT_MODE="observe")
            last = await current(running)
            assert (last["versions"][0]["origin"], last["mode"]) == ("file", "observe")
            assert last["files"] == {"mine.yaml": every(43)["cadence.yaml"]}

    async def test_a_replica_with_old_files_undoes_nothing(self, open_engine: OpenEngine) -> None:
        async with open_engine() as running:
            stack = running.stack
            old, new = (stack.folder / name for name in ("old.yaml", "new.yaml"))
            old.write_text(every(44)["cadence.yaml"])
            new.write_text(every(45)["cadence.yaml"])
            await restart(running, DRUMBEAT_POLICY=str(old))
            stack.environment["DRUMBEAT_POLICY"] = str(new)
            await stack.run("rules_engine#2")
            edited = await current(running)
            assert edited["files"] == {"new.yaml": every(45)["cadence.yaml"]}
            await restart(running, DRUMBEAT_POLICY=str(old))
            assert (await current(running))["version"] == edited["version"]


class TestTwoReplicas:
    async def test_nothing_is_lost_and_no_plan_falls_back_while_versions_change(
        self, open_engine: OpenEngine
    ) -> None:
        """Events stream in through both doors while both publish; a decision never names an earlier version again."""
        async with open_engine() as running:
            stack = running.stack
            stack.spawn("rules_engine#2")
            await stack.ready("rules_engine#2")
            names = [await known(running, "streamed") for _ in range(12)]
            doors = [stack.processes[name].url for name in ("rules_engine", "rules_engine#2")]
            sent: list[dict[str, Any]] = []
            done = asyncio.Event()

            async def stream() -> None:
                for number in count():
                    if done.is_set():
                        return
                    score = {"score": (number * 37) % 100}
                    batch = [await running.told("health.scored", name, score) for name in names]
                    await stack.tell(*batch)
                    sent.extend(batch)

            streaming = asyncio.create_task(stream())
            for number, days in enumerate(range(50, 58)):
                answer = await stack.client.put(
                    doors[number % 2] + "/v1/policies/current", json={"files": every(days)}
                )
                assert answer.status_code == 201, answer.text
                for door in doors:
                    seen = (await stack.client.get(door + "/v1/policies/current")).json()
                    assert seen["hash"] == answer.json()["hash"]
                await asyncio.sleep(0.4)
            done.set()
            await streaming

            assert len(sent) >= 8 * len(names)
            for each in sent:
                await running.folded(each)
            await followed(running)
            last = await current(running)
            for name in names:
                await running.tell("health.scored", name, {"score": 90})
                account = await running.account(name)
                assert check_in(account) == 57
                assert account["plan"]["policy"] == last["hash"]
                decisions = (await running.get(f"/v1/accounts/{name}/decisions", limit=500))["items"]
                versions = [each["policy_version"] for each in decisions]
                assert all(newer >= older for newer, older in pairwise(versions)), versions

    async def test_one_that_cannot_read_what_is_in_force_stays_behind_and_says_so(
        self, open_engine: OpenEngine
    ) -> None:
        """As if a newer Drumbeat had published: the stored text is made unreadable, under a hash nobody read before."""
        async with open_engine() as running:
            name = await known(running, "behind")
            before = await current(running)
            database = await Database.open(running.stack.postgres.url, DATABASES["rules_engine"], pool_size=2)
            async with database.transaction() as connection:
                files = {"future.yaml": "horoscopes: []"}
                await put_in_force(connection, Offer("f" * 64, "future", files))
            try:
                unready = problem_of(await self.unready(running), 503)
                assert "version 2, cannot be read" in unready["detail"]
                await running.tell("health.scored", name, {"color": "red"})
                account = await running.account(name)
                assert account["plan"]["policy"] == before["hash"]
                async with database.transaction() as connection:
                    number = (await current_configuration(connection)).generation
                    await connection.execute(
                        "UPDATE account SET decided_under = $1 WHERE account_id = $2", number, name
                    )
                await running.tell("health.scored", name, {"color": "green"})
                left = await running.account(name)
                assert left["facts"]["color"]["value"] == "green"
                assert left["plan"] == account["plan"], "who decided under a newer policy is left to them"

                back = await running.ask("POST", "/v1/policies/rollback", json={"version": 1})
                assert back.status_code == 201, back.text
                await running.stack.ready("rules_engine", 20)
                await followed(running)
                assert (await running.account(name))["color"] == "green"
            finally:
                await database.close()

    async def unready(self, running: Engine) -> httpx.Response:
        async def refused() -> httpx.Response | None:
            answer = await running.ask("GET", "/readyz")
            return answer if answer.status_code == 503 else None

        return await until(refused, 15, "not ready")


def hybrid() -> dict[str, str]:
    """Segments by rank: the first fifth, the next three tenths, the rest."""
    text = TEXT
    for mark, share in ("100_000", 80), ("10_000", 50):
        condition = f"arr is not null and arr >= {mark}"
        assert condition in text
        text = text.replace(condition, f"arr_percentile is not null and arr_percentile >= {share}")
    return {"hybrid.yaml": text}


ON_PROGRAMS = """
timelines:
  - anchor: program
    when: program_kind is not null and program_kind == "webinar"
    steps:
      - rule: invite-to-a-webinar
        at: -14d
        touchpoint: webinar_invitation
        because: A webinar takes place on {takes_place_on}.
"""


class TestBook:
    async def test_accounts_are_ranked_when_a_policy_asks_for_it(self, open_engine: OpenEngine) -> None:
        async with open_engine() as running:
            names = [f"rank-{number}" for number in range(19)]
            for number, name in enumerate(names):
                await running.tell("account.described", name, {"name": name, "arr": 1_000 + 10 * number})
            contract = {"contract_id": "c", "status": "active", "arr": 500_000}
            await running.tell("contract.changed", "rank-top", contract)
            gone = {"contract_id": "d", "status": "churned", "arr": 900_000}
            await running.tell("contract.changed", "rank-gone", gone)
            names.append("rank-top")

            answer = await running.ask("PUT", "/v1/policies/current", json={"files": hybrid()})
            assert answer.status_code == 201, answer.text

            expected = ["small_business"] * 10 + ["mid_market"] * 6 + ["enterprise"] * 4

            async def ranked() -> bool:
                return [(await running.account(name))["segment"] for name in names] == expected

            await until(ranked, 30, "the first fifth, the next three tenths, the rest")

    async def test_programs_reach_their_audience_and_a_bad_audience_nobody(
        self, open_engine: OpenEngine
    ) -> None:
        async with open_engine() as running:
            files = {**every(30), "programs.yaml": ON_PROGRAMS}
            answer = await running.ask("PUT", "/v1/policies/current", json={"files": files})
            assert answer.status_code == 201, answer.text
            await running.tell("account.described", "big", {"name": "Big", "arr": 200_000})
            await running.tell("account.described", "small", {"name": "Small", "arr": 20_000})
            at = (await running.now() + timedelta(days=10)).isoformat()
            webinar = {"kind": "webinar", "at": at, "title": "How to", "meaningful": True}
            await running.tell(
                "program.announced", "*", {**webinar, "program_id": "w", "audience": "arr >= 1"}
            )

            async def shown(program: str) -> dict[str, Any] | None:
                items = (await running.get("/v1/programs"))["items"]
                return next((each for each in items if each["program_id"] == program), None)

            wrong = await until(lambda: shown("w"), 15, "the program")
            assert "character 1" in wrong["error"], "arr may be unknown"

            async def counted() -> bool:
                told = (await running.ask("GET", "/metrics")).text
                return "drumbeat_programs_unreadable 1.0" in told.splitlines()

            await until(counted, 15, "counted")
            await followed(running)
            assert await self.invited(running) == []

            condition = "arr is not null and arr >= 100_000"
            await running.tell("program.announced", "*", {"program_id": "w", "audience": condition})

            async def somebody() -> bool:
                return bool(await self.invited(running))

            await until(somebody, 20, "an invitation")
            await followed(running)
            assert await self.invited(running) == ["big"]
            mended = await shown("w")
            assert mended is not None
            assert (mended["error"], mended["audience"]) == (None, condition)
            assert (mended["kind"], mended["title"], mended["meaningful"]) == ("webinar", "How to", True)
            later = {
                **webinar,
                "program_id": "x",
                "at": (await running.now() + timedelta(days=12)).isoformat(),
            }
            await running.tell("program.announced", "*", later)
            first = await running.get("/v1/programs", limit=1)
            second = await running.get("/v1/programs", limit=1, cursor=first["next_cursor"])
            ids = [page["items"][0]["program_id"] for page in (first, second)]
            assert (ids, second["next_cursor"]) == (["x", "w"], None)

    async def invited(self, running: Engine) -> list[str]:
        def asked(account: dict[str, Any]) -> bool:
            plan: dict[str, list[dict[str, Any]]] = account["plan"] or {"touchpoints": []}
            return any(each["touchpoint_type"] == "webinar_invitation" for each in plan["touchpoints"])

        return [name for name in ("big", "small") if asked(await running.account(name))]
