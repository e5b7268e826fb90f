"""The web server of a service: its port is bound before anything else, and signals stay with the service."""

import asyncio
import contextlib
import socket
from collections.abc import Generator

import uvicorn

from services.chassis.loops import wait_for_event
from services.chassis.settings import CannotStart, Http

DATE_SECONDS = 1.0  # between two changes of the header `Date`


class CannotListen(CannotStart):
    """The port cannot be bound; the message says which, why, and what to do."""


@contextlib.contextmanager
def listening(http: Http, variable: str) -> Generator[socket.socket]:
    """Bind the port, which `variable` sets, before any work begins. Raises `CannotListen`."""
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((http.host, http.port))
    except OSError as problem:
        listener.close()
        raise CannotListen(
            f"port {http.port} on {http.host} cannot be used ({problem.strerror}). Stop what uses it, or set"
            f" {variable} to a free one."
        ) from problem
    with listener:
        yield listener


class Server(uvicorn.Server):
    """uvicorn without its signal handlers, and told when to end instead of looking ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End the requests under way, then the server."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # 0: it sets the time of the responses' headers
            await wait_for_event(self._stopped, DATE_SECONDS)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
