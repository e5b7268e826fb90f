"""The command line: what is wrong use, and what a command says when nothing runs."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.console.calls import CallFailed
from services.console.cli import app
from services.console.policies import read

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
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_promised_command_is_there() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    assert [command for command in COMMANDS if command not in shown] == []


@pytest.mark.parametrize(
    "words",
    [["no-such"], ["serve", "mailman"], ["replay"], ["due", "--limit", "0"], ["events", "post", "gone"]]
    + [
        ["policy", *words]
        for words in (
            ["publish"],
            ["publish", "gone"],
            ["rollback", "first"],
            ["rollback", "0"],
            ["list", "x"],
        )
    ],
)
def test_wrong_use_ends_with_code_2(words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2


def test_without_a_deployment_the_reason_names_the_key_file() -> None:
    failure = CliRunner().invoke(app, ["due"]).exception
    assert isinstance(failure, CallFailed)
    assert "no API key to read at .drumbeat/api-key" in str(failure)


def test_a_folder_without_a_policy_is_not_published(tmp_path: Path) -> None:
    (tmp_path / "mine_test.yaml").write_text("tests: []")
    (tmp_path / ".draft.yaml").write_text("health: {}")
    done = CliRunner().invoke(app, ["policy", "publish", "."])
    assert done.exit_code == 2
    assert "holds no *.yaml file" in done.output


@pytest.mark.parametrize(("name", "told"), [("b.yml", "rename it"), ("b.yaml", "no text in UTF-8")])
def test_a_file_of_a_policy_is_not_overlooked_when_it_is_published(
    tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / "a.yaml").write_text("health: {}")
    (tmp_path / name).write_bytes(b"\xff")
    with pytest.raises(typer.BadParameter, match=rf"{name}.*{told}"):
        read(tmp_path)
