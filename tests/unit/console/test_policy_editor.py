"""The editor reads the policy in force, checks a draft on top of it, and publishes what was checked and nothing else."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from services.console.client import AsyncApiClient
from services.console.policy_editor import PolicyEditor
from tests.unit.console.test_client import KEY, make_settings

FILES = {"a.yaml": "one", "b.yaml": "two"}
ERROR = {"file": "b.yaml", "line": 1, "column": 2, "where": "x", "message": "no"}


class Engine:
    """A rules engine with one policy. `requests`: (method, path, body) of everything that was posted or put."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.version, self.hash = 1, "h1"
        self.is_admin, self.is_linted = True, True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/")
        if request.method != "GET":
            body: dict[str, Any] = json.loads(request.content)
            self.requests.append((request.method, path, body))
            return self._respond(path, body)
        documents: dict[str, Callable[[], object]] = {
            "policies/progress": lambda: {"policy": self.hash, "version": self.version, "accounts": 3},
            "policies/current": self._current,
            "sessions/current": lambda: {"scopes": ["read", "policy"] if self.is_admin else ["read"]},
            "policies": lambda: {"items": [{"version": self.version, "in_force": True}]},
            f"policies/{self.hash}/document": lambda: {"hash": self.hash, "rhythms": []},
        }
        return httpx.Response(200, json=documents[path]())

    def _current(self) -> object:
        findings = {"findings": [{"rule": "r"}]} if self.is_linted else {}
        return {"hash": self.hash, "version": self.version, "files": FILES, **findings}

    def _respond(self, path: str, body: dict[str, Any]) -> httpx.Response:
        if path == "policies/validate":
            if body["files"].get("b.yaml") == "bad":
                return httpx.Response(422, json={"detail": "errors", "errors": [ERROR]})
            is_changed = body["files"] != FILES
            return httpx.Response(
                200, json={"hash": "h2" if is_changed else "h1", "findings": [{"rule": "r"}]}
            )
        if path == "policies/diff":
            return httpx.Response(503, json={"detail": "later"})
        if not self.is_admin:
            return httpx.Response(403, json={"detail": "the scope admin is missing"})
        if body["files"].get("b_test.yaml") == "fails" and not body.get("force"):
            tests = {"run": 1, "failed": 1}
            return httpx.Response(422, json={"detail": "fails", "errors": [ERROR], "tests": tests})
        self.version, self.hash = self.version + 1, "h2"
        return httpx.Response(201, json={"version": self.version})


async def loaded_editor(engine: Engine) -> PolicyEditor:
    editor = PolicyEditor(AsyncApiClient(make_settings(), httpx.MockTransport(engine)), KEY)
    await editor.refresh()
    return editor


async def test_the_policy_in_force_is_read_once_until_it_changes() -> None:
    engine = Engine()
    editor = await loaded_editor(engine)
    await editor.refresh()
    assert (editor.in_force.hash, editor.in_force.files, editor.may_change) == ("h1", FILES, True)
    assert engine.requests == []
    assert [finding["rule"] for finding in editor.in_force.findings] == ["r"]


async def test_findings_are_shown_as_soon_as_the_linter_is_through() -> None:
    engine = Engine()
    engine.is_linted = False
    editor = await loaded_editor(engine)
    assert editor.in_force.findings == ()
    engine.is_linted = True
    await editor.refresh()
    assert [finding["rule"] for finding in editor.in_force.findings] == ["r"]

    engine.version, engine.hash = 2, "h2"
    await editor.refresh()
    assert editor.in_force.hash == "h2"


async def test_a_file_replaces_the_one_with_its_name_and_the_others_stay() -> None:
    editor = await loaded_editor(Engine())
    assert editor.add_file("folder/b.yaml", "new") == ""
    assert editor.draft.files == {"a.yaml": "one", "b.yaml": "new"}
    assert "must end in .yaml" in editor.add_file("notes.txt", "")
    assert editor.add_file("b_test.yaml", "tests") == ""
    assert "too large" in editor.add_file("c.yaml", "x" * 1_000_001)
    editor.remove_file("a.yaml")
    assert editor.draft.files == {"b.yaml": "new", "b_test.yaml": "tests"}


async def test_a_draft_with_errors_is_not_published_and_a_valid_one_names_the_policy_it_is_based_on() -> None:
    engine = Engine()
    editor = await loaded_editor(engine)
    editor.add_file("b.yaml", "bad")
    await editor.check()
    result = editor.draft.result
    assert result is not None
    assert (result.is_valid, result.errors) == (False, (ERROR,))
    assert await editor.publish("why") == "Check the files first."

    editor.add_file("b.yaml", "good")
    assert await editor.publish("why") == "Check the files first."
    await editor.check()
    assert await editor.publish("why") == ""
    body = {"files": {"a.yaml": "one", "b.yaml": "good"}, "note": "why", "based_on": "h1"}
    assert ("PUT", "policies/current", body) in engine.requests
    assert (editor.in_force.hash, editor.draft.files) == ("h2", {})


async def test_failing_tests_are_listed_and_publishing_all_the_same_is_a_choice() -> None:
    """C: publishing runs the tests of the policy."""
    engine = Engine()
    editor = await loaded_editor(engine)
    editor.add_file("b.yaml", "good")
    editor.add_file("b_test.yaml", "fails")
    await editor.check()
    assert "Tests of the policy fail" in await editor.publish("why")
    assert editor.draft.result is not None
    assert editor.draft.result.failures == (ERROR,)
    assert (editor.draft.tests_fail, editor.draft.result.is_valid) == (True, True)

    assert await editor.publish("it is known", force=True) == ""
    assert editor.in_force.hash == "h2"


async def test_a_draft_whose_effect_cannot_be_computed_is_still_valid() -> None:
    editor = await loaded_editor(Engine())
    editor.add_file("b.yaml", "good")
    await editor.check()
    result = editor.draft.result
    assert result is not None
    assert result.is_valid
    assert result.difference == {"error": "The rules engine is temporarily unavailable: later"}


async def test_a_reader_who_may_not_change_the_policy_gets_a_plain_reason() -> None:
    engine = Engine()
    engine.is_admin = False
    editor = await loaded_editor(engine)
    assert editor.may_change is False
    assert await editor.roll_back(1, "why") == "You are not allowed to do this: the scope admin is missing"


async def test_a_content_file_keeps_its_path_and_other_files_have_no_folder() -> None:
    editor = await loaded_editor(Engine())
    assert editor.add_file("policy/content/de/owner/check_in.md", "---") == ""
    assert editor.add_file("policy/10-accounts.yaml", "") == ""
    assert "must end in .yaml" in editor.add_file("notes.md", "")
    assert "must end in .yaml" in editor.add_file("content/de/check_in.yaml", "")
    assert {"content/de/owner/check_in.md", "10-accounts.yaml"} <= editor.draft.files.keys()
