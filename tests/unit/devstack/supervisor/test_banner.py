"""The first screen of a run: its commands work as they are and contain no key."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.console.sample.accounts import ACCOUNTS
from services.devstack.embedded.ports import free_ports
from services.devstack.supervisor.banner import ACCOUNT, ready_text
from services.devstack.supervisor.options import SERVICES, prepare_run


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRUMBEAT_DATA_DIR", str(tmp_path / "data"))
    for name, port in zip(SERVICES, free_ports(len(SERVICES)), strict=True):
        monkeypatch.setenv(f"DRUMBEAT_{name.upper()}__PORT", str(port))
    return ready_text(
        prepare_run(),
        bootstrap="127.0.0.1:9092",
        database_url="postgresql://ann:secret@db/",
        mode="hold",
        now=datetime(2026, 5, 1, 12, 0, 0, 5, tzinfo=UTC),
        seconds=6.25,
    )


def test_no_key_and_no_password_is_printed(text: str, tmp_path: Path) -> None:
    assert (tmp_path / "data" / "api-key").read_text().strip() not in text
    assert "db_" not in text
    assert "secret" not in text


def test_a_mode_in_which_nothing_reaches_customers_is_named(text: str) -> None:
    """U2."""
    assert "mode          hold: nothing reaches customers" in text


def test_the_key_is_read_from_its_file_by_every_command(text: str, tmp_path: Path) -> None:
    commands = [line for line in text.splitlines() if "curl" in line]
    assert len(commands) == 4
    assert all(f'"Authorization: Bearer $(cat {tmp_path}/data/api-key)"' in command for command in commands)


def test_the_first_event_is_about_an_account_of_the_sample_at_the_time_of_the_start(text: str) -> None:
    (body,) = re.findall(r"-d '(.*)'", text)
    event = json.loads(body)
    assert (event["subject"], event["time"]) == (ACCOUNT, "2026-05-01T12:00:00Z")
    assert ACCOUNT in {account.id for account in ACCOUNTS}
    assert f"source=/me&id={event['id']}" in text
