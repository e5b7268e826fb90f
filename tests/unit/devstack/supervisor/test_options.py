"""The options of a run: addresses only from the settings, free ports, errors in one sentence."""

import json
import os
import socket
from pathlib import Path

import pytest

from services.devstack.embedded.failures import CannotRun
from services.devstack.embedded.ports import free_ports
from services.devstack.supervisor.options import SERVICES, prepare_run


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRUMBEAT_DATA_DIR", str(tmp_path / "data"))
    for name, port in zip(SERVICES, free_ports(len(SERVICES)), strict=True):
        monkeypatch.setenv(f"DRUMBEAT_{name.upper()}__PORT", str(port))
    return tmp_path / "data"


def test_the_error_about_a_port_in_use_names_the_port_the_service_and_the_setting(environment: Path) -> None:
    port = int(os.environ["DRUMBEAT_SCHEDULER__PORT"])
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(CannotRun, match=rf"Port {port} .*scheduler.*DRUMBEAT_SCHEDULER__PORT"),
    ):
        prepare_run()


def test_the_addresses_of_an_earlier_run_do_not_count_as_settings(environment: Path) -> None:
    environment.mkdir()
    left = {"kafka": {"bootstrap_servers": "127.0.0.1:1"}, "database": {"url": "postgresql://x@y/"}}
    (environment / "addresses.json").write_text(json.dumps(left))
    settings = prepare_run().settings
    assert settings.kafka.bootstrap_servers is None
    assert settings.database.url is None


def test_the_ports_of_the_previous_run_are_used_again(environment: Path) -> None:
    kafka, postgres, smtp = free_ports(3)
    environment.mkdir()
    left = {"ports": {"kafka": kafka, "postgres": postgres, "smtp": smtp}}
    (environment / "addresses.json").write_text(json.dumps(left))
    ports = prepare_run().ports
    assert (ports.kafka, ports.postgres, ports.smtp) == (kafka, postgres, smtp)
