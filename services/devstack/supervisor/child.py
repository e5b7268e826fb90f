"""One supervised process: started again whenever it ends, sooner than five seconds later, every time."""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.chassis.clock import monotonic
from services.devstack.embedded import processes

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0
_STEADY_SECONDS = 10.0
_MOST_LOG_BYTES = 50 * 1024 * 1024

Tell = Callable[[str], None]


def tell(line: str) -> None:
    """A line for the person at the terminal."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def next_pause(pause: float, lived: float) -> float:
    """Seconds to wait before the next start: doubling while starts fail, short again after a steady life."""
    return FIRST_PAUSE if lived >= _STEADY_SECONDS else min(pause * 2, LONGEST_PAUSE)


def manner(code: int) -> str:
    """How a process ended, for people: its exit code or the signal that ended it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


class Child:
    """A process below the supervisor. `refusals` counts starts it ended by itself with an exit code."""

    def __init__(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path, say: Tell = tell
    ) -> None:
        self.name = name
        self.log = log
        self.refusals = 0
        self._command = list(command)
        self._env = {"PYTHONUNBUFFERED": "1", **env}
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process is not None and running else None

    def start(self) -> None:
        """Begin to keep the process running."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self, seconds: float) -> None:
        """SIGTERM, and SIGKILL after `seconds`; it is not started again."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._process is not None and not await processes.end(self._process, signal.SIGTERM, seconds):
            self._say(f"{self.name} did not stop within {seconds:.0f} s and was killed")

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            trim(self.log)
            began = monotonic()
            self._process = processes.spawn(self._command, log=self.log, env=self._env)
            await processes.until_exit(self._process, float("inf"))
            code = self._process.wait()
            self.refusals += 1 if code > 0 else 0
            self._say(
                f"{self.name} ended ({manner(code)}), starting it again in {pause:.1f} s; see {self.log}"
            )
            await asyncio.sleep(pause)
            pause = next_pause(pause, monotonic() - began)


def trim(log: Path, most: int = _MOST_LOG_BYTES) -> None:
    """Keep a log from growing for ever: beyond `most` bytes it becomes `<name>.1` and begins anew."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > most:
            shutil.move(log, log.with_name(f"{log.name}.1"))
