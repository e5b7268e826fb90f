"""Supervised processes start again every time, soon, and stay stopped after a stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services.devstack.embedded.processes import describe_end
from services.devstack.supervisor.child import LONGEST_PAUSE, Child, next_pause, rotate


def test_pauses_double_up_to_a_limit_below_five_seconds() -> None:
    pauses = [0.2]
    for _ in range(8):
        pauses.append(next_pause(pauses[-1], lived=0.1))
    assert pauses[:5] == [0.2, 0.4, 0.8, 1.6, LONGEST_PAUSE]
    assert max(pauses) < 5


def test_the_next_pause_is_short_again_after_a_long_life() -> None:
    assert next_pause(LONGEST_PAUSE, lived=60) == 0.2


def test_an_end_is_described_by_signal_or_exit_code() -> None:
    assert describe_end(3) == "exit code 3"
    assert describe_end(-signal.SIGKILL) == "SIGKILL"
    assert describe_end(-64) in ("signal 64", "SIGRTMAX")


def test_a_log_beyond_its_size_is_rotated(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"0123456789")
    rotate(log, largest=10)
    assert log.exists()
    rotate(log, largest=9)
    assert not log.exists()
    assert (tmp_path / "x.log.1").read_bytes() == b"0123456789"


async def test_a_killed_child_is_started_again_every_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    child = Child("sleeper", ["sleep", "60"], env={}, log=tmp_path / "log")
    child.start()
    seen: set[int] = set()
    for _ in range(3):
        pid = await another(child, seen)
        seen.add(pid)
        signal_to(pid, signal.SIGKILL)
    await another(child, seen)
    await child.stop(5)
    assert child.pid is None
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all("ended (SIGKILL); it starts again in " in line for line in lines)
    assert child.refusals == 0


async def test_a_child_that_exits_with_a_code_is_counted_as_a_refusal(tmp_path: Path) -> None:
    child = Child("refuser", [sys.executable, "-c", "raise SystemExit(1)"], env={}, log=tmp_path / "log")
    child.start()
    await eventually(lambda: child.refusals >= 2)
    await child.stop(5)
    assert child.pid is None


async def test_a_stopped_child_stays_stopped(tmp_path: Path) -> None:
    child = Child("sleeper", ["sleep", "60"], env={}, log=tmp_path / "log")
    child.start()
    await eventually(lambda: child.pid is not None)
    await child.stop(5)
    await asyncio.sleep(0.3)
    assert child.pid is None


async def another(child: Child, seen: set[int]) -> int:
    await eventually(lambda: child.pid is not None and child.pid not in seen)
    assert child.pid is not None
    return child.pid


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


def signal_to(pid: int, sent: signal.Signals) -> None:
    os.kill(pid, sent)
