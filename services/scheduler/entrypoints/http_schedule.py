"""The schedule of an account for its own people over HTTP: asked for when a customer's page is shown."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from schemas.base import Id
from schemas.schedule import AccountSchedule
from services.chassis.clock import ServiceClock
from services.chassis.web import JSON, require
from services.scheduler.application.read_schedule import read_schedule
from services.scheduler.application.read_touchpoints import TouchpointReader


def schedule_routes(reader: TouchpointReader, clock: ServiceClock) -> APIRouter:
    """GET /v1/schedule."""
    router = APIRouter(tags=["calendar"], dependencies=[require("read")])

    @router.get(
        "/v1/schedule",
        summary="What an account has before it, as its own people may see it",
        response_model=AccountSchedule,
    )
    async def get_schedule(
        account_id: Annotated[Id, Query()],
        days: Annotated[int, Query(ge=1, le=366, description="how many days ahead")] = 366,
    ) -> JSON:
        """Touchpoints that contact the customer, planned or projected, and the rhythms of the plan in force.

        `exactness` says whether levelling may still move a touchpoint within its week or month.
        """
        now = clock.at(await reader.real_now())
        found = await read_schedule(reader, account_id, now, now + timedelta(days=days))
        return JSON(found.model_dump(mode="json"))

    return router
