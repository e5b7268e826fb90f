"""A network between machines, of TCP proxies: what is sent arrives late, now and then later still, and connections break.

Above TCP a lost packet shows as a pause of everything behind it, until it has been sent again; a router that restarts as
a connection that is reset; a network that is cut in two as silence. All times are real ones.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from typing import Final, Self, TypeVar

Result = TypeVar("Result")

PIECE: Final = 65_536  # bytes that are read at once
MOST_UNDER_WAY: Final = 256  # pieces of one direction of a connection
CLOSE_SECONDS: Final = 1.0
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: what is unsent is dropped, and the other side gets a reset."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How a link carries what is sent over it, each way."""

    delay_seconds: float = 0.004
    jitter_seconds: float = 0.004  # up to so much more
    loss: float = 0.003  # the share of pieces that are sent again, and hold up what comes after them
    resend_seconds: tuple[float, float] = (0.2, 0.6)  # Linux waits for at least 0.2 s before it sends again

    def delay(self, dice: random.Random, counts: Counter[str]) -> float:
        """Of the next piece, in seconds."""
        late = self.delay_seconds + dice.uniform(0, self.jitter_seconds)
        if dice.random() < self.loss:
            counts["lost"] += 1
            late += dice.uniform(*self.resend_seconds)
        return late


@dataclass
class Link:
    """The way from one machine to another. What is sent while it is cut arrives after it was joined again."""

    quality: Quality
    dice: random.Random
    counts: Counter[str] = field(default_factory=Counter[str])
    """What happened on it: pieces carried and lost, connections opened and reset."""
    joined: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.Event] = field(default_factory=set[asyncio.Event])
    """One for each connection, set when it is to be reset."""

    def reset(self, share: float) -> None:
        """Reset so large a share of its connections; what is under way on them is lost."""
        for each in self._open:
            if self.dice.random() < share:
                each.set()

    async def serve(self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a connection to the port `target` of this host, until one side closes it or it is reset."""
        try:
            its_reader, its_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            _reset(writer)
            await _close(writer)
            return
        self.counts["opened"] += 1
        is_reset = asyncio.Event()
        self._open.add(is_reset)
        parts = [
            asyncio.create_task(part)
            for part in (self._carry(reader, its_writer), self._carry(its_reader, writer), is_reset.wait())
        ]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            await self.joined.wait()  # before that the other side does not hear of the end
        finally:
            self._open.discard(is_reset)
            for part in parts:
                part.cancel()
            if is_reset.is_set():
                self.counts["reset"] += 1
                _reset(writer, its_writer)
            for each in (writer, its_writer):
                await _close(each)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction, in order; ends with the connection."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MOST_UNDER_WAY)
        arriving = asyncio.create_task(self._arrive(under_way, writer))
        now = asyncio.get_running_loop().time
        try:
            while not arriving.done():
                content = await reader.read(PIECE)
                await under_way.put((now() + self.quality.delay(self.dice, self.counts), content))
                if not content:
                    break
            await arriving
        except OSError:
            pass
        finally:
            arriving.cancel()

    async def _arrive(
        self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        now = asyncio.get_running_loop().time
        while True:
            due, content = await under_way.get()
            await asyncio.sleep(max(0.0, due - now()))
            await self.joined.wait()
            if not content:
                return
            self.counts["carried"] += 1
            writer.write(content)
            await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    """Flush what has arrived, unless the other side does not take it."""
    writer.close()
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()


def _reset(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        with contextlib.suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()


class Network:
    """Links, carried by a thread of their own: a test that computes holds nothing up.

    Machines have names. A link is made when it is first asked for.
    """

    def __init__(self, quality: Quality, *, seed: int = 0) -> None:
        self._quality = quality
        self._dice = random.Random(seed)
        self._links: dict[tuple[str, str], Link] = {}
        self._servers: list[asyncio.Server] = []
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # in the end it cancels what is left
            runner.run(self._serve())

    async def _serve(self) -> None:
        await self._ending.wait()
        for server in self._servers:
            server.close()

    def port(self, source: str, destination: str, target: int) -> int:
        """A port at which the machine `source` reaches the port `target` of `destination`."""
        return self._do(self._listen(self._link(source, destination), target))

    @contextlib.contextmanager
    def isolated(self, machine: str) -> Generator[None]:
        """Nothing reaches the machine, and it reaches no other; no connection ends for that."""
        cut = [link for ends, link in self._links.items() if machine in ends and ends[0] != ends[1]]
        for link in cut:
            self._loop.call_soon_threadsafe(link.joined.clear)
        try:
            yield
        finally:
            for link in cut:
                self._loop.call_soon_threadsafe(link.joined.set)

    def reset(self, share: float) -> None:
        """Reset so large a share of all connections."""
        for link in list(self._links.values()):
            self._loop.call_soon_threadsafe(link.reset, share)

    def counts(self) -> Counter[str]:
        """Of all links together."""
        return sum((link.counts for link in self._links.values()), Counter[str]())

    def _link(self, source: str, destination: str) -> Link:
        if (source, destination) not in self._links:
            link = Link(self._quality, random.Random(self._dice.random()))
            link.joined.set()
            self._links[source, destination] = link
        return self._links[source, destination]

    async def _listen(self, link: Link, target: int) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.CancelledError):  # the network ends
                await link.serve(target, reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1")
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def _do(self, what: Coroutine[object, object, Result]) -> Result:
        """The result of what the thread does."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()
