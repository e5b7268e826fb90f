"""The capacity of people over HTTP: their weeks, what does not fit, who is missing, how large their books are."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Protocol

from fastapi import APIRouter, Query
from pydantic import Field

from schemas.base import SchemaModel
from services.calendar.weeks import name_week
from services.chassis.clock import ServiceClock
from services.chassis.problems import Problem
from services.chassis.time_slices import in_slices
from services.chassis.web import JSON, require
from services.scheduler.application.measure_books import BookSize, StoredBook, describe_book
from services.scheduler.application.measure_capacity import CapacityWeek, UnownedWeek, measure_weeks
from services.scheduler.application.measure_conflicts import (
    CapacityConflict,
    HeadcountWeek,
    find_headcount_gap,
    round_people,
    select_weeks,
)
from services.scheduler.application.read_touchpoints import TouchpointReader
from services.scheduler.entrypoints.http_touchpoints import check_text, parse_moment

QUARTER = timedelta(weeks=13)
LONGEST = timedelta(days=731)
WEEK = timedelta(weeks=1)


class CapacityReader(Protocol):
    """What is read of people's books."""

    async def load_conflicts(self, csm_id: str | None) -> Mapping[str, list[CapacityConflict]]:
        """By person what does not fit, as the leveller found it after the last change of their work."""
        ...

    async def load_books(self, csm_id: str | None, now: datetime) -> list[StoredBook]: ...


class Capacity(SchemaModel):
    """The work in people's weeks, and what of it does not fit."""

    weeks: tuple[CapacityWeek, ...]
    unowned: Annotated[
        tuple[UnownedWeek, ...],
        Field(description="what nobody has, of all pools; empty when a CSM is asked for"),
    ] = ()
    conflicts: Annotated[
        tuple[CapacityConflict, ...],
        Field(
            description="weeks that hold less than what can lie in no other week (Hall's condition), by person, found "
            "after each change of their work, up to a year before these weeks come"
        ),
    ] = ()
    headcount_gap: Annotated[
        float,
        Field(
            description="people missing in the worst week, rounded up to hundredths; the unit is one person with the "
            "available minutes of those who are short, or with 2,400 a week where they have none; 0: everything fits"
        ),
    ] = 0.0
    headcount_week: HeadcountWeek | None = None
    books: Annotated[
        tuple[BookSize, ...], Field(description="of everybody with planned work in the next 13 weeks")
    ] = ()


def capacity_routes(reader: TouchpointReader, capacity: CapacityReader, clock: ServiceClock) -> APIRouter:
    """GET /v1/capacity."""
    router = APIRouter(tags=["calendar"], dependencies=[require("read")])

    @router.get("/v1/capacity", summary="The planned work in CSMs' weeks", response_model=Capacity)
    async def get_capacity(
        from_: Annotated[
            str | None, Query(alias="from", max_length=64, description="left out: this week")
        ] = None,
        to: Annotated[
            str | None,
            Query(
                max_length=64,
                description="RFC 3339 with a zone, or a date: its beginning in UTC; left out: 13 weeks on",
            ),
        ] = None,
        csm_id: Annotated[str | None, Query(max_length=200)] = None,
    ) -> JSON:
        now = clock.at(await reader.real_now())
        start = parse_moment("from", from_) or now
        end = parse_moment("to", to) or start + QUARTER
        if not start <= end <= start + LONGEST:
            raise Problem(422, "to: must be after `from`, by two years at most.")
        csm_id = check_text("csm_id", csm_id)
        monday, after = _monday(start), _monday(end) + WEEK
        csms, loads = await reader.load_weeks(monday, after, csm_id)
        unowned = await reader.load_unowned_weeks(monday, after) if csm_id is None else ()
        stored = await capacity.load_conflicts(csm_id)
        conflicts = select_weeks(stored, name_week(start.date()), name_week(end.date()))
        gap, worst = find_headcount_gap(conflicts)
        answer = Capacity(
            weeks=(),
            unowned=tuple(unowned),
            conflicts=tuple(conflicts),
            headcount_gap=round_people(gap),
            headcount_week=worst,
            books=tuple(map(describe_book, await capacity.load_books(csm_id, now))),
        )
        weeks = await write_weeks(measure_weeks(csms, loads, start.date(), end.date()))
        return JSON({**answer.model_dump(), "weeks": weeks})

    return router


async def write_weeks(weeks: Iterable[CapacityWeek]) -> list[dict[str, object]]:
    """The weeks as they are answered; other work of the loop goes on between them."""
    return [week.model_dump() async for week in in_slices(weeks)]


def _monday(moment: datetime) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())
