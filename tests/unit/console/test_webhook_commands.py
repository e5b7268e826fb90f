"""`drumbeat webhooks` against a notifier on a real socket."""

import json
from pathlib import Path

import pytest

from tests.unit.console.api_server import Answers, Call, serving
from tests.unit.console.drumbeat import Result, drumbeat

Capture = pytest.CaptureFixture[str]
PATH = "/v1/subscriptions"
ITEM = {
    "id": "w1", "url": "https://hooks.example/in", "types": ["drumbeat.touchpoint.due.v1"],
    "filter": {"csm_id": ["ana", "bob"]}, "active": True, "disabled_reason": None, "failing_since": None,
}  # fmt: skip
DISABLED = ITEM | {"id": "w2", "active": False, "disabled_reason": "it failed for five days", "types": []}
FAILING = ITEM | {"id": "w3", "failing_since": "2026-03-02T09:00:00Z", "filter": {}}


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("db_0123abcd_secret")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRUMBEAT_API_KEY_FILE", "key")


def webhooks(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, answers: Answers, *arguments: str
) -> tuple[Result, list[Call]]:
    with serving(answers) as (port, calls):
        monkeypatch.setenv("DRUMBEAT_NOTIFIER__PORT", str(port))
        return drumbeat(capsys, "webhooks", *arguments), calls


def test_subscriptions_of_all_pages_are_listed_with_their_state(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [
        (200, {"items": [ITEM, DISABLED], "next_cursor": "x"}),
        (200, {"items": [FAILING], "next_cursor": None}),
    ]
    result, calls = webhooks(capsys, monkeypatch, {("GET", PATH): pages}, "list")
    assert [path for _, path, _ in calls] == [f"{PATH}?limit=500", f"{PATH}?limit=500&cursor=x"]
    for text in (
        "touchpoint.due",
        "csm_id=ana,bob",
        "disabled: it failed for five days",
        "failing since 2026-03-02 09:00",
    ):
        assert text in result.out
    result, _ = webhooks(capsys, monkeypatch, {("GET", PATH): pages}, "list", "--json")
    assert json.loads(result.out) == {"items": [ITEM, DISABLED, FAILING]}


def test_an_endpoint_is_subscribed_and_its_secret_shown(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: Answers = {("POST", PATH): [(201, {**ITEM, "secret": "whsec_abc"})]}
    arguments = (
        "add",
        "https://hooks.example/in",
        "--type",
        "drumbeat.touchpoint.due.v1",
        "--contact",
        "o@x.example",
    )
    conditions = ("--only-if", "csm_id=ana", "--only-if", "csm_id=bob", "--only-if", "status=due")
    result, calls = webhooks(capsys, monkeypatch, answers, *arguments, *conditions)
    body = {
        "url": "https://hooks.example/in", "types": ["drumbeat.touchpoint.due.v1"],
        "filter": {"csm_id": ["ana", "bob"], "status": ["due"]}, "contact": "o@x.example",
    }  # fmt: skip
    assert (result.code, calls) == (0, [("POST", PATH, body)])
    assert "whsec_abc" in result.out.splitlines()


@pytest.mark.parametrize("condition", ["csm_id", "=ana", "csm_id="])
def test_a_condition_without_field_or_value_is_wrong_use(
    condition: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, calls = webhooks(capsys, monkeypatch, {}, "add", "https://x.example", "--only-if", condition)
    assert (result.code, calls) == (2, [])
    assert "write FIELD=VALUE" in result.error_text


def test_an_endpoint_is_removed_and_enabled(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    result, calls = webhooks(
        capsys, monkeypatch, {("DELETE", f"{PATH}/a%2Fb"): [(204, None)]}, "remove", "a/b"
    )
    assert (result.code, calls) == (0, [("DELETE", f"{PATH}/a%2Fb", None)])
    enabled: Answers = {("POST", f"{PATH}/w2/enable"): [(200, {**DISABLED, "active": True})]}
    result, calls = webhooks(capsys, monkeypatch, enabled, "enable", "w2")
    assert (result.code, len(calls), result.out) == (0, 1, "The subscription is active.\n")


@pytest.mark.parametrize(("delivered", "code"), [(True, 0), (False, 1)])
def test_a_test_event_that_is_not_taken_is_a_finding(
    delivered: bool,  # noqa: FBT001
    code: int,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcome = {
        "delivered": delivered,
        "outcome": "delivered" if delivered else "refused",
        "detail": "HTTP 200",
    }
    result, _ = webhooks(capsys, monkeypatch, {("POST", f"{PATH}/w1/test"): [(200, outcome)]}, "test", "w1")
    assert (result.code, result.out) == (code, f"{outcome['outcome']}: HTTP 200\n")


def test_deliveries_are_listed_with_why_one_failed(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: dict[str, object] = {
        "created_at": "2026-03-02T09:00:00Z", "state": "failed", "account_id": "acme", "touchpoint_type": "check_in",
        "attempts": [{}, {}], "next_at": None, "reason": "HTTP 500",
    }  # fmt: skip
    answers: Answers = {("GET", f"{PATH}/w1/deliveries"): [(200, {"items": [failed], "next_cursor": None})]}
    result, calls = webhooks(capsys, monkeypatch, answers, "deliveries", "w1", "--limit", "3")
    assert calls == [("GET", f"{PATH}/w1/deliveries?limit=3", None)]
    assert result.out.splitlines()[2].split() == [
        "2026-03-02", "09:00", "failed", "acme", "check_in", "2", "-", "HTTP", "500",
    ]  # fmt: skip


def test_what_failed_is_sent_again_until_nothing_remains_and_what_is_lost_is_a_finding(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {"recovered": 500, "remaining": 20, "lost": 0, "detail": "20 more failed"}
    last = {"recovered": 20, "remaining": 0, "lost": 3, "detail": "3 cannot be sent again"}
    answers: Answers = {("POST", f"{PATH}/w1/recover"): [(200, first), (200, last)]}
    result, calls = webhooks(capsys, monkeypatch, answers, "recover", "w1", "--since", "2026-03-02")
    assert [path for _, path, _ in calls] == [f"{PATH}/w1/recover?since=2026-03-02T00%3A00%3A00Z"] * 2
    assert (result.code, result.out) == (1, "520 are sent again. 3 cannot be sent again\n")
    result, calls = webhooks(capsys, monkeypatch, {}, "recover", "w1", "--since", "yesterday")
    assert (result.code, calls) == (2, [])
