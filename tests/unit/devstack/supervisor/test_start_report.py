"""What a start finds, each problem in one sentence with its remedy (issue 11, A10)."""

import asyncio
import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from services.chassis.mail_settings import Email
from services.chassis.settings import EngineHttp, Http, Settings
from services.devstack import configuration_checks
from services.devstack.embedded.ports import free_ports
from services.devstack.supervisor.start_report import (
    problems_of_servers,
    problems_of_services,
    problems_of_settings,
)

KEY = "db_0123abcd_secret"
HALTED = "more than 100 dead letters among 1000 records before offset 700"


class NotReady(BaseHTTPRequestHandler):
    """A service that answers as `/readyz` of one with a halted partition does."""

    def do_GET(self) -> None:
        assert self.path == "/readyz"  # halted partitions are not ignored
        self.send_response(503)
        self.end_headers()
        answer = {"status": 503, "detail": "Not ready", "halted": {"account.signals/3": HALTED}}
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:
        """The test prints no requests."""


@pytest.fixture
def halted_service() -> Generator[int]:
    with HTTPServer(("127.0.0.1", 0), NotReady) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


def test_a_variable_without_effect_and_a_full_disk_are_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path)
    assert list(problems_of_settings(settings)) == []
    monkeypatch.setenv("DRUMBEAT_POLICI", "x")
    monkeypatch.setattr(configuration_checks, "_NEEDED_GB", 10_000_000)
    unknown, space = problems_of_settings(settings)
    assert "did you mean DRUMBEAT_POLICY" in unknown
    assert space.startswith("Only ")
    assert "free some space" in space


def test_a_relay_that_does_not_answer_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # no run has left addresses here
    (port,) = free_ports(1)
    settings = Settings(
        email=Email.model_validate({"host": "127.0.0.1", "port": port, "from": "a@x.example"})
    )
    (problem,) = asyncio.run(problems_of_servers(settings))
    assert f"127.0.0.1:{port}" in problem


def test_a_halted_partition_is_found_with_its_reason_and_its_remedy(
    halted_service: int, tmp_path: Path
) -> None:
    (tmp_path / "api-key").write_text(KEY)
    others = [
        Http(port=port) for port in free_ports(2)
    ]  # nothing answers there: no halted partition is known
    settings = Settings(
        data_dir=tmp_path,
        rules_engine=EngineHttp(port=halted_service),
        scheduler=others[0],
        notifier=others[1],
    )
    (problem,) = problems_of_services(settings)
    assert problem.startswith(f"rules_engine: the partition account.signals/3 is halted ({HALTED}): ")
    assert problem.endswith("see “Halted partitions” in docs/runbook.md")
