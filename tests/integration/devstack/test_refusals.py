"""`drumbeat run` that cannot run: one sentence, no traceback, an exit code."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from services.devstack.embedded.ports import free_ports
from services.devstack.supervisor.folder import DataFolder

pytestmark = pytest.mark.integration
SERVICES = ("CONSOLE", "RULES_ENGINE", "SCHEDULER", "NOTIFIER")


def run(data_dir: Path, **settings: str) -> tuple[int, str]:
    ports = {f"DRUMBEAT_{name}__PORT": str(port) for name, port in zip(SERVICES, free_ports(4), strict=True)}
    ended = subprocess.run(
        [sys.executable, "-m", "services.devstack.supervisor"],
        env={**os.environ, **ports, "DRUMBEAT_DATA_DIR": str(data_dir), **settings},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith("drumbeat: ")
    return ended.returncode, ended.stderr


def test_the_error_about_a_port_in_use_names_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        code, message = run(tmp_path / "data", DRUMBEAT_NOTIFIER__PORT=port)
    assert code == 1
    assert f"Port {port}" in message
    assert "DRUMBEAT_NOTIFIER__PORT" in message


def test_the_error_about_a_data_directory_that_cannot_be_written_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, message = run(tmp_path / "file" / "data")
    assert code == 1
    assert "file/data cannot be written" in message


def test_a_second_run_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    locked = DataFolder(tmp_path).lock()
    code, message = run(tmp_path)
    assert code == 1
    assert f"already runs on the data directory {locked.path}" in message


def test_invalid_settings_are_wrong_use(tmp_path: Path) -> None:
    code, message = run(tmp_path / "data", DRUMBEAT_CLOCK__RATE="fast")
    assert code == 2
    assert "DRUMBEAT_CLOCK__RATE" in message


def test_a_broken_policy_is_refused_with_its_place_before_anything_starts(tmp_path: Path) -> None:
    """A10."""
    policy = tmp_path / "mine.yaml"
    policy.write_text("rhythms:\n  - rule: a\n   every: 7d\n")
    code, message = run(tmp_path / "data", DRUMBEAT_POLICY=str(policy))
    assert code == 1
    assert f"{policy}:3:" in message
    assert not (tmp_path / "data").exists(), "neither Kafka nor PostgreSQL was started"


def test_the_error_about_a_database_that_does_not_answer_hides_its_password(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    code, message = run(
        tmp_path / "data",
        DRUMBEAT_DATABASE__URL=f"postgresql://ann:secret@127.0.0.1:{port}/x",
        DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1",
    )
    assert code == 1
    assert f"postgresql://ann@127.0.0.1:{port}/x could not be prepared" in message
    assert "secret" not in message
