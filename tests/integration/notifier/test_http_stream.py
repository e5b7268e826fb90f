"""The stream skips nothing: neither while transactions overtake each other nor over a reconnection."""

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.chassis.clock import real_now
from services.chassis.database import Database
from services.chassis.http_server import Server
from services.chassis.keys import ApiKey, KeyRing, digest, new_secret
from services.chassis.web import Chassis, make_app
from services.notifier.adapters.queries import Queries
from services.notifier.domain.subscription import TYPES
from services.notifier.entrypoints.http_stream import BATCH, WakeSignal, stream_events, stream_routes
from tests.conftest import PATIENCE
from tests.integration.notifier.conftest import NOON, Notifier, SetClock
from tests.stack import until

pytestmark = pytest.mark.integration

ADD = """
INSERT INTO feed (key, event_id, type, said_at, account_id, data)
VALUES (gen_random_uuid(), $1, 'drumbeat.touchpoint.due.v1', now(), 'acme', '{}')
"""


async def ids_after(queries: Queries, position: tuple[int, int]) -> list[str]:
    return [item.event_id for item in await queries.stream(position, sorted(TYPES), 100)]


async def test_an_event_that_commits_late_is_not_skipped(database: Database) -> None:
    queries = Queries(database)
    start = await queries.stream_end()
    async with database.pool.acquire() as slow:
        begun = slow.transaction()
        await begun.start()
        await slow.execute(ADD, "slow")
        await database.pool.execute(ADD, "quick")

        assert await ids_after(queries, start) == []
        await begun.commit()

    assert await ids_after(queries, start) == ["slow", "quick"]


async def test_the_stream_resumes_after_the_last_id(notifier: Notifier) -> None:
    queries = Queries(notifier.database)
    position = await queries.stream_end()
    for number in range(3):
        await notifier.due(touchpoint_id=f"00000000-0000-4000-8000-00000000000{number}")

    first, *rest = await queries.stream(position, sorted(TYPES), 100)
    resumed = await queries.stream((first.xid, first.seq), sorted(TYPES), 100)

    assert resumed == rest
    assert len(rest) == 2


EDGES = (10, 100, 1_000, 10_000)
"""Transaction ids at which one more digit begins. The database reaches the last one in half a second."""
ADD_AT = """
INSERT INTO feed (key, event_id, type, said_at, account_id, data, xid)
SELECT gen_random_uuid(), xid || '/' || ordinality, 'drumbeat.touchpoint.due.v1', now(), 'acme', '{}', xid::text::xid8
FROM unnest($1::bigint[]) WITH ORDINALITY AS u(xid)
"""
USE_IDS = """
DO $$ BEGIN
    WHILE pg_current_xact_id()::text::bigint <= %d LOOP COMMIT; END LOOP;
END $$
"""


async def read_by(queries: Queries, most: int) -> Sequence[tuple[int, int]]:
    """The whole stream by a reader who connects again after every `most` events."""
    position, seen = (0, 0), list[tuple[int, int]]()
    while items := await queries.stream(position, sorted(TYPES), most):
        seen += [(item.xid, item.seq) for item in items]
        position = seen[-1]
    return seen


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    around=st.lists(st.tuples(st.sampled_from(EDGES), st.integers(-3, 3)), min_size=1, max_size=40),
    most=st.integers(1, 7),
)
async def test_a_reader_who_reconnects_anywhere_gets_each_event_once_in_order_over_every_digit_edge(
    database: Database, around: list[tuple[int, int]], most: int
) -> None:
    """A13(a): the order is that of the numbers, not of their text, which goes back from 999 to 1000."""
    await database.pool.execute(USE_IDS % (EDGES[-1] + 3))
    await database.pool.execute("TRUNCATE feed")
    ids = [edge + offset for edge, offset in around]
    await database.pool.execute(ADD_AT, ids)
    queries = Queries(database)

    seen = await read_by(queries, most)

    assert sorted(xid for xid, _ in seen) == sorted(ids)
    assert all(before < after for before, after in pairwise(seen))
    for number, position in enumerate(seen):
        rest = await queries.stream(position, sorted(TYPES), len(ids))
        assert [(item.xid, item.seq) for item in rest] == seen[number + 1 :]


