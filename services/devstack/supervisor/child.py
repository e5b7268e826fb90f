"""What the supervisor keeps running: processes and embedded parts, started again within five seconds, every time."""

import asyncio
import contextlib
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.chassis.clock import monotonic
from services.devstack.embedded import processes
from services.devstack.embedded.failures import PartFailed
from services.devstack.embedded.kafka import EmbeddedKafka
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.devstack.embedded.processes import print_line

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0  # seconds before a restart
_STEADY_SECONDS = 10.0
_CHECK_SECONDS = 0.5
_LARGEST_LOG = 50 * 1024 * 1024  # bytes


def next_pause(pause: float, lived: float) -> float:
    """Seconds before the next start: doubled while starts fail, short again after a process lived long enough."""
    return FIRST_PAUSE if lived >= _STEADY_SECONDS else min(pause * 2, LONGEST_PAUSE)


class Child:
    """A process below the supervisor. `refusals` counts the times it ended by itself with an exit code."""

    def __init__(self, name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self.refusals = 0
        self._command = list(command)
        self._env = {"PYTHONUNBUFFERED": "1", **env}
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process is not None and running else None

    def start(self) -> None:
        """Start the process, and start it again whenever it ends."""
        self._keeper = asyncio.create_task(self._keep_running())

    async def stop(self, seconds: float) -> None:
        """SIGTERM, and SIGKILL after `seconds`; it is not started again."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._process is not None and not await processes.end(self._process, signal.SIGTERM, seconds):
            print_line(f"{self.name} did not stop within {seconds:.0f} s and was killed")

    async def _keep_running(self) -> None:
        pause = FIRST_PAUSE
        while True:
            rotate(self.log)
            began = monotonic()
            self._process = processes.spawn(self._command, log=self.log, env=self._env)
            await processes.until_exit(self._process, float("inf"))
            code = self._process.wait()
            self.refusals += 1 if code > 0 else 0
            print_line(
                f"{self.name} ended ({processes.describe_end(code)}); it starts again in {pause:.1f} s; see {self.log}"
            )
            await asyncio.sleep(pause)
            pause = next_pause(pause, monotonic() - began)


def rotate(log: Path, largest: int = _LARGEST_LOG) -> None:
    """Rename a log of more than `largest` bytes to `<name>.1`, so that a new one begins."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > largest:
            shutil.move(log, log.with_name(f"{log.name}.1"))


async def keep_part_running(name: str, part: EmbeddedKafka | EmbeddedPostgres) -> None:
    """Start `part` again at the same address whenever it ends, until cancelled."""
    pause = FIRST_PAUSE
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        if part.alive():
            pause = FIRST_PAUSE
            continue
        print_line(f"{name} ended ({part.end}); it starts again")
        try:
            await part.start()
        except PartFailed as failure:
            print_line(str(failure))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
