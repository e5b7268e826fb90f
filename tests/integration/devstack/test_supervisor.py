"""`drumbeat run`: ready soon, every process kept running, stopped completely, continued after a crash."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from services.chassis.database import database_url
from services.chassis.schema_versions import DATABASES
from services.devstack.embedded.ports import free_ports
from services.devstack.embedded.processes import scratch
from tests.conftest import PATIENCE

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(300)]
SERVICES = ("console", "rules_engine", "scheduler", "notifier")
COMMANDS = tuple(f"-m services.{name} serve" for name in SERVICES)


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    ports = zip(SERVICES, free_ports(len(SERVICES)), strict=True)
    return {f"DRUMBEAT_{name.upper()}__PORT": str(port) for name, port in ports}


@pytest.fixture(scope="module")
def data_dir() -> Generator[Path]:
    top = scratch()
    yield top / "data"
    shutil.rmtree(top)


@contextmanager
def running(
    data_dir: Path, settings: dict[str, str], line: bytes = b"Drumbeat is ready"
) -> Generator[subprocess.Popen[bytes]]:
    """`line`: what it has printed when the context is entered."""
    data_dir.mkdir(exist_ok=True)
    with (data_dir / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.devstack.supervisor"],
            env={**os.environ, **settings, "DRUMBEAT_DATA_DIR": str(data_dir)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: line in (data_dir / "output").read_bytes(), 120)
        yield process
    finally:
        process.kill()
        process.wait()


def until(holds: Callable[[], object], seconds: float) -> None:
    """Wait until it holds; fail after so long on a quiet machine."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE * seconds, "not within the time"
        time.sleep(0.05)


def process_tree(data_dir: Path) -> dict[int, str]:
    """Every process that carries the data directory in its environment or command line."""
    processes: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            traces = (folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(data_dir).encode() in traces:
            processes[int(folder.name)] = traces.replace(b"\0", b" ").decode(errors="replace")
    return processes


def pid_of(data_dir: Path, words: str) -> int | None:
    return next(
        (pid for pid, traces in process_tree(data_dir).items() if words in traces.split(" DRUMBEAT")[0]), None
    )


def answers(settings: dict[str, str], service: str) -> bool:
    port = settings[f"DRUMBEAT_{service.upper()}__PORT"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


async def halt_partition(url: str) -> None:
    connection = await asyncpg.connect(database_url(url, DATABASES["scheduler"]))
    await connection.execute(
        "UPDATE consumer_offset SET halted = 'for a test' WHERE topic = 'touchpoint.commands' AND part = 0"
    )
    await connection.close()


def test_every_killed_process_is_started_again_and_a_killed_run_leaves_none_and_the_next_continues(
    data_dir: Path, settings: dict[str, str]
) -> None:
    with running(data_dir, settings) as first:
        addresses = json.loads((data_dir / "addresses.json").read_bytes())
        key = (data_dir / "api-key").read_text()
        until((data_dir / "sample-fed").exists, 60)
        for words in (
            "embedded.smtp",
            "embedded.smtp",
            "kafka.Kafka",
            *COMMANDS,
        ):  # one of them twice in a row
            pid = pid_of(data_dir, words)
            assert pid is not None, words
            os.kill(pid, signal.SIGKILL)
            until(lambda gone=pid, words=words: pid_of(data_dir, words) not in (None, gone), 5)
        for name in SERVICES:
            until(lambda name=name: answers(settings, name), 40)
        asyncio.run(halt_partition(addresses["database"]["url"]))
        sample_posted_at = (data_dir / "logs" / "sample.log").stat().st_mtime_ns
        first.kill()
        first.wait()
        until(lambda: not process_tree(data_dir), 10)
    with running(data_dir, settings) as second:
        reported = b"scheduler: the partition touchpoint.commands/0 is halted (for a test): the log of scheduler says why"
        until(lambda: reported in (data_dir / "output").read_bytes(), 20)
        assert json.loads((data_dir / "addresses.json").read_bytes()) == addresses
        assert (data_dir / "api-key").read_text() == key
        assert (data_dir / "logs" / "sample.log").stat().st_mtime_ns == sample_posted_at
        second.send_signal(signal.SIGINT)
        assert second.wait(120) == 0
        assert process_tree(data_dir) == {}
    with running(data_dir, settings, b"Starting Drumbeat") as third:
        third.terminate()
        assert third.wait(120) == 0, "also before it is ready"
        assert process_tree(data_dir) == {}
