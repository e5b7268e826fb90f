"""HTTP: advancing a service clock with rate 0."""

from fastapi import APIRouter

from services.chassis.problems import Problem
from services.chassis.standing_clock import ClockRuns
from services.chassis.web import require
from services.rules_engine.application.advance_clock import ClockAdvance, WantedAdvance


def clock_routes(advance: ClockAdvance) -> APIRouter:
    router = APIRouter(prefix="/v1/clock", tags=["service"])

    @router.post(
        "/advance",
        summary="Advance a service clock with rate 0",
        description=(
            "For rehearsals and tests. Other services follow within moments: `GET /v1/clock/rest` of each says where it"
            " stands, and whether the work that this brought is done. `drumbeat clock advance` goes in steps and waits"
            " for both."
        ),
        dependencies=[require("admin")],
        responses={409: {"description": "the clock runs by itself"}},
    )
    async def advance_clock(wanted: WantedAdvance) -> dict[str, object]:
        try:
            return await advance(wanted)
        except ClockRuns:
            raise Problem(
                409,
                "The service clock runs by itself: only one with DRUMBEAT_CLOCK__RATE=0 can be advanced.",
                title="Clock runs by itself",
            ) from None

    return router
