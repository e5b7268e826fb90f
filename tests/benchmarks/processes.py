"""A web application of a benchmark in a process of its own, as uvicorn runs the services."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from services.devstack.embedded import processes
from tests.stack import ROOT, free_port, until


@asynccontextmanager
async def serving(app: str, folder: Path, **environment: str) -> AsyncGenerator[tuple[str, int]]:
    """Serve `module:app`; answers its address and its process id."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        app,
        "--port",
        str(port),
        "--loop",
        "uvloop",
        "--http",
        "httptools",
    ]
    child = processes.spawn(
        [*command, "--no-access-log", "--log-level", "warning"],
        log=folder / "peer.log",
        env=environment,
        cwd=str(ROOT),
    )
    try:
        await until(lambda: _listens(child, port), 30, f"{app} listens; its log: {folder / 'peer.log'}")
        yield f"http://127.0.0.1:{port}", child.pid
    finally:
        await asyncio.to_thread(processes.kill, child)


def _listens(child: "subprocess.Popen[bytes]", port: int) -> bool:
    assert child.poll() is None, "the peer ended"
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
