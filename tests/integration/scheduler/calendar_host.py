"""A host of calendars on a real socket that answers as a test says, also badly."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HEAD = b"HTTP/1.1 "


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    """A whole answer, which ends the connection."""
    named = {"content-length": str(len(body)), "connection": "close", **headers}
    lines = [f"{name.replace('_', '-')}: {value}\r\n".encode() for name, value in named.items()]
    return HEAD + status.encode() + b"\r\n" + b"".join(lines) + b"\r\n" + body


def calendar(*events: Sequence[str]) -> bytes:
    """A calendar of these events, each given by its lines."""
    inner = [line for event in events for line in ("BEGIN:VEVENT", *event, "END:VEVENT")]
    return "\r\n".join(
        ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *inner, "END:VCALENDAR", "")
    ).encode()


@dataclass
class CalendarHost:
    """`says`: what it answers now; None: nothing, until the client gives up. `requests`: the heads that it received."""

    port: int = 0
    says: bytes | None = None
    requests: list[str] = field(default_factory=list[str])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/private-3f9a/basic.ics"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
            if self.says is None:
                await reader.read()
            else:
                writer.write(self.says)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def calendar_host() -> AsyncGenerator[CalendarHost]:
    host = CalendarHost()
    server = await asyncio.start_server(host.handle, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        server.close()
