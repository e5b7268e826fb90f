"""Dead letters over HTTP: list them, replay one."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query

from services.chassis import dead_letters
from services.chassis.database import Database
from services.chassis.outbox import Outbox
from services.chassis.problems import Problem
from services.chassis.web import LAST, Cursor, Limit, RowId, decode_cursor, encode_cursor, page, require

REPLAYED = "replayed"
Replay = Callable[[int], Awaitable[str | None]]
"""Replays the dead letter with this id: what became of it, `replayed` or why not; None: there is none."""


def dead_letter_routes(database: Database, outbox: Outbox, replay: Replay | None = None) -> APIRouter:
    """`GET /v1/dead-letters` and `POST /v1/dead-letters/{id}/replay`, the same on every service.

    `replay`: where some letters are no records of a topic; None: each is published again as it was.
    """

    async def publish_again(letter_id: int) -> str | None:
        return REPLAYED if await dead_letters.replay(database, outbox, letter_id) else None

    replay_letter = replay or publish_again
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])

    @router.get("", summary="Unreadable or unsendable records, newest first", dependencies=[require("read")])
    async def list_dead_letters(
        limit: Limit = 100,
        cursor: Cursor = None,
        replayed: Annotated[bool, Query(description="also those that were replayed")] = False,  # noqa: FBT002
    ) -> dict[str, object]:
        (before,) = decode_cursor(cursor, int) or (LAST,)
        items = await dead_letters.list_newest(database, before=before, limit=limit + 1, replayed=replayed)
        return page(items, limit, lambda item: encode_cursor(item["id"]))

    @router.post("/{letter_id}/replay", summary="Publish the record again", dependencies=[require("admin")])
    async def replay_dead_letter(letter_id: RowId) -> dict[str, object]:
        status = await replay_letter(letter_id)
        if status is None:
            raise Problem(404, f"There is no dead letter {letter_id}.")
        return {"id": letter_id, "status": status}

    return router
