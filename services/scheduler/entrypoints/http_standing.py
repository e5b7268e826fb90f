"""The calendar as it stands over HTTP: read by the rules engine, which simulates a book from it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from schemas.standing import MOST_ACCOUNTS, StandingPage
from services.chassis.clock import ServiceClock
from services.chassis.web import Cursor, decode_cursor, encode_cursor, require
from services.scheduler.application.read_touchpoints import TouchpointReader

ReadStanding = Callable[[str, int, datetime], Awaitable[StandingPage]]
"""Takes the id after which accounts are read, how many, and now."""
Accounts = Annotated[int, Query(ge=1, le=MOST_ACCOUNTS, description="accounts on a page")]


def standing_routes(read: ReadStanding, reader: TouchpointReader, clock: ServiceClock) -> APIRouter:
    """GET /v1/standing."""
    router = APIRouter(tags=["calendar"], dependencies=[require("read")])

    @router.get(
        "/v1/standing",
        summary="The calendars of all accounts as they stand, page by page, and the people who lead",
        response_model=StandingPage,
    )
    async def get_standing(limit: Accounts = 100, cursor: Cursor = None) -> Response:
        """Open touchpoints with their windows, rhythms, plans and owners, for a simulation; internal, and large."""
        (after,) = decode_cursor(cursor, str) or ("",)
        found = await read(after, limit, clock.at(await reader.real_now()))
        if len(found.items) == limit:
            last = found.items[-1].account_id
            found = found.model_copy(update={"next_cursor": encode_cursor(last)})
        return Response(found.write(), media_type="application/json")

    return router
