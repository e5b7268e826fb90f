"""`drumbeat accounts` against a rules engine on a real socket."""

import json
from pathlib import Path

import pytest

from tests.unit.console.api_server import Call, serving
from tests.unit.console.drumbeat import Result, drumbeat

Capture = pytest.CaptureFixture[str]
ACME = {
    "id": "acme", "name": "Acme Limited", "segment": "enterprise", "stage": "growth", "color": "red",
    "csm_id": "ana", "plan_version": 3,
}  # fmt: skip


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("db_0123abcd_secret")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRUMBEAT_API_KEY_FILE", "key")


def accounts(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, document: object, *arguments: str
) -> tuple[Result, list[Call]]:
    with serving({("GET", "/v1/accounts"): [(200, document)]}) as (port, calls):
        monkeypatch.setenv("DRUMBEAT_RULES_ENGINE__PORT", str(port))
        return drumbeat(capsys, "accounts", *arguments), calls


def test_accounts_are_listed_with_what_csm_teams_ask_for(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bolt = {"id": "bolt", "name": None, "color": None}
    result, calls = accounts(capsys, monkeypatch, {"items": [ACME, bolt], "next_cursor": None})
    assert (result.code, calls) == (0, [("GET", "/v1/accounts?limit=100", None)])
    title, header, *rows = result.out.splitlines()
    assert title.strip() == "Accounts"
    assert header.split() == ["id", "name", "segment", "stage", "health", "csm"]
    assert rows[0].split() == ["acme", "Acme", "Limited", "enterprise", "growth", "red", "ana"]
    assert rows[1].split() == ["bolt", "-", "-", "-", "-", "-"]
    assert len(rows) == 2


def test_a_list_that_goes_on_says_so_and_the_filters_are_those_of_the_api(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = (
        "--csm",
        "ana",
        "--segment",
        "enterprise",
        "--stage",
        "growth",
        "--health",
        "red",
        "--search",
        "ac",
    )
    document = {"items": [ACME], "next_cursor": "x"}
    result, calls = accounts(capsys, monkeypatch, document, *chosen, "--limit", "1")
    query = "csm_id=ana&segment=enterprise&stage=growth&color=red&q=ac&limit=1"
    assert calls == [("GET", f"/v1/accounts?{query}", None)]
    assert "There are more: these are the first 1." in result.out


def test_a_program_gets_the_document(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"items": [ACME], "next_cursor": "x"}
    result, _ = accounts(capsys, monkeypatch, document, "--json")
    assert json.loads(result.out) == document


def test_a_segment_that_does_not_exist_is_wrong_use(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    result, calls = accounts(capsys, monkeypatch, {"items": []}, "--segment", "huge")
    assert (result.code, calls) == (2, [])
    assert "enterprise" in result.error_text
