"""The addresses of CSMs' own calendars over HTTP, and how reading them goes. No answer has an address."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Path
from pydantic import Field

from schemas.base import Id, SchemaModel
from schemas.times import Instant
from services.chassis.clock import ServiceClock
from services.chassis.problems import Problem
from services.chassis.target_guard import ForbiddenUrl
from services.chassis.web import JSON, require
from services.scheduler.application.busy_calendars import BusyCalendar, BusyCalendarRepository, UnknownPerson
from services.scheduler.entrypoints.http_models import Body
from services.scheduler.entrypoints.http_touchpoints import check_text

CsmId = Annotated[str, Path(min_length=1, max_length=200)]
NONE = "Nobody has set the address of a calendar of {csm_id}."


class CalendarAddress(Body):
    """The secret address at which a calendar is read as iCalendar. `webcal://` is the same as `https://`."""

    url: Annotated[
        str, Field(min_length=1, max_length=2048, description="obeys the rules of the addresses of webhooks")
    ]


class BusyCalendarProblem(SchemaModel):
    """Why a calendar is not read, in plain English, since when (real time), and how many attempts failed."""

    text: str
    since: Instant
    failures: int


class BusyCalendarItem(SchemaModel):
    """A calendar whose busy time is kept free. All times are of the real clock.

    `busy_times`: how many of the next 400 days count now. `left_out`: events that could not be read. With a `problem` the
    times of `read_at` count until `kept_until`.
    """

    csm_id: Id
    url: Annotated[str, Field(description="its host; the rest is secret")]
    made_at: Instant
    read_at: Instant | None
    next_read_at: Instant
    kept_until: Instant | None
    busy_times: int
    left_out: int
    problem: BusyCalendarProblem | None


class BusyCalendarList(SchemaModel):
    items: tuple[BusyCalendarItem, ...]


@dataclass(frozen=True, slots=True)
class BusyCalendarServices:
    """`check` raises ForbiddenUrl. `kept`: how long what was read counts. `wake`: has the reader look at once."""

    calendars: BusyCalendarRepository
    clock: ServiceClock
    check: Callable[[str], Awaitable[None]]
    kept: timedelta
    wake: Callable[[], None]
    after_commit: Callable[[], None]


def busy_calendar_routes(services: BusyCalendarServices) -> APIRouter:
    """PUT, GET and DELETE /v1/csms/{csm_id}/busy-calendar, GET /v1/busy-calendars."""
    router = APIRouter(prefix="/v1", tags=["calendar"])
    _add_changes(router, services)
    _add_reads(router, services)
    return router


def _add_changes(router: APIRouter, services: BusyCalendarServices) -> None:
    @router.put(
        "/csms/{csm_id}/busy-calendar",
        dependencies=[require("act")],
        summary="Keep the busy time of a CSM's own calendar free",
        response_model=BusyCalendarItem,
        responses={404: {}, 422: {"description": "the address is malformed, or inside a private network"}},
    )
    async def set_busy_calendar(csm_id: CsmId, address: CalendarAddress) -> JSON:
        url = _read_url(address.url)
        try:
            await services.check(url)
            host = urlsplit(url).hostname or ""
            calendar = await services.calendars.set(check_text("csm_id", csm_id) or "", url, host)
        except ForbiddenUrl as problem:
            raise Problem(422, f"url: {problem}.") from problem
        except UnknownPerson as unknown:
            raise Problem(404, f"{unknown}.") from unknown
        services.wake()
        return JSON(_show(calendar, services))

    @router.delete(
        "/csms/{csm_id}/busy-calendar",
        status_code=204,
        dependencies=[require("act")],
        summary="Forget the address of a CSM's own calendar, and its busy time",
    )
    async def remove_busy_calendar(csm_id: CsmId) -> None:
        known = check_text("csm_id", csm_id) or ""
        if not await services.calendars.remove(known, services.clock.now()):
            raise Problem(404, NONE.format(csm_id=csm_id))
        services.after_commit()


def _add_reads(router: APIRouter, services: BusyCalendarServices) -> None:
    @router.get(
        "/csms/{csm_id}/busy-calendar",
        dependencies=[require("read")],
        summary="How reading a CSM's own calendar goes",
        response_model=BusyCalendarItem,
    )
    async def read_busy_calendar_state(csm_id: CsmId) -> JSON:
        found = await services.calendars.list(check_text("csm_id", csm_id) or "")
        if not found:
            raise Problem(404, NONE.format(csm_id=csm_id))
        return JSON(_show(found[0], services))

    @router.get(
        "/busy-calendars",
        dependencies=[require("read")],
        summary="The calendars whose busy time is kept free, and what is wrong with them",
        response_model=BusyCalendarList,
    )
    async def list_busy_calendars() -> JSON:
        return JSON({"items": [_show(each, services) for each in await services.calendars.list(None)]})


def _read_url(text: str) -> str:
    """What programs for calendars write as `webcal://` is read over HTTPS."""
    scheme, separator, rest = text.strip().partition("://")
    return f"https://{rest}" if separator and scheme.lower() in ("webcal", "webcals") else text.strip()


def _show(calendar: BusyCalendar, services: BusyCalendarServices) -> dict[str, object]:
    problem = None
    if calendar.problem is not None:
        problem = {"text": calendar.problem, "since": calendar.failing_since, "failures": calendar.failures}
    read_at = calendar.read_at
    return {
        "csm_id": calendar.csm_id,
        "url": f"https://{calendar.host}/****",
        "made_at": calendar.made_at,
        "read_at": read_at,
        "next_read_at": calendar.next_read_at,
        "kept_until": None if read_at is None else read_at + services.kept,
        "busy_times": calendar.busy_times,
        "left_out": calendar.left_out,
        "problem": problem,
    }
