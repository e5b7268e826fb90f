"""The live stream: server-sent events that a client can resume without a gap."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Annotated, cast

import orjson
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import StreamingResponse

from services.chassis.clock import real_now
from services.chassis.database import INFRASTRUCTURE
from services.chassis.keys import ApiKey
from services.chassis.outages import OUTAGES
from services.chassis.problems import Problem
from services.chassis.web import Chassis, require
from services.notifier.application.read_models import Queries, StreamItem
from services.notifier.entrypoints.http_subscriptions import check_types

KEEP_ALIVE_SECONDS = 15.0  # real time between comments, so that proxies keep the connection
POLL_SECONDS = 0.25
BATCH = 500
POSITION = re.compile(r"(\d{1,19})-(\d{1,19})")


class WakeSignal:
    """Wakes every open stream of this process."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def send(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for the next signal, at most so many real seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return


def stream_routes(queries: Queries, signal: WakeSignal) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["stream"])

    @router.get(
        "/stream",
        summary="Touchpoint events as they arrive (text/event-stream)",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def stream(
        request: Request,
        key: Annotated[ApiKey, require("read")],
        types: Annotated[
            str | None, Query(max_length=1000, description="event types, separated by commas; absent: all")
        ] = None,
        last_event_id: Annotated[str | None, Header(max_length=50)] = None,
    ) -> StreamingResponse:
        """Ends within two seconds when its key is revoked or expires; a reader that connects again gets 401."""
        keys = cast("Chassis", request.app.state.chassis).keys
        wanted = check_types(name.strip() for name in (types or "").split(",") if name.strip())
        position = _position(last_event_id) if last_event_id else await queries.stream_end()
        return StreamingResponse(
            stream_events(
                queries,
                signal,
                position,
                wanted,
                is_allowed=lambda: keys.still_allows(key.key_id, "read", real_now()),
            ),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


def _position(last_event_id: str) -> tuple[int, int]:
    match = POSITION.fullmatch(last_event_id.strip())
    position = (int(match[1]), int(match[2])) if match else (-1, 0)
    if not (0 <= position[0] < 2**63 and position[1] < 2**63):
        raise Problem(422, "Last-Event-ID: not an id of this stream. Leave it out to begin with new events.")
    return position


async def stream_events(
    queries: Queries,
    signal: WakeSignal,
    position: tuple[int, int],
    types: list[str],
    *,
    is_allowed: Callable[[], bool],
) -> AsyncGenerator[bytes]:
    """The frames of the stream from this position on, for as long as the reader is allowed to read."""
    yield b": stream opened\n\n"
    quiet_seconds = 0.0
    while is_allowed():
        items: Sequence[StreamItem] = ()
        try:
            items = await queries.stream(position, types, BATCH)
        except INFRASTRUCTURE as problem:  # the stream waits: a reader that came back would find the same
            OUTAGES.report("requests", problem)
        if items:
            position = (items[-1].xid, items[-1].seq)
            # In one piece: the server notices that a client left between two writes that something is awaited between.
            yield b"".join(map(_frame, items))
        if len(items) == BATCH:
            continue
        quiet_seconds = 0.0 if items else quiet_seconds + POLL_SECONDS
        if quiet_seconds >= KEEP_ALIVE_SECONDS:
            quiet_seconds = 0.0
            yield b": keep-alive\n\n"
        await signal.wait(POLL_SECONDS)
    yield b": the key is not valid any more\n\n"


def _frame(item: StreamItem) -> bytes:
    data = item.data
    if b"\n" in data or b"\r" in data:  # a line break would end the field
        data = orjson.dumps(orjson.loads(data))
    return b"id: %d-%d\nevent: %b\ndata: %b\n\n" % (item.xid, item.seq, item.type.encode(), data)
