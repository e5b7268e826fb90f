"""`drumbeat export person` against services on real sockets."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.console.json_fields import Json
from tests.unit.console.api_server import Call, serving
from tests.unit.console.drumbeat import drumbeat

Capture = pytest.CaptureFixture[str]
PATH = "/v1/contacts/crm%2Fann/data"
NOTHING = (404, {"detail": "nothing"})
ENGINE: Json = {"service": "rules_engine", "accounts": [{"account_id": "acme"}, {"account_id": "globex"}]}
CALENDAR: Json = {"naming": []}
NOTIFIER: Json = {"service": "notifier", "contact": {"account_id": "acme"}}


@contextmanager
def services(
    monkeypatch: pytest.MonkeyPatch, answers: Mapping[str, tuple[int, Any]]
) -> Generator[dict[str, list[Call]]]:
    """The three services with the answer of each; yields their calls."""
    with (
        serving({("GET", PATH): [answers["rules_engine"]]}) as engine,
        serving({("GET", PATH): [answers["scheduler"]]}) as scheduler,
        serving({("GET", PATH): [answers["notifier"]]}) as notifier,
    ):
        found = {"rules_engine": engine, "scheduler": scheduler, "notifier": notifier}
        for name, (port, _) in found.items():
            monkeypatch.setenv(f"DRUMBEAT_{name.upper()}__PORT", str(port))
        yield {name: calls for name, (_, calls) in found.items()}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("key").write_text("db_0123abcd_secret")
    monkeypatch.setenv("DRUMBEAT_API_KEY_FILE", "key")


def test_one_document_has_what_each_service_stores_and_only_its_owner_reads_the_file(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Issue 16, point 5."""
    answers = {"rules_engine": (200, ENGINE), "scheduler": (200, CALENDAR), "notifier": (200, NOTIFIER)}
    with services(monkeypatch, answers) as calls:
        result = drumbeat(capsys, "export", "person", "crm/ann", "--file", "ann.json")
    assert result.code == 0, result.err
    document = json.loads(Path("ann.json").read_text())
    assert document["services"] == {"rules_engine": ENGINE, "scheduler": CALENDAR, "notifier": NOTIFIER}
    assert Path("ann.json").stat().st_mode & 0o777 == 0o600
    (asked,) = calls["scheduler"]
    assert asked[1] == f"{PATH}?account_id=acme&account_id=globex"


def test_what_one_service_does_not_store_is_null(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    answers = {"rules_engine": NOTHING, "scheduler": NOTHING, "notifier": (200, NOTIFIER)}
    with services(monkeypatch, answers):
        result = drumbeat(capsys, "export", "person", "crm/ann")
    assert json.loads(result.out)["services"] == {
        "rules_engine": None,
        "scheduler": None,
        "notifier": NOTIFIER,
    }


def test_whom_nobody_knows_is_said_and_no_file_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with services(monkeypatch, dict.fromkeys(("rules_engine", "scheduler", "notifier"), NOTHING)):
        result = drumbeat(capsys, "export", "person", "crm/ann", "--file", "ann.json")
    assert (result.code, "No service stores anything of a contact 'crm/ann'" in result.err) == (1, True)
    assert not Path("ann.json").exists()


def test_a_service_that_refuses_or_is_away_leaves_no_partial_export(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    refused = (403, {"detail": "The key does not have the scope 'admin'."})
    answers = {"rules_engine": (200, ENGINE), "scheduler": refused, "notifier": (200, NOTIFIER)}
    with services(monkeypatch, answers):
        result = drumbeat(capsys, "export", "person", "crm/ann", "--file", "ann.json")
        monkeypatch.setenv("DRUMBEAT_NOTIFIER__PORT", "1")
        away = drumbeat(capsys, "export", "person", "crm/ann", "--file", "ann.json")
    assert (result.code, "does not have the scope" in result.err) == (1, True)
    assert away.code == 3
    assert not Path("ann.json").exists()
