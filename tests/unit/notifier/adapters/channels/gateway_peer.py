"""A gateway on a raw socket, which answers what the test says, or misbehaves."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.notifier.application.text_ports import TextMessage
from services.notifier.domain.delivery import Response

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
MESSAGE = TextMessage("11111111-1111-4111-8111-111111111111", "+4915112345678", "Hello Ann")


def http(status: int, body: bytes | str = b"", **headers: str) -> bytes:
    """A whole answer, after which the connection closes."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = [f"HTTP/1.1 {status} Because", f"content-length: {len(content)}", "connection: close", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


@dataclass
class Peer:
    """`mood`: `answer`, `silent` (reads and never answers), `close` (after the request), `deaf` (accepts, reads nothing),
    `drip` (a byte of the body now and then), `drip_head` (a byte of the head), or `endless` (a body without end).
    """

    answer: bytes = b""
    mood: str = "answer"
    requests: list[tuple[str, dict[str, str], str]] = field(
        default_factory=list[tuple[str, dict[str, str], str]]
    )
    connections: int = 0
    port: int = 0
    tasks: set["asyncio.Task[None] | None"] = field(default_factory=set["asyncio.Task[None] | None"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks.add(asyncio.current_task())
        try:
            if self.mood == "deaf":
                await asyncio.Event().wait()
            self.requests.append(await _read_request(reader))
            await self._respond(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _respond(self, writer: asyncio.StreamWriter) -> None:
        match self.mood:
            case "silent":
                await asyncio.Event().wait()
            case "close":
                return
            case "drip" | "drip_head":
                head = b"HTTP/1.1 201 Created\r\ncontent-length: 1000\r\n\r\n"
                writer.write(head if self.mood == "drip" else b"HTTP/1.1 ")
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            case "endless":
                writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
                while True:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
            case _:
                writer.write(self.answer)
                await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], str]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return first, headers, body.decode()


@asynccontextmanager
async def listening() -> AsyncGenerator[Peer]:
    peer = Peer()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for task in filter(None, peer.tasks):
            task.cancel()
        await asyncio.gather(*filter(None, peer.tasks), return_exceptions=True)


@dataclass
class Recorded:
    """A handover that notes what happens; `is_allowed`: whether the message may go."""

    is_allowed: bool = True
    began: int = 0
    ended: list[Response] = field(default_factory=list[Response])

    async def begin(self) -> bool:
        self.began += 1
        return self.is_allowed

    async def end(self, response: Response) -> None:
        self.ended.append(response)
