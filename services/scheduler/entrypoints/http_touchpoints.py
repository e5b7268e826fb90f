"""The calendar over HTTP: lists and one touchpoint."""

import re
from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Query
from pydantic import BeforeValidator

from schemas.times import parse_instant
from services.calendar.touchpoint import OPEN, Status
from services.chassis.clock import ServiceClock
from services.chassis.problems import Problem
from services.chassis.web import JSON, Cursor, Limit, decode_cursor, encode_cursor, page, require
from services.scheduler.application.read_touchpoints import (
    TouchpointFilter,
    TouchpointReader,
    position_of,
    read_touchpoints,
)
from services.scheduler.entrypoints.http_models import (
    TouchpointItem,
    TouchpointPage,
    parse_id,
    show_touchpoints,
)

DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
Moment = Annotated[
    str | None, Query(max_length=64, description="RFC 3339 with a zone, or a date: its beginning in UTC")
]


def split_at_commas(values: object) -> object:
    """`status=due,overdue` as `status=due&status=overdue`."""
    if not isinstance(values, list):
        return values
    texts = [text for value in cast("list[object]", values) for text in str(value).split(",")]
    return [text.strip() for text in texts]


Statuses = Annotated[
    list[Status] | None,
    BeforeValidator(split_at_commas),
    Query(description="may be given several times, or several with commas between them"),
]


def read_routes(reader: TouchpointReader, clock: ServiceClock) -> APIRouter:
    """GET /v1/touchpoints and /v1/touchpoints/{id}."""
    router = APIRouter(tags=["calendar"], dependencies=[require("read")])
    _add_list(router, reader, clock)
    _add_details(router, reader)
    return router


def _add_list(router: APIRouter, reader: TouchpointReader, clock: ServiceClock) -> None:
    @router.get("/v1/touchpoints", summary="The calendar, by due time", response_model=TouchpointPage)
    async def list_touchpoints(
        account_id: Annotated[str | None, Query(max_length=200)] = None,
        csm_id: Annotated[str | None, Query(max_length=200)] = None,
        touchpoint_type: Annotated[str | None, Query(alias="type", max_length=200)] = None,
        status: Statuses = None,
        from_: Annotated[str | None, Query(alias="from", max_length=64)] = None,
        to: Annotated[
            str | None, Query(max_length=64, description="also projects digital rhythms of one account")
        ] = None,
        updated_since: Annotated[
            str | None,
            Query(
                max_length=64,
                description="in the order of change; continue with `resume_cursor`. With further filters a page may have"
                " few items, or none, and a `next_cursor`",
            ),
        ] = None,
        unowned: Annotated[
            bool,
            Query(description="only work that no known person has; without `status`: what is open"),
        ] = False,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSON:
        since = parse_moment("updated_since", updated_since)
        wanted = TouchpointFilter(
            account_id=check_text("account_id", account_id),
            csm_id=check_text("csm_id", csm_id),
            type=check_text("type", touchpoint_type),
            statuses=frozenset(status or (OPEN if unowned else ())),
            start_at=parse_moment("from", from_),
            end_at=parse_moment("to", to),
            changed_since=since,
            unowned=unowned,
        )
        if since is not None:
            return JSON(await _list_changes(reader, wanted, cursor, limit))
        now = clock.at(await reader.real_now())
        return JSON(await _list_planned(reader, wanted, cursor, limit, now))


def _add_details(router: APIRouter, reader: TouchpointReader) -> None:
    @router.get("/v1/touchpoints/{touchpoint_id}", summary="One touchpoint", response_model=TouchpointItem)
    async def get_touchpoint(touchpoint_id: str) -> JSON:
        entry = await reader.find(parse_id(touchpoint_id))
        if entry is None:
            raise Problem(
                404,
                f"There is no touchpoint {touchpoint_id}, or it was closed so long ago that it was dropped"
                " (DRUMBEAT_RETENTION__TOUCHPOINTS_DAYS).",
            )
        return JSON((await show_touchpoints([entry], reader))[0])


async def _list_planned(
    reader: TouchpointReader, wanted: TouchpointFilter, cursor: str | None, limit: int, now: datetime
) -> dict[str, object]:
    parts = decode_cursor(cursor, datetime, str)
    after = None if parts is None else (parts[0], parse_id(parts[1]))
    entries = await read_touchpoints(reader, wanted, after=after, limit=limit + 1, now=now)
    answer = page(entries, limit, lambda entry: encode_cursor(*position_of(entry.touchpoint)))
    return {**answer, "items": await show_touchpoints(entries[:limit], reader)}


async def _list_changes(
    reader: TouchpointReader, wanted: TouchpointFilter, cursor: str | None, limit: int
) -> dict[str, object]:
    parts = decode_cursor(cursor, int, str)
    after = None if parts is None else (parts[0], parse_id(parts[1]))
    changes = await reader.list_changes(wanted, after, limit)
    resume = cursor if changes.resume is None else encode_cursor(*changes.resume)
    return {
        "items": await show_touchpoints(changes.entries, reader),
        "next_cursor": resume if changes.has_more else None,
        "resume_cursor": resume,
    }


def parse_moment(name: str, text: str | None) -> datetime | None:
    """An instant, or the beginning of a date in UTC. Raises Problem (422)."""
    if text is None:
        return None
    try:
        if DATE.fullmatch(text):
            text += "T00:00:00Z"
        return parse_instant(text.replace(" ", "+"))  # an unescaped + in a query arrives as a space
    except ValueError as wrong:
        raise Problem(422, f"{name}: {wrong}") from None


def check_text(name: str, text: str | None) -> str | None:
    """The text as it is. Raises Problem (422) for one that no column holds."""
    if text is not None and "\x00" in text:
        raise Problem(422, f"{name}: contains the NUL character; remove it")
    return text
