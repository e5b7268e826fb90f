"""What comes next with accounts over HTTP: asked for when a message about them is written."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from schemas.base import Id, SchemaModel
from services.chassis.clock import ServiceClock
from services.chassis.web import JSON, require
from services.scheduler.application.read_touchpoints import TouchpointEntry
from services.scheduler.entrypoints.http_models import Body, TouchpointItem, show_touchpoint

ReadComing = Callable[
    [Sequence[str], tuple[datetime, datetime], int], Awaitable[Mapping[str, Sequence[TouchpointEntry]]]
]
"""Takes accounts, a period and the most touchpoints of each."""


class ComingWanted(Body):
    """Accounts, how many days ahead, and at most how many touchpoints of each."""

    account_ids: Annotated[list[Id], Field(min_length=1, max_length=100)]
    days: Annotated[int, Field(ge=1, le=366)] = 60
    limit: Annotated[int, Field(ge=1, le=50)] = 5


class ComingOfAccount(SchemaModel):
    account_id: Id
    touchpoints: tuple[TouchpointItem, ...]


class ComingFound(SchemaModel):
    """In the order of the request."""

    items: tuple[ComingOfAccount, ...]


def coming_routes(
    read: ReadComing, real_now: Callable[[], Awaitable[datetime]], clock: ServiceClock
) -> APIRouter:
    """POST /v1/coming."""
    router = APIRouter(tags=["calendar"], dependencies=[require("read")])

    @router.post("/v1/coming", summary="What comes next with up to 100 accounts", response_model=ComingFound)
    async def post_coming(wanted: ComingWanted) -> JSON:
        """The planned touchpoints that contact the customer, by due time; an unknown account has none."""
        now = clock.at(await real_now())
        found = await read(wanted.account_ids, (now, now + timedelta(days=wanted.days)), wanted.limit)
        items = [
            {"account_id": account_id, "touchpoints": [show_touchpoint(entry) for entry in found[account_id]]}
            for account_id in wanted.account_ids
        ]
        return JSON({"items": items})

    return router
