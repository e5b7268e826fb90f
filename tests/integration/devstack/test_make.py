"""`make run` that cannot begin: one sentence with the remedy, and an exit code (A10). The real Makefile runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.devstack.embedded.ports import free_port

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without an environment, whose one package does not exist."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    digest = "0" * 64
    (tmp_path / "requirements-local.txt").write_text(f"drumbeat-nowhere==1.0 --hash=sha256:{digest}\n")
    (tmp_path / "services/devstack/embedded").mkdir(parents=True)
    (tmp_path / "services/devstack/embedded/kafka.lock").touch()
    return tmp_path


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def make_run(checkout: Path, *arguments: str, **environment: str) -> str:
    """The message of a `make run` that fails, without the line that make adds."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHON", "MAKEFLAGS"}}
    ended = subprocess.run(
        ["make", "run", *arguments],
        cwd=checkout,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    return "\n".join(line for line in ended.stderr.splitlines() if not line.startswith("make"))


def test_a_python_that_does_not_exist_is_named(checkout: Path) -> None:
    message = make_run(checkout, "PYTHON=/nowhere/python")
    assert message.startswith("PYTHON=/nowhere/python is no program: name a Python 3.11 or later")
    assert len(message.splitlines()) == 1
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_too_old_is_named_with_its_version(checkout: Path) -> None:
    old = program(checkout / "old", 'test "$1" = --version && echo "Python 3.9.2" && exit 0; exit 1')
    message = make_run(checkout, f"PYTHON={old}")
    assert message == (
        f"PYTHON={old} is not Python 3.11 or later but Python 3.9.2: name one that is, or leave PYTHON out"
    )
    program(checkout / ".venv/bin/python", f'exec {sys.executable} "$@"')
    assert make_run(checkout, f"PYTHON={old}") == message, "also when an environment is there"


def test_a_machine_whose_pythons_are_all_too_old_is_told_what_it_needs(checkout: Path) -> None:
    tools = checkout / "tools"
    for name in ("python3", "python3.13", "python3.12", "python3.11"):
        program(tools / name, 'test "$1" = --version && echo "Python 3.9.2" && exit 0; exit 1')
    message = make_run(checkout, PATH=f"{tools}:/usr/bin:/bin")
    assert message == (
        "Drumbeat needs Python 3.11 or later and found none (Python 3.9.2): install one, or name it with"
        " make PYTHON=/path/to/python"
    )


def test_an_environment_whose_python_is_too_old_is_to_be_deleted(checkout: Path) -> None:
    program(checkout / ".venv/bin/python", "exit 1")
    message = make_run(checkout, f"PYTHON={sys.executable}")
    assert message == (
        "The environment in .venv has no Python 3.11 or later any more: delete it with make clean, then start again"
    )


def test_a_first_run_without_a_package_registry_ends_with_the_remedy(checkout: Path) -> None:
    program(checkout / ".venv/bin/python", f'exec {sys.executable} "$@"')
    nobody = f"http://127.0.0.1:{free_port()}/simple"
    message = make_run(
        checkout,
        f"PYTHON={sys.executable}",
        PIP_INDEX_URL=nobody,
        PIP_RETRIES="0",
        PIP_CONFIG_FILE=os.devnull,
    )
    assert message.splitlines()[-1] == (
        "The packages cannot be installed (the reason is above): the first start needs a network; check the"
        " connection, or name a mirror with PIP_INDEX_URL, and try again"
    )


def test_a_first_run_without_a_registry_of_jars_ends_with_the_remedy(checkout: Path) -> None:
    program(checkout / ".venv/bin/python", f'exec {sys.executable} "$@"')
    (checkout / ".venv/.installed-run").touch()
    (checkout / ".jgorc").write_text(f"[repositories]\ncentral = http://127.0.0.1:{free_port()}/maven2\n")
    # The real program, but none of its data: the checkout has only a lock.
    shutil.rmtree(checkout / "services")
    (checkout / "services").symlink_to(ROOT / "services")
    message = make_run(
        checkout,
        f"PYTHON={sys.executable}",
        HOME=str(checkout),
        PYTHONPATH=str(ROOT),
        PYTHONDONTWRITEBYTECODE="1",
    )
    assert message.startswith("drumbeat: Apache Kafka's jars cannot be downloaded: ")
    assert "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS" in message
    assert len(message.splitlines()) == 1
