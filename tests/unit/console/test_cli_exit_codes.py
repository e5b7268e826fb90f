"""Every command ends with the exit code of the contract: 0 well, 1 findings, 2 wrong use, 3 service unreachable (C)."""

import os
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from io import StringIO
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from services.cadence.policy.load import SHIPPED
from services.console.cli import app
from tests.unit.console.drumbeat import drumbeat

Capture = pytest.CaptureFixture[str]
TOUCHPOINT = "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01"
BECOME_ANOTHER_PROCESS = ("run", "serve", "migrate", "doctor")
WITHOUT_A_SERVICE = {
    "policy check": [str(SHIPPED)],
    "policy schema": [],
    "policy reference": [],
    "policy requirements": [],
    "policy test": [str(SHIPPED)],
    "policy explain": [str(SHIPPED), "--facts", "events.json", "--account", "acme"],
    "content check": [],
    "content reference": [],
    "keys files": ["keys"],
    "mapping check": ["hubspot"],
    "mapping test": ["hubspot", "body.json"],
}
ARGUMENTS = {
    "account": ["acme"],
    "clock advance": ["1d"],
    "keys create": ["me", "--scope", "read"],
    "keys revoke": ["0123abcd"],
    "keys rotate": ["0123abcd"],
    "users add": ["ann", "--role", "csm", "--password-from", "none"],
    "users disable": ["ann"],
    "users erase": ["ann", "--yes"],
    "users enable": ["ann"],
    "users password": ["ann", "--password-from", "stdin"],
    "users role": ["ann", "ops"],
    "erase": ["acme", "--yes"],
    "export person": ["ann"],
    "import": ["accounts.csv", "--yes"],
    "replay": ["--all"],
    "claim": [TOUCHPOINT, "ana"],
    "assign": [TOUCHPOINT, "ana"],
    "done": [TOUCHPOINT],
    "move": [TOUCHPOINT, "2026-03-06"],
    "skip": [TOUCHPOINT],
    "undo": [TOUCHPOINT],
    "load": ["--csm", "ana"],
    "handover": ["ana", "--to", "bob"],
    "events post": ["events.json"],
    "feeds busy remove": ["ana"],
    "feeds busy set": ["ana", "https://calendar.example.com/secret.ics"],
    "feeds make": ["--csm", "ana"],
    "feeds list": ["--account", "acme"],
    "feeds revoke": ["7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01"],
    "webhooks add": ["https://hooks.example/in"],
    "webhooks remove": ["w1"],
    "webhooks test": ["w1"],
    "webhooks deliveries": ["w1"],
    "webhooks recover": ["w1", "--since", "2026-03-02"],
    "webhooks enable": ["w1"],
    "policy publish": [str(SHIPPED)],
    "policy rollback": ["1"],
    "policy diff": [str(SHIPPED)],
    "policy simulate": [str(SHIPPED)],
    "content preview": ["tips", "--account", "acme"],
}
"""What the commands that call a service need; those that are not named need nothing."""


def commands(command: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command that does something, by its words."""
    if isinstance(command, TyperGroup):
        for name, member in command.commands.items():
            yield from commands(member, (*path, name))
        if path and command.invoke_without_command:
            yield " ".join(path)
    else:
        yield " ".join(path)


ALL = sorted(commands(typer.main.get_command(app)))
THAT_CALL_A_SERVICE = [name for name in ALL if name not in {*BECOME_ANOTHER_PROCESS, *WITHOUT_A_SERVICE}]


@pytest.fixture(autouse=True)
def nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A key, and ports that are bound and on which nobody listens."""
    monkeypatch.chdir(tmp_path)
    Path("key").write_text("db_0123abcd_secret")
    Path("events.json").write_text(
        '{"specversion": "1.0", "type": "drumbeat.account.described.v1", "source": "/crm", "id": "1",'
        ' "subject": "acme", "time": "2026-03-02T09:00:00Z", "data": {"arr": 50000}}'
    )
    Path("accounts.csv").write_text("account_id,arr\nacme,50000\n")
    monkeypatch.setattr("sys.stdin", StringIO("a password of five words\n"))
    Path("body.json").write_text(
        '[{"eventId": 100, "portalId": 33, "occurredAt": 1796000000000, "objectId": 4711, "propertyName": "renewal_date",'
        ' "subscriptionType": "company.propertyChange", "propertyValue": "1803859200000"}]'
    )
    monkeypatch.setenv("DRUMBEAT_API_KEY_FILE", "key")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        for service in ("RULES_ENGINE", "SCHEDULER", "NOTIFIER", "CONSOLE"):
            monkeypatch.setenv(f"DRUMBEAT_{service}__PORT", str(bound.getsockname()[1]))
        yield


def test_no_command_is_left_out() -> None:
    assert {
        "accounts",
        "due",
        "keys",
        "webhooks list",
        "events post",
        "policy diff",
        *BECOME_ANOTHER_PROCESS,
    } <= set(ALL)
    assert {*ARGUMENTS, *WITHOUT_A_SERVICE} <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_an_option_that_does_not_exist_is_wrong_use(name: str, capsys: Capture) -> None:
    result = drumbeat(capsys, *name.split(), "--no-such-option")
    assert (result.code, result.out) == (2, "")


@pytest.mark.parametrize("name", THAT_CALL_A_SERVICE)
def test_a_command_whose_service_does_not_answer_ends_with_3(name: str, capsys: Capture) -> None:
    result = drumbeat(capsys, *name.split(), *ARGUMENTS.get(name, []))
    assert (result.code, result.out) == (3, ""), result
    assert " does not answer at http://127.0.0.1:" in result.error_text


@pytest.mark.parametrize("name", THAT_CALL_A_SERVICE)
def test_a_command_without_a_key_ends_with_3(name: str, capsys: Capture) -> None:
    Path("key").unlink()
    assert drumbeat(capsys, *name.split(), *ARGUMENTS.get(name, [])).code == 3


@pytest.mark.parametrize("name", THAT_CALL_A_SERVICE)
def test_an_invalid_setting_is_wrong_use(name: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUMBEAT_MODE", "asleep")
    result = drumbeat(capsys, *name.split(), *ARGUMENTS.get(name, []))
    assert (result.code, "DRUMBEAT_MODE" in result.err) == (2, True)


@pytest.mark.parametrize("name", WITHOUT_A_SERVICE)
def test_a_command_that_needs_no_service_ends_with_0(name: str, capsys: Capture) -> None:
    assert drumbeat(capsys, *name.split(), *WITHOUT_A_SERVICE[name]).code == 0


@pytest.mark.parametrize(
    ("arguments", "settings", "code"),
    [
        (("serve", "scheduler"), {"DRUMBEAT_MODE": "asleep"}, 2),
        (("serve", "scheduler", "--port", "70000"), {}, 2),
        (("serve", "scheduler", "--role", "engine"), {}, 2),
        (("migrate",), {"DRUMBEAT_MODE": "asleep"}, 2),
        (("migrate",), {"DRUMBEAT_DATABASE__URL": "postgresql://ann@127.0.0.1:1/"}, 3),
        (("doctor",), {"DRUMBEAT_MODE": "asleep"}, 2),
        (("run",), {"DRUMBEAT_MODE": "asleep"}, 2),
    ],
)
def test_commands_that_become_another_process_end_with_these_codes_too(
    arguments: tuple[str, ...], settings: dict[str, str], code: int, tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services.console.cli", *arguments],
        env={
            **os.environ,
            "DRUMBEAT_DATA_DIR": str(tmp_path),
            "PYTHONPATH": str(Path(__file__).parents[3]),
            **settings,
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
