"""Child processes: which folders their user may enter, and how they end."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from services.chassis.clock import monotonic
from services.devstack.embedded.processes import RunAs, closed_parent, end, scratch, spawn, tail

NOBODY = RunAs("nobody", 65534, 65534)


def test_the_outermost_closed_folder_of_a_path_is_found() -> None:
    top = scratch()
    closed = top / "closed"
    (closed / "deeper").mkdir(parents=True)
    closed.chmod(0o700)
    (closed / "deeper").chmod(0o700)
    assert closed_parent(closed / "deeper" / "not-yet-there", NOBODY) == closed
    closed.chmod(0o711)
    (closed / "deeper").chmod(0o755)
    assert closed_parent(closed / "deeper" / "not-yet-there", NOBODY) is None


def test_an_ordinary_user_needs_no_open_parents(tmp_path: Path) -> None:
    assert closed_parent(tmp_path, None) is None


def test_the_last_lines_of_a_log_are_quoted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == "  (no log)"
    log.write_text("one\ntwo\nthree\n")
    assert tail(log, 2) == "  two\n  three"


async def test_a_child_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    stubborn = (
        "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('on', flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"
    child = spawn([sys.executable, "-c", stubborn], log=log)
    until(lambda: "on" in log.read_text())
    assert not await end(child, signal.SIGTERM, 0.2)
    assert child.returncode == -signal.SIGKILL


def test_children_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent_code = (
        "import sys,time; from pathlib import Path; from services.devstack.embedded.processes import spawn;"
        f"print(spawn(['sleep', '60'], log=Path({str(tmp_path / 'log')!r})).pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", parent_code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
    until(lambda: not is_running(pid))


def until(holds: Callable[[], bool]) -> None:
    deadline = monotonic() + 10
    while not holds():
        assert monotonic() < deadline


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
