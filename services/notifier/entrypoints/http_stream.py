"""The live stream: server-sent events that can be resumed without a gap."""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Query
from starlette.responses import StreamingResponse

from services.chassis.problems import Problem
from services.chassis.web import require
from services.notifier.application.read_models import Reading, Told
from services.notifier.domain.subscription import TYPES

KEEP_ALIVE = 15.0  # real seconds between comments, so that proxies keep the connection
POLL = 0.25
BATCH = 500
PLACE = re.compile(r"(\d{1,19})-(\d{1,19})")


class Bell:
    """Rings in every open stream of this process."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return


def stream_routes(reading: Reading, bell: Bell) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["stream"])

    @router.get(
        "/stream",
        dependencies=[require("read")],
        summary="Touchpoint events as they come (text/event-stream)",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def stream(
        types: Annotated[
            str | None, Query(max_length=1000, description="comma-separated; absent: all")
        ] = None,
        last_event_id: Annotated[str | None, Header(max_length=50)] = None,
    ) -> StreamingResponse:
        wanted = _wanted(types)
        place = _place(last_event_id) if last_event_id else await reading.stream_now()
        return StreamingResponse(
            events(reading, bell, place, wanted),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


def _wanted(types: str | None) -> list[str]:
    named = [each.strip() for each in (types or "").split(",") if each.strip()]
    unknown = [each for each in named if each not in TYPES]
    if unknown:
        raise Problem(422, f"types: {', '.join(unknown)[:200]} is not one of {', '.join(sorted(TYPES))}.")
    return named or sorted(TYPES)


def _place(last_event_id: str) -> tuple[int, int]:
    found = PLACE.fullmatch(last_event_id.strip())
    place = (int(found[1]), int(found[2])) if found else (-1, 0)
    if not (0 <= place[0] < 2**63 and place[1] < 2**63):
        raise Problem(422, "Last-Event-ID: not an id of this stream. Leave it out to begin now.")
    return place


async def events(
    reading: Reading, bell: Bell, place: tuple[int, int], types: list[str]
) -> AsyncGenerator[bytes]:
    yield b": the stream begins\n\n"
    quiet = 0.0
    while True:
        told = await reading.stream(place, types, BATCH)
        for each in told:
            place = (each.xid, each.seq)
            yield _frame(each)
        if len(told) == BATCH:
            continue
        quiet = 0.0 if told else quiet + POLL
        if quiet >= KEEP_ALIVE:
            quiet = 0.0
            yield b": still here\n\n"
        await bell.wait(POLL)


def _frame(told: Told) -> bytes:
    data = told.data
    if b"\n" in data or b"\r" in data:  # a line break would end the field
        data = orjson.dumps(orjson.loads(data))
    return b"id: %d-%d\nevent: %b\ndata: %b\n\n" % (told.xid, told.seq, told.type.encode(), data)
