"""The days on which a customer or its CSM is away, over HTTP."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query

from services.chassis.problems import Problem
from services.chassis.web import JSON, require
from services.scheduler.application.read_closed_days import AccountDays, ClosedDays, find_closed_days
from services.scheduler.entrypoints.http_touchpoints import check_text

LONGEST: Final = timedelta(days=731)
YEARS: Final = range(1970, 2101)
"""Beyond them the dates of Easter and of the moon are guesses."""
ReadAccountDays = Callable[[str], Awaitable[AccountDays]]


def closed_days_routes(read: ReadAccountDays) -> APIRouter:
    """GET /v1/closed-days."""
    router = APIRouter(tags=["calendar"], dependencies=[require("read")])

    @router.get(
        "/v1/closed-days",
        summary="Public holidays of a customer and its CSM, and the CSM's time off",
        response_model=ClosedDays,
    )
    async def get_closed_days(
        account_id: Annotated[str, Query(min_length=1, max_length=200)],
        from_: Annotated[date, Query(alias="from", description="the first day")],
        to: Annotated[date, Query(description="the last day, by two years later at most")],
    ) -> JSON:
        if from_.year not in YEARS:
            raise Problem(422, f"from: holidays are known from {YEARS.start} to {YEARS.stop - 1}.")
        if not timedelta() <= to - from_ <= LONGEST:
            raise Problem(422, "to: must not be before `from`, and by two years later at most.")
        days = await read(check_text("account_id", account_id) or "")
        return JSON(find_closed_days(days, from_, to).model_dump(by_alias=True))

    return router
