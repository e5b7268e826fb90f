"""Dead letters over HTTP: list them, drive one again."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.chassis.database import Database
from services.chassis.dead_letters import DeadLetter, listed, replay
from services.chassis.outbox import Outbox
from services.chassis.problems import Problem
from services.chassis.web import Cursor, Limit, RowId, decode_cursor, encode_cursor, page, require


def dead_letter_routes(database: Database, outbox: Outbox) -> APIRouter:
    """`GET /v1/dead-letters` and `POST /v1/dead-letters/{id}/replay`, the same on every service."""
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])

    @router.get("", summary="Records that could not be read, newest first", dependencies=[require("read")])
    async def list_dead_letters(
        limit: Limit = 100,
        cursor: Cursor = None,
        replayed: Annotated[bool, Query(description="also those driven again already")] = False,  # noqa: FBT002
    ) -> dict[str, object]:
        start = decode_cursor(cursor, int)
        letters = await listed(
            database, before=start[0] if start else 2**62, limit=limit + 1, replayed=replayed
        )
        return page([*letters], limit, _cursor_of)

    @router.post("/{letter_id}/replay", summary="Publish the record again", dependencies=[require("admin")])
    async def replay_dead_letter(letter_id: RowId) -> dict[str, object]:
        if not await replay(database, outbox, letter_id):
            raise Problem(404, f"There is no dead letter {letter_id}.")
        return {"id": letter_id, "status": "replayed"}

    return router


def _cursor_of(letter: DeadLetter) -> str:
    return encode_cursor(letter.id)