async def test_a_client_gets_frames_of_the_types_it_asks_for(notifier: Notifier) -> None:
    queries = Queries(notifier.database)
    end, types = await queries.stream_end(), ["drumbeat.touchpoint.due.v1"]
    frames = stream_events(queries, WakeSignal(), end, types, is_allowed=lambda: True)
    assert (await anext(frames)).startswith(b":")

    await notifier.consume(notifier.touchpoint("scheduled", status="planned", sequence=1))
    await notifier.due()

    async with asyncio.timeout(5 * PATIENCE):
        frame = await anext(frames)
    await frames.aclose()
    position, event, data = frame.decode().strip().split("\n")
    assert position.startswith("id: ")
    assert event == "event: drumbeat.touchpoint.due.v1"
    assert '"touchpoint_type":"tips"' in data


@asynccontextmanager
async def served(database: Database, keys: KeyRing) -> AsyncGenerator[str]:
    """The stream on a socket; yields its address."""

    async def ready() -> None:
        return None

    app = make_app(Chassis("notifier", SetClock(NOON, NOON, 1.0), keys, ready), title="notifier")
    app.include_router(stream_routes(Queries(database), WakeSignal()))
    server = Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1/stream"
        finally:
            server.stop()
            await serving


@pytest.mark.parametrize("is_revoked", [True, False])
async def test_an_open_stream_ends_when_its_key_is_revoked_or_expires(
    database: Database, *, is_revoked: bool
) -> None:
    keys, (key_id, secret) = KeyRing(), new_secret()
    key = ApiKey(key_id, digest(secret), frozenset({"read"}))
    keys.learn(key)
    headers = {"Authorization": f"Bearer {secret}"}
    async with (
        served(database, keys) as url,
        httpx.AsyncClient(headers=headers, timeout=5) as client,
        client.stream("GET", url) as answer,
    ):
        lines = answer.aiter_lines()
        assert await anext(lines) == ": stream opened"
        ended = replace(key, revoked=True) if is_revoked else replace(key, expires_at=real_now())
        keys.learn(ended)
        rest = [line async for line in lines]  # the connection would else stay open until the timeout

        assert ": the key is not valid any more" in rest
        assert (await client.get(url)).status_code == 401


def leave_stream(url: str, secret: str, *, after: bytes, resets: bool) -> None:
    """Open the stream from its beginning, read to `after` and leave: as a page that is closed, or with a reset.

    In a thread of its own, so that it leaves while the server writes.
    """
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), 30) as connection:
        headers = f"Host: x\r\nLast-Event-ID: 0-0\r\nAuthorization: Bearer {secret}\r\n\r\n"
        connection.sendall(f"GET {address.path} HTTP/1.1\r\n{headers}".encode())
        answer = b""
        while after not in answer:
            answer += (read := connection.recv(300))
            assert read, answer[-300:]
        if resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def test_a_client_that_leaves_a_stream_is_no_error(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Issue 11, A13 c: while the answer begins, while events are written to it, and when it has them all."""
    keys, (key_id, secret) = KeyRing(), new_secret()
    keys.learn(ApiKey(key_id, digest(secret), frozenset({"read"})))
    await database.pool.executemany(ADD, [(f"{number:04}",) for number in range(BATCH)])
    *_, newest = await Queries(database).stream((0, 0), sorted(TYPES), BATCH)
    last = f"id: {newest.xid}-{newest.seq}\n".encode()
    caplog.set_level(logging.INFO)
    async with served(database, keys) as url:
        async with httpx.AsyncClient(timeout=30) as client:
            assert (await client.get(url)).status_code == 401  # the server has started
        before = asyncio.all_tasks()
        with capture_logs() as lines:
            for number, after in enumerate((b": stream opened", b"id: ", last) * 10):
                await asyncio.to_thread(leave_stream, url, secret, after=after, resets=number % 2 == 0)
            await until(lambda: not asyncio.all_tasks() - before, 30, "every stream has ended")
    assert lines == []
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize("last", ["x", "1", "1-2-3", "99999999999999999999-1"])
async def test_an_id_of_another_stream_is_refused(notifier: Notifier, last: str) -> None:
    answer = await notifier.http.get("/v1/stream", headers={"Last-Event-ID": last})

    assert answer.status_code == 422


async def test_unknown_types_are_refused(notifier: Notifier) -> None:
    assert (await notifier.http.get("/v1/stream", params={"types": "gossip"})).status_code == 422


async def test_every_call_but_the_signed_link_needs_a_key(notifier: Notifier) -> None:
    for path in (
        "/v1/subscriptions",
        "/v1/deliveries",
        "/v1/inbox?csm_id=carl",
        "/v1/stream",
        "/v1/contacts/ann/preferences",
    ):
        answer = await notifier.http.get(path, headers={"Authorization": "Bearer wrong"})
        assert answer.status_code == 401, path
