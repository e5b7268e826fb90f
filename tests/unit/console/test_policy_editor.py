"""The desk reads the policy in force, checks a draft on top of it, and publishes what was checked and nothing else."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from services.console.client import Apis
from services.console.difference_view import difference
from services.console.json_fields import Json
from services.console.policy_editor import Desk
from tests.unit.console.test_poller import KEY, settings

FILES = {"a.yaml": "one", "b.yaml": "two"}
MISTAKE = {"file": "b.yaml", "line": 1, "column": 2, "where": "x", "message": "no"}


class Engine:
    """A rules engine of one policy. `sent`: (method, path, body) of whatever was posted or put."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.version, self.hash = 1, "h1"
        self.admin = True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/")
        if request.method != "GET":
            body: dict[str, Any] = json.loads(request.content)
            self.sent.append((request.method, path, body))
            return self._changed(path, body)
        answers: dict[str, Callable[[], object]] = {
            "policies/progress": lambda: {"policy": self.hash, "version": self.version, "accounts": 3},
            "policies/current": lambda: {"hash": self.hash, "version": self.version, "files": FILES},
            "policies": lambda: {"items": [{"version": self.version, "in_force": True}]},
            f"policies/{self.hash}/document": lambda: {"hash": self.hash, "rhythms": []},
        }
        if path == "keys":
            return httpx.Response(200 if self.admin else 403, json={})
        return httpx.Response(200, json=answers[path]())

    def _changed(self, path: str, body: dict[str, Any]) -> httpx.Response:
        if path == "policies/validate":
            if body["files"].get("b.yaml") == "bad":
                return httpx.Response(422, json={"detail": "mistakes", "errors": [MISTAKE]})
            changed = body["files"] != FILES
            return httpx.Response(200, json={"hash": "h2" if changed else "h1", "findings": [{"rule": "r"}]})
        if path == "policies/diff":
            return httpx.Response(405, json={})
        if not self.admin:
            return httpx.Response(403, json={"detail": "the scope admin is missing"})
        self.version, self.hash = self.version + 1, "h2"
        return httpx.Response(201, json={"version": self.version})


async def opened(engine: Engine) -> Desk:
    desk = Desk(Apis(settings(), httpx.MockTransport(engine)), KEY)
    await desk.refresh()
    return desk


async def test_what_is_in_force_is_read_once_until_it_changes() -> None:
    engine = Engine()
    desk = await opened(engine)
    await desk.refresh()
    assert (desk.in_force.hash, desk.in_force.files, desk.may_change) == ("h1", FILES, True)
    assert [path for _, path, _ in engine.sent] == ["policies/validate"]  # for its findings
    assert [each["rule"] for each in desk.in_force.findings] == ["r"]

    engine.version, engine.hash = 2, "h2"
    await desk.refresh()
    assert desk.in_force.hash == "h2"


async def test_a_file_takes_the_place_of_its_namesake_and_the_rest_stays() -> None:
    desk = await opened(Engine())
    assert desk.begin("folder/b.yaml", "new") == ""
    assert desk.draft.files == {"a.yaml": "one", "b.yaml": "new"}
    assert "ends in .yaml" in desk.begin("notes.txt", "")
    assert "tests of a policy" in desk.begin("b_test.yaml", "")
    assert "does not fit" in desk.begin("c.yaml", "x" * 1_000_001)
    desk.leave_out("a.yaml")
    assert desk.draft.files == {"b.yaml": "new"}


async def test_mistakes_stop_a_draft_and_a_sound_one_is_published_on_what_it_is_based_on() -> None:
    engine = Engine()
    desk = await opened(engine)
    desk.begin("b.yaml", "bad")
    await desk.check()
    checked = desk.draft.checked
    assert checked is not None
    assert (checked.sound, checked.errors) == (False, (MISTAKE,))
    assert await desk.publish("why") == "Check the files first."

    desk.begin("b.yaml", "good")
    assert await desk.publish("why") == "Check the files first."
    await desk.check()
    assert await desk.publish("why") == ""
    body = {"files": {"a.yaml": "one", "b.yaml": "good"}, "note": "why", "based_on": "h1"}
    assert ("PUT", "policies/current", body) in engine.sent
    assert (desk.in_force.hash, desk.draft.files) == ("h2", {})


async def test_who_may_not_change_is_told_so_in_plain_words() -> None:
    engine = Engine()
    engine.admin = False
    desk = await opened(engine)
    assert desk.may_change is False
    assert await desk.roll_back(1, "why") == "This key may not do this: the scope admin is missing"


def test_a_difference_is_told_by_its_totals_its_accounts_or_its_trouble() -> None:
    amount: Json = {"before": 4.5, "after": 3, "difference": -1.5, "minutes_difference": 0}
    same: Json = {"before": 1, "after": 1, "difference": 0, "minutes_difference": 0}
    whole: Json = {**amount, "minutes_before": 60, "minutes_after": 90, "minutes_difference": 30}
    accounts = [{"account_id": str(each), "changes": [{"text": "rarer"}]} for each in range(7)]
    counted: Json = {"compared": 9, "changed": 7, "moved": 1, "undecided": 0, "days": 90}
    kinds: Json = {"check_in": amount, "survey": same}
    told = difference({**counted, "totals": kinds, "all": whole, "accounts": accounts})
    assert told.summary == (
        "7 of 9 accounts would have another plan; 1 account another segment or stage."
        " Counted over 90 days from now."
    )
    assert told.totals == (
        ("All touchpoints", "4.5 now, 3 then (-1.5)"),
        ("Minutes of CSMs", "60 now, 90 then (+30)"),
        ("Check in", "4.5 now, 3 then (-1.5)"),
    )
    assert (told.examples[0], told.examples[-1]) == ("0: rarer", "And 2 accounts more.")
    assert difference({"trouble": "It is down."}).summary == "It cannot be told: It is down."
    assert difference({}).totals == ()
