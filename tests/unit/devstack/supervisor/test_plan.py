"""What is settled before a run: addresses as asked for, ports looked at, sentences instead of traces."""

import json
import os
import socket
from pathlib import Path

import pytest

from services.devstack.embedded.failures import PortTaken
from services.devstack.embedded.ports import free_ports
from services.devstack.supervisor.plan import SERVICES, settle
from services.devstack.supervisor.stack import without_password


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRUMBEAT_DATA_DIR", str(tmp_path / "data"))
    for name, port in zip(SERVICES, free_ports(len(SERVICES)), strict=True):
        monkeypatch.setenv(f"DRUMBEAT_{name.upper()}__PORT", str(port))
    return tmp_path / "data"


def test_a_taken_port_is_refused_with_port_service_and_setting(environment: Path) -> None:
    port = int(os.environ["DRUMBEAT_SCHEDULER__PORT"])
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(PortTaken, match=rf"Port {port} .*scheduler.*DRUMBEAT_SCHEDULER__PORT"),
    ):
        settle()


def test_addresses_an_earlier_run_left_do_not_count_as_asked_for(environment: Path) -> None:
    environment.mkdir()
    left = {"kafka": {"bootstrap_servers": "127.0.0.1:1"}, "database": {"url": "postgresql://x@y/"}}
    (environment / "addresses.json").write_text(json.dumps(left))
    plan = settle()
    assert plan.settings.kafka.bootstrap_servers is None
    assert plan.settings.database.url is None


def test_remembered_ports_are_wished_for_again(environment: Path) -> None:
    kafka, postgres, smtp = free_ports(3)
    environment.mkdir()
    left = {"ports": {"kafka": kafka, "postgres": postgres, "smtp": smtp}}
    (environment / "addresses.json").write_text(json.dumps(left))
    ports = settle().ports
    assert (ports.kafka, ports.postgres, ports.smtp) == (kafka, postgres, smtp)


def test_a_password_is_never_shown() -> None:
    shown = without_password("postgresql://ann:secret@db:5432/x")
    assert shown == "postgresql://ann@db:5432/x"
    assert without_password("postgresql://db/x") == "postgresql://db/x"
