"""Policies over HTTP and the command line: publish, list, validate, roll back."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.faults.ledger import read_topic
from tests.integration.rules_engine.conftest import Engine, fresh, problem_of
from tests.integration.rules_engine.policy_requests import (
    SHIPPED_TEXT,
    check_in_days,
    current_policy,
    mid_market_account,
    policy_files,
    publish,
    restart,
    wait_until_evaluated,
)
from tests.stack import KEY, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.long,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="module"),
]


class TestPublishing:
    async def test_every_account_is_evaluated_again_and_decisions_name_the_version(
        self, running: Engine
    ) -> None:
        names = [await mid_market_account(running, "published") for _ in range(3)]
        before = await current_policy(running)

        published = await publish(running, 17, note="try seventeen", author="Ada", based_on=before["hash"])

        assert published["changed"] is True
        assert published["version"] == before["version"] + 1
        assert published["epoch"] > before["epoch"]
        progress = await wait_until_evaluated(running)
        assert (progress["policy"], progress["version"]) == (published["hash"], published["version"])
        assert progress["accounts"] == progress["decided"] >= len(names)
        assert (progress["undecided"], progress["estimated"]) == (0, False)
        for name in names:
            account = await running.account(name)
            assert check_in_days(account) == 17
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
        pages, cursor = list[dict[str, Any]](), None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = await running.get("/v1/policies", limit=1, **more)
            pages += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert pages == listed

    async def test_a_named_key_is_the_author(self, running: Engine) -> None:
        made = await running.request("POST", "/v1/keys", json={"name": "operations", "scopes": ["admin"]})
        headers = {"authorization": f"Bearer {made.json()['key']}"}

        async def published() -> dict[str, Any] | None:
            body = {"files": policy_files(20)}
            answer = await running.request("PUT", "/v1/policies/current", json=body, headers=headers)
            return answer.json() if answer.is_success else None

        await until(published, 15, "the key known")
        assert (await running.get("/v1/policies"))["items"][0]["author"] == "operations"

    async def test_publishing_the_policy_in_force_changes_nothing(self, running: Engine) -> None:
        published = await publish(running, 21)
        answer = await running.request("PUT", "/v1/policies/current", json={"files": policy_files(21)})
        assert answer.status_code == 200
        again = answer.json()
        assert again == {**published, "changed": False}
        assert published["tests"] == {"run": 0, "failed": 0}

    async def test_a_policy_whose_own_tests_fail_is_published_only_by_force_and_with_a_reason(
        self, running: Engine
    ) -> None:
        """C: the tests are part of the version, and the list of versions says that they failed."""
        test = "tests:\n  - test: Calls every {days} days\n    account: {{arr: 50_000}}\n    expect:\n"
        test += "      rhythms: {{check_in: {{every: {days}d}}}}\n"
        before = await current_policy(running)
        wrong = {**policy_files(37), "mine_test.yaml": test.format(days=36)}
        answer = await running.request("PUT", "/v1/policies/current", json={"files": wrong})
        problem = problem_of(answer, 422)
        (error,) = problem["errors"]
        assert (error["file"], error["line"], error["where"]) == ("mine_test.yaml", 5, "Calls every 36 days")
        assert "every 37 days" in error["message"]
        assert problem["tests"] == {"run": 1, "failed": 1}
        assert "mine_test.yaml:5: Calls every 36 days: " in problem["detail"]
        assert "publish with `force` and a `note`" in problem["detail"]
        assert await current_policy(running) == before

        forced = "/v1/policies/current?force=true"
        problem = problem_of(await running.request("PUT", forced, json={"files": wrong}), 422)
        assert "`note`" in problem["detail"]
        note = "&note=The test is of last year"
        answer = await running.request("PUT", forced + note, json={"files": wrong})
        assert (answer.status_code, answer.json()["tests"]) == (201, {"run": 1, "failed": 1})
        newest = (await running.get("/v1/policies"))["items"][0]
        assert newest["note"] == (
            "The test is of last year (published although 1 of 1 tests of the policy fail)"
        )
        assert (await current_policy(running))["files"] == wrong

        right = {**policy_files(38), "mine_test.yaml": test.format(days=38)}
        answer = await running.request("PUT", "/v1/policies/current", json={"files": right})
        assert (answer.status_code, answer.json()["tests"]) == (201, {"run": 1, "failed": 0})

        # Nothing but the tests changes: they are part of the version in force, and who leaves them out keeps them.
        more = right | {"mine_test.yaml": "# Of this year.\n" + test.format(days=38)}
        for files in (more, policy_files(38)):
            answer = await running.request("PUT", "/v1/policies/current", json={"files": files})
            assert (answer.status_code, answer.json()["changed"]) == (200, False)
            assert (await current_policy(running))["files"] == more
        (entry, *_) = (await running.get("/v1/audit", action="policy.tests_changed"))["items"]
        assert entry["after"]["files"] == ["mine_test.yaml"]

        unread = {**right, "mine_test.yaml": "tests:\n  - test: A\n    acount: {}\n"}
        problem = problem_of(
            await running.request("PUT", "/v1/policies/current", json={"files": unread}), 422
        )
        assert [(error["file"], error["line"]) for error in problem["errors"]] == [("mine_test.yaml", 3)]

    async def test_one_policy_shows_its_files_and_versions(self, running: Engine) -> None:
        first = await publish(running, 22)
        await publish(running, 23)
        third = await publish(running, 22)
        policy = await running.get(f"/v1/policies/{first['hash']}")
        assert policy["files"] == policy_files(22)
        assert [version["version"] for version in policy["versions"]] == [third["version"], first["version"]]
        assert (await current_policy(running))["files"] == policy_files(22)
        problem_of(await running.request("GET", "/v1/policies/none"), 404)

    async def test_the_policy_in_force_is_listed_first_with_its_files(self, running: Engine) -> None:
        account = fresh("policy")
        await running.post_event("health.scored", account, {"score": 50})
        first = (await running.get("/v1/policies"))["items"][0]
        assert first["in_force"] is True
        assert (await running.account(account))["plan"]["policy"] == first["hash"]
        policy = await running.get(f"/v1/policies/{first['hash']}")
        assert any("rhythms:" in text for text in policy["files"].values())
        problem_of(await running.request("GET", "/v1/policies/none"), 404)


class TestValidation:
    async def test_all_mistakes_are_reported_with_their_location(self, running: Engine) -> None:
        before = await current_policy(running)
        (text,) = policy_files(24).values()
        broken = text.replace('color == "red"', 'color == "rad"', 1)
        broken = broken.replace("red_below: 40", "red_below: forty", 1)
        lines = broken.splitlines()
        red = next(number for number, line in enumerate(lines, 1) if "forty" in line)
        typo = next(number for number, line in enumerate(lines, 1) if '"rad"' in line)
        for method, path in (("PUT", "/v1/policies/current"), ("POST", "/v1/policies/validate")):
            answer = await running.request(method, path, json={"files": {"mine.yaml": broken}})
            problem = problem_of(answer, 422)
            errors = {(error["file"], error["line"]): error for error in problem["errors"]}
            assert {("mine.yaml", red), ("mine.yaml", typo)} <= errors.keys()
            wrong = errors["mine.yaml", typo]
            assert wrong["column"] == lines[typo - 1].index('"rad"') + 1
            assert "red" in wrong["message"]
            assert wrong["where"]
            assert f"mine.yaml:{typo}:{wrong['column']}: " in problem["detail"]
        assert await current_policy(running) == before

    async def test_validation_returns_hash_and_rules_and_stores_nothing(self, running: Engine) -> None:
        before = await current_policy(running)
        answer = await running.request("POST", "/v1/policies/validate", json={"files": policy_files(25)})
        assert answer.status_code == 200, answer.text
        checked = answer.json()
        assert checked["valid"] is True
        assert checked["rules"] > 20
        assert checked["findings"] == []
        problem_of(await running.request("GET", f"/v1/policies/{checked['hash']}"), 404)
        assert await current_policy(running) == before
        assert (await publish(running, 25))["hash"] == checked["hash"]

    async def test_a_policy_based_on_an_older_version_is_refused(self, running: Engine) -> None:
        base = await publish(running, 26)
        meanwhile = await publish(running, 27)
        late = {"files": policy_files(28), "based_on": base["hash"]}
        problem = problem_of(await running.request("PUT", "/v1/policies/current", json=late), 409)
        assert (problem["in_force"], problem["version"]) == (meanwhile["hash"], meanwhile["version"])
        assert problem["title"] == "Stale version"
        assert (await current_policy(running))["hash"] == meanwhile["hash"]

    async def test_of_two_simultaneous_publications_on_one_base_one_wins(self, running: Engine) -> None:
        base = (await publish(running, 29))["hash"]
        drafts = [{"files": policy_files(days), "based_on": base} for days in (31, 32)]
        answers = await asyncio.gather(
            *(running.request("PUT", "/v1/policies/current", json=draft) for draft in drafts)
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]

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
            ({"files": {"a.yaml": "", "content/en/tips.md": "é" * 1_600_000}}, 413),
        ],
    )
    async def test_files_that_are_no_policy_are_refused(
        self, running: Engine, body: dict[str, Any], status: int
    ) -> None:
        for method, path in (("PUT", "/v1/policies/current"), ("POST", "/v1/policies/validate")):
            content = json.dumps(body)  # ASCII, so that lone surrogates are sent
            headers = {"content-type": "application/json"}
            problem_of(await running.request(method, path, content=content, headers=headers), status)

    async def test_a_key_that_may_read_changes_nothing(self, running: Engine) -> None:
        made = await running.request("POST", "/v1/keys", json={"name": "reader", "scopes": ["read", "act"]})
        headers = {"authorization": f"Bearer {made.json()['key']}"}

        async def may_read() -> bool:
            return (await running.request("GET", "/v1/policies", headers=headers)).status_code == 200

        await until(may_read, 15, "the key known")
        for path in ("/v1/policies/current", "/v1/policies/progress", "/v1/programs"):
            assert (await running.request("GET", path, headers=headers)).status_code == 200
        put = await running.request(
            "PUT", "/v1/policies/current", json={"files": policy_files(33)}, headers=headers
        )
        problem_of(put, 403)
        problem_of(
            await running.request("POST", "/v1/policies/rollback", json={"version": 1}, headers=headers), 403
        )


class TestRollback:
    async def test_an_earlier_version_comes_into_force_again_under_a_new_number(
        self, running: Engine
    ) -> None:
        name = await mid_market_account(running, "rolled-back")
        good = await publish(running, 34)
        bad = await publish(running, 35)
        await wait_until_evaluated(running)
        assert check_in_days(await running.account(name)) == 35

        answer = await running.request(
            "POST",
            "/v1/policies/rollback",
            json={"version": good["version"], "note": "too rare", "author": "Bo"},
        )

        assert answer.status_code == 201, answer.text
        back = answer.json()
        assert (back["hash"], back["version"]) == (good["hash"], bad["version"] + 1)
        newest = (await running.get("/v1/policies"))["items"][0]
        assert (newest["origin"], newest["note"], newest["author"]) == ("rollback", "too rare", "Bo")
        await wait_until_evaluated(running)
        account = await running.account(name)
        assert check_in_days(account) == 34
        assert (account["plan"]["policy"], account["plan"]["policy_version"]) == (
            good["hash"],
            back["version"],
        )
        again = await running.request("POST", "/v1/policies/rollback", json={"version": back["version"]})
        assert (again.status_code, again.json()["changed"]) == (200, False)
        problem_of(await running.request("POST", "/v1/policies/rollback", json={"version": 10**6}), 404)
        problem_of(await running.request("POST", "/v1/policies/rollback", json={"version": 0}), 422)


class TestContent:
    """Content is published with the policy, as DESIGN section 3 says: `directory.content`."""

    async def test_content_of_a_policy_reaches_the_directory_once_and_goes_back_with_a_rollback(
        self, running: Engine
    ) -> None:
        def versions(key: str) -> list[Any]:
            records = read_topic(running.stack.kafka.bootstrap, "directory.content")
            return [record.data for record in records if record.key == key]

        async def as_published(key: str, count: int) -> list[Any]:
            async def arrived() -> list[Any] | None:
                found = await asyncio.to_thread(versions, key)
                return found if len(found) >= count else None

            return await until(arrived, 20, f"{count} records of {key} on directory.content")

        (shipped,) = await as_published("en/tips", 1)
        before = await current_policy(running)
        text = "---\nsubject: A tip\n---\nWrite to us.\n"
        files = {**policy_files(22), "content/en/tips.md": text, "content/fr/tips.md": text}
        checked = await running.request("POST", "/v1/policies/validate", json={"files": files})
        assert checked.status_code == 200, checked.text
        answer = await running.request("PUT", "/v1/policies/current", json={"files": files})
        assert answer.json()["hash"] == checked.json()["hash"], answer.text

        _, record = await as_published("en/tips", 2)
        assert (record["text"], record["policy"], record["reader"]) == (
            text,
            checked.json()["hash"],
            "customer",
        )
        assert len(await as_published("fr/tips", 1)) == 1
        listed = await running.get("/v1/content", touchpoint_type="tips", reader="customer", language="en")
        assert [(each["key"], each["origin"], each["text"]) for each in listed["items"]] == [
            ("en/tips", "policy", text)
        ]
        assert (await current_policy(running))["files"]["content/en/tips.md"] == text

        back = await running.request("POST", "/v1/policies/rollback", json={"version": before["version"]})
        assert back.is_success, back.text
        again = (await as_published("en/tips", 3))[-1]
        assert again["text"] == shipped["text"]
        assert again["version"] > record["version"]
        assert (await as_published("fr/tips", 2))[-1] is None
        assert len(versions("de/owner/check_in")) == len(versions("en/welcome")) == 1
        (origin,) = (await running.get("/v1/content", touchpoint_type="tips", language="en"))["items"]
        assert origin["origin"] == "shipped"

    @pytest.mark.parametrize(
        "name", ["content/en/../tips.md", "content/tips.md", "content/en/tips.txt", "other/a.md"]
    )
    async def test_a_file_in_another_folder_is_refused(self, running: Engine, name: str) -> None:
        files = {**policy_files(22), name: "x"}
        answer = await running.request("POST", "/v1/policies/validate", json={"files": files})
        assert answer.status_code == 422

    async def test_mistakes_of_content_have_their_places(self, running: Engine) -> None:
        files = {**policy_files(22), "content/en/tips.md": "---\nsubject: A tip\n---\n{{ csm.nam }} calls."}
        answer = await running.request("POST", "/v1/policies/validate", json={"files": files})
        (mistake,) = answer.json()["errors"]
        assert (mistake["file"], mistake["line"], mistake["column"]) == ("content/en/tips.md", 4, 1)
        assert "did you mean 'csm.name'" in mistake["message"]


class TestCommandLine:
    async def test_publish_list_and_roll_back(self, running: Engine, tmp_path: Path) -> None:
        (tmp_path / "cadence.yaml").write_text(policy_files(36)["cadence.yaml"])
        (tmp_path / "cadence_test.yaml").write_text("not: a test")
        code, output = await self.run_command(running, "publish", str(tmp_path), "--note", "by hand")
        assert (code, "cadence_test.yaml:1:1" in output) == (1, True), output
        failing = "tests:\n  - test: No\n    account: {arr: 10}\n    expect: {segment: enterprise}\n"
        (tmp_path / "cadence_test.yaml").write_text(failing)
        code, output = await self.run_command(running, "publish", str(tmp_path), "--note", "by hand")
        assert (code, "cadence_test.yaml:4: No: expected segment: enterprise" in output) == (1, True), output
        assert (await self.run_command(running, "publish", str(tmp_path), "--force"))[0] == 2, "no note"
        (tmp_path / "cadence_test.yaml").write_text(failing.replace("enterprise", "self_service"))
        name = await mid_market_account(running, "compared")
        await wait_until_evaluated(running)
        code, output = await self.run_command(running, "diff", str(tmp_path))
        assert code == 0, output
        assert name in output, "the accounts of the deployment, without a file of events"
        assert "36 days" in output
        assert "change; 0 to another segment or stage" in output
        before = (await current_policy(running))["version"]

        code, output = await self.run_command(running, "publish", str(tmp_path), "--note", "by hand")
        assert code == 0, output
        assert f"version {before + 1} is in force" in output
        code, output = await self.run_command(running, "list")
        assert code == 0, output
        assert "by hand" in output
        code, output = await self.run_command(running, "rollback", str(before))
        assert code == 0, output
        assert f"version {before + 2} is in force" in output
        (tmp_path / "cadence.yaml").write_text(SHIPPED_TEXT.replace("red_below: 40", "red_below: forty"))
        code, output = await self.run_command(running, "publish", str(tmp_path))
        assert code == 1
        assert "cadence.yaml:" in output
        assert (await self.run_command(running, "rollback", str(10**6)))[0] == 1
        assert (await self.run_command(running, "publish", str(tmp_path / "gone")))[0] == 2

    async def run_command(self, running: Engine, *arguments: str) -> tuple[int, str]:
        done = await running.stack.drumbeat("policy", *arguments)
        return done.returncode, done.stdout + done.stderr


class TestLimits:
    """Last in this file, and the last of these restarts the engine with other limits."""

    async def test_a_key_that_may_only_read_checks_and_compares_nothing(self, running: Engine) -> None:
        made = await running.request("POST", "/v1/keys", json={"name": "reader", "scopes": ["read"]})
        headers = {"authorization": f"Bearer {made.json()['key']}"}

        async def reads() -> bool:
            return (await running.request("GET", "/v1/policies", headers=headers)).status_code == 200

        await until(reads, 15, "the key known")
        for call in ("validate", "diff"):
            body = {"files": policy_files(30)}
            answer = await running.request("POST", f"/v1/policies/{call}", json=body, headers=headers)
            assert "'policy'" in problem_of(answer, 403)["detail"]

        async def findings() -> bool:
            return (
                "findings" in (await running.request("GET", "/v1/policies/current", headers=headers)).json()
            )

        await until(findings, 90, "what the linter says of the policy in force")

    async def test_a_policy_that_takes_long_to_check_is_ended_and_holds_nobody_up(
        self, running: Engine
    ) -> None:
        limits = {
            "DRUMBEAT_POLICY_CHECKS__SECONDS": "2",
            "DRUMBEAT_POLICY_CHECKS__MOST_WAITING": "1",
            "DRUMBEAT_POLICY_CHECKS__READERS_SHARE": "0.005",
        }
        await restart(running, **limits)
        checks = [
            asyncio.create_task(
                running.request("POST", f"/v1/policies/{call}", json={"files": slow_files()}, timeout=60)
            )
            for call in ("validate", "diff", "validate", "diff")
        ]
        others_answered = 0
        while any(not check.done() for check in checks):
            assert (await running.request("GET", "/livez")).status_code == 200
            others_answered += 1
            await asyncio.wait(checks, timeout=0.05)
        answers = [check.result() for check in checks]
        assert others_answered > len(checks), "who waited for a check would be answered at most between two"
        assert sorted(answer.status_code for answer in answers)[-2:] == [429, 429]
        for answer in answers:
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1
                assert "wait already" in problem_of(answer, 429)["detail"]
        assert "longer than 2 seconds" in str([answer.text for answer in answers])
        wrong = await running.request(
            "POST", "/v1/policies/validate", json={"files": {"a.yaml": "rhythms: 3"}}
        )
        assert problem_of(wrong, 422)["errors"], "the next check gets a process again"

    async def test_explanations_take_no_more_than_their_share_of_the_processor(self, running: Engine) -> None:
        """Issue 11, B: with the engine of the test before, whose readers get half a percent of a processor."""
        name = fresh("asked")
        await running.post_event("account.described", name, {"arr": 50_000})
        path, question = f"/v1/accounts/{name}/why", {"touchpoint_type": "check_in"}

        answers = [await running.request("GET", path, params=question)]
        while answers[-1].status_code == 200 and len(answers) < 500:
            answers.append(await running.request("GET", path, params=question))

        assert len(answers) > 1, answers[0].text
        refused = answers[-1]
        assert int(refused.headers["retry-after"]) >= 1
        assert "share of the processor" in problem_of(refused, 429)["detail"]
        current = await running.get("/v1/policies/current")
        document = f"/v1/policies/{current['hash']}/document"

        async def is_answered() -> bool:
            return (await running.request("GET", document)).status_code == 200

        await until(is_answered, 90, "the share has grown again")
        again = [await running.request("GET", document) for _ in range(20)]
        assert {answer.status_code for answer in again} == {200}, "it is written once"
        problem_of(await running.request("GET", path, params=question), 429)
        assert len({answer.content for answer in again}) == 1
        assert again[0].json()["hash"] == current["hash"]


def slow_files() -> dict[str, str]:
    """A valid policy whose rules keep the linter busy for ten seconds."""
    place = SHIPPED_TEXT.index("  - rule: mid-market-pooled-check-in")
    rules = "".join(
        f"  - rule: extra-{number}\n    touchpoint: check_in\n    segment: mid_market\n    every: {20 + number % 60}d\n"
        f"    when: arr is not null and arr > {number} and has_champion\n    because: A reason.\n"
        for number in range(400)
    )
    return {"cadence.yaml": f"{SHIPPED_TEXT[:place]}{rules}{SHIPPED_TEXT[place:]}"}
