"""The web server of a service: its port is bound before anything else, and signals stay with the service."""

import contextlib
import socket
from collections.abc import Generator

import uvicorn

from services.chassis.settings import CannotStart, Http


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
    """uvicorn without its signal handlers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
