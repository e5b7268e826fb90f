"""The stream skips nothing: neither while transactions overtake each other nor over a reconnection."""

import asyncio

import pytest

from services.chassis.database import Database
from services.notifier.adapters.queries import Queries
from services.notifier.domain.subscription import TYPES
from services.notifier.entrypoints.http_stream import WakeSignal, stream_events
from tests.integration.notifier.conftest import Notifier

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


async def test_a_client_gets_frames_of_the_types_it_asks_for(notifier: Notifier) -> None:
    queries = Queries(notifier.database)
    frames = stream_events(queries, WakeSignal(), await queries.stream_end(), ["drumbeat.touchpoint.due.v1"])
    assert (await anext(frames)).startswith(b":")

    await notifier.consume(notifier.touchpoint("scheduled", status="planned", sequence=1))
    await notifier.due()

    async with asyncio.timeout(5):
        frame = await anext(frames)
    await frames.aclose()
    position, event, data = frame.decode().strip().split("\n")
    assert position.startswith("id: ")
    assert event == "event: drumbeat.touchpoint.due.v1"
    assert '"touchpoint_type":"tips"' in data


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
