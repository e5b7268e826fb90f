"""The network between machines: late, in order, silent while it is cut, and reset when it is told to."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import pytest

from tests.faults.network import Network, Quality

SLOW = Quality(delay_seconds=0.03, jitter_seconds=0.02, loss=0.0)
LOSSY = Quality(delay_seconds=0.0, jitter_seconds=0.01, loss=0.3, resend_seconds=(0.01, 0.02))
PERFECT = Quality(delay_seconds=0.0, jitter_seconds=0.0, loss=0.0)


@contextlib.asynccontextmanager
async def echo() -> AsyncGenerator[int]:
    """The port of a server that sends everything back, and closes when its client does."""
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with contextlib.suppress(OSError):
            while content := await reader.read(1000):
                writer.write(content)
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1")
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*filter(None, serving))


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"hello")
    return await reader.readexactly(5) == b"hello"


async def test_what_is_sent_arrives_late_by_the_delay_of_both_ways() -> None:
    async with echo() as target:
        with Network(SLOW) as network:
            async with connected(network.port("a", "b", target)) as (reader, writer):
                began = asyncio.get_running_loop().time()

                assert await answers(reader, writer)

                assert asyncio.get_running_loop().time() - began >= 2 * SLOW.delay_seconds


async def test_everything_arrives_once_and_in_order_though_pieces_are_lost() -> None:
    sent = b"".join(number.to_bytes(4, "big") for number in range(2000))
    async with echo() as target:
        with Network(LOSSY, seed=1) as network:
            async with connected(network.port("a", "b", target)) as (reader, writer):
                for at in range(0, len(sent), 100):
                    writer.write(sent[at : at + 100])
                    await asyncio.sleep(0)

                assert await reader.readexactly(len(sent)) == sent

            assert network.counts()["lost"] > 0


async def test_an_isolated_machine_is_silent_until_it_is_joined_again() -> None:
    async with echo() as target:
        with Network(PERFECT) as network:
            port, other = network.port("a", "b", target), network.port("a", "c", target)
            async with connected(port) as (reader, writer), connected(other) as (its_reader, its_writer):
                with network.isolated("b"):
                    writer.write(b"hello")
                    assert await answers(its_reader, its_writer)
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(reader.read(5), 0.2)

                assert await reader.readexactly(5) == b"hello"


async def test_a_machine_that_is_isolated_still_reaches_itself() -> None:
    async with echo() as target:
        with Network(PERFECT) as network:
            async with connected(network.port("b", "b", target)) as (reader, writer):
                with network.isolated("b"):
                    assert await answers(reader, writer)


async def test_a_reset_breaks_connections_and_new_ones_work() -> None:
    async with echo() as target:
        with Network(PERFECT) as network:
            port = network.port("a", "b", target)
            async with connected(port) as (reader, writer):
                assert await answers(reader, writer)

                network.reset(1.0)

                with pytest.raises(ConnectionResetError):
                    await reader.read(5)
            assert network.counts()["reset"] == 1
            async with connected(port) as (reader, writer):
                assert await answers(reader, writer)


async def test_a_machine_on_which_nothing_listens_refuses() -> None:
    async with echo() as target:
        pass
    with Network(PERFECT) as network, pytest.raises(ConnectionResetError):
        async with connected(network.port("a", "b", target)) as (reader, _):
            await reader.read(5)


async def test_the_end_of_a_connection_reaches_the_other_side() -> None:
    async with echo() as target:
        with Network(PERFECT) as network:
            async with connected(network.port("a", "b", target)) as (reader, writer):
                assert await answers(reader, writer)

                writer.write_eof()

                assert await reader.read(5) == b""
