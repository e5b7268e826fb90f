"""Child processes that end with their parent, and the unprivileged user that some of them need."""

import asyncio
import contextlib
import ctypes
import importlib.util
import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.chassis.clock import monotonic
from services.devstack.embedded.failures import CannotRun

_PR_SET_PDEATHSIG = 1
_TICK = 0.02
_LONGEST_WAIT = 60.0


PrintLine = Callable[[str], None]


def print_line(line: str) -> None:
    """Print a line for the person at the terminal."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def package_folder(name: str, instead: str) -> Path:
    """The folder of an installed package of the extra. Raises `CannotRun`; `instead` is the setting that avoids it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotRun(f"The package {name} is missing: install `drumbeat[local]`, or set {instead}.")
    return Path(spec.origin).parent


@dataclass(frozen=True, slots=True)
class RunAs:
    """A user id and group id for a child that refuses to run as root."""

    name: str
    uid: int
    gid: int


def unprivileged() -> RunAs | None:
    """The user for a child that refuses root; None when this process is not root. Raises `CannotRun`."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise CannotRun(
            "PostgreSQL refuses to run as root, and the user `nobody` for it does not exist: "
            "start Drumbeat as an ordinary user, or set DRUMBEAT_DATABASE__URL to a PostgreSQL of your own."
        ) from None
    return RunAs(entry.pw_name, entry.pw_uid, entry.pw_gid)


def closed_parent(folder: Path, user: RunAs | None) -> Path | None:
    """The outermost existing folder of the path to `folder` that `user` may not enter, if any."""
    if user is None:
        return None
    for parent in reversed((folder, *folder.absolute().parents)):
        if parent.is_dir() and not _may_enter(parent.stat(), user):
            return parent
    return None


def _may_enter(folder: os.stat_result, user: RunAs) -> bool:
    if folder.st_uid == user.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == user.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def scratch(prefix: str = "drumbeat-") -> Path:
    """A new temporary folder that PostgreSQL's user can enter too."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    return folder


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    death_signal: signal.Signals = signal.SIGKILL,
    user: RunAs | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own; its output is appended to `log`, `env` to our environment.

    The kernel sends it `death_signal` when this process ends, however it ends.
    """
    environment = {**os.environ, **(env or {})}  # noqa: TID251 - passed on, not read
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=cwd,
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
            start_new_session=True,
            preexec_fn=_die_with_parent(death_signal),  # noqa: PLW1509 - after the change of user, which clears it
        )


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None  # not Linux: only an orderly stop ends the children

    parent = os.getpid()

    def set_death_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # it ended between the fork and this line
            os._exit(1)

    return set_death_signal


async def until_exit(child: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait until a child ends; False when it still runs after `seconds`."""
    deadline = monotonic() + seconds
    with _watched(child) as ended:
        while child.poll() is None:
            left = deadline - monotonic()
            if left <= 0:
                return False
            if ended is None or ended.done():
                await asyncio.sleep(min(left, _TICK))
            else:
                await asyncio.wait([ended], timeout=min(left, _LONGEST_WAIT))
    return True


@contextlib.contextmanager
def _watched(child: subprocess.Popen[bytes]) -> "Generator[asyncio.Future[None] | None]":
    """A future that is done when the child has ended; None where the kernel does not report that (before Linux 5.3)."""
    try:
        descriptor = os.pidfd_open(child.pid)
    except (AttributeError, OSError):
        yield None
        return
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def finish() -> None:
        loop.remove_reader(descriptor)
        ended.set_result(None)

    loop.add_reader(descriptor, finish)
    try:
        yield ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def end(child: subprocess.Popen[bytes], number: signal.Signals, seconds: float) -> bool:
    """Send a child a signal and kill it after `seconds`; True when the signal was enough."""
    if child.poll() is None:
        child.send_signal(number)
    if await until_exit(child, seconds):
        return True
    kill(child)
    return False


def describe_end(code: int) -> str:
    """How a process ended, for people: its exit code or the signal that ended it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def kill(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL, and wait until the process has ended."""
    if child.poll() is None:
        child.kill()
    child.wait()


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, indented, to be quoted in a message."""
    try:
        text = log.read_bytes()[-8000:].decode(errors="replace")
    except OSError:
        return "  (no log)"
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (its log is empty)"
