"""The command line: its commands, its exit codes, and what it says when nothing runs."""

import socket
from pathlib import Path

import pytest

from services.console import cli
from tests.unit.console.drumbeat import drumbeat

COMMANDS = (
    "run",
    "serve",
    "migrate",
    "policy",
    "events",
    "account",
    "due",
    "parked",
    "replay",
    "keys",
    "doctor",
    "mode",
    "erase",
    "claim",
    "done",
    "move",
    "assign",
    "skip",
    "undo",
)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_help_lists_every_command_and_the_exit_codes(capsys: Capture) -> None:
    result = drumbeat(capsys, "--help")
    assert result.code == 0
    assert [command for command in COMMANDS if command not in result.out] == []
    assert "3 a service cannot be reached" in " ".join(result.out.split())


def test_the_version_is_shown(capsys: Capture) -> None:
    result = drumbeat(capsys, "--version")
    assert (result.code, result.out.split()[0]) == (0, "drumbeat")


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such"],
        ["mode", "asleep"],
        ["content", "preview"],
        ["content", "preview", "tips"],
        ["content", "preview", "tips", "--account", "acme", "--reader", "nobody"],
        ["erase"],
        ["serve", "mailman"],
        ["claim", "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01"],
        ["assign", "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01"],
        ["done"],
        ["done", "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01", "--outcome", "reopened"],
        ["move", "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01", "tomorrow"],
        ["move", "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01", "2026-13-01"],
        ["move", "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01", "2026-03-01", "--force"],
        ["skip", "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01", "--version", "last"],
        ["replay"],
        ["replay", "7", "--all"],
        ["due", "--limit", "0"],
        ["events", "post", "gone"],
        ["policy", "publish"],
        ["policy", "publish", "gone"],
        ["policy", "rollback", "first"],
        ["policy", "rollback", "0"],
        ["policy", "list", "x"],
        ["policy", "tst", "."],
        ["policy", "test"],
    ],
)
def test_wrong_use_has_exit_code_2(arguments: list[str], capsys: Capture) -> None:
    assert drumbeat(capsys, *arguments).code == 2


def test_without_an_api_key_the_message_names_the_key_file(capsys: Capture) -> None:
    result = drumbeat(capsys, "due")
    assert result.code == 3
    assert "No API key can be read at .drumbeat/api-key" in result.err


def test_a_service_that_does_not_answer_has_exit_code_3(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as listener:  # bound and not listening: nobody answers
        listener.bind(("127.0.0.1", 0))
        Path("key").write_text("db_0123abcd_secret")
        monkeypatch.setenv("DRUMBEAT_API_KEY_FILE", "key")
        monkeypatch.setenv("DRUMBEAT_SCHEDULER__PORT", str(listener.getsockname()[1]))
        result = drumbeat(capsys, "due", "--json")
    assert (result.code, result.out) == (3, "")
    assert "The scheduler does not answer at http://127.0.0.1:" in result.err


def test_an_invalid_setting_has_exit_code_2(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUMBEAT_SCHEDULER__PORT", "many")
    result = drumbeat(capsys, "due")
    assert result.code == 2
    assert "DRUMBEAT_SCHEDULER__PORT" in result.err


def test_run_names_the_extra_when_the_embedded_parts_are_not_installed(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def import_fails(_: str) -> None:
        raise ModuleNotFoundError("No module named 'aiosmtpd'", name="aiosmtpd")

    monkeypatch.setattr(cli, "import_module", import_fails)
    result = drumbeat(capsys, "run")
    assert result.code == 1
    assert "pip install 'drumbeat[local]'" in result.err
