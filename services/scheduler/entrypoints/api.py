"""The calendar over HTTP: read it, and act on it with the version last read."""

import re
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from schemas.times import parse_instant
from services.chassis.problems import Problem
from services.chassis.web import JSON, Cursor, Limit, decode_cursor, encode_cursor, page, require
from services.scheduler.application.capacity import weeks
from services.scheduler.application.look import Entry, Filter, look, place
from services.scheduler.domain.touchpoint import Status
from services.scheduler.entrypoints.desk import Answers
from services.scheduler.entrypoints.letters import plan_of
from services.scheduler.entrypoints.shapes import Capacity, TouchpointItem, TouchpointPage, item

QUARTER = timedelta(weeks=13)
LONGEST = timedelta(days=731)

DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
Moment = Annotated[
    str | None, Query(max_length=64, description="RFC 3339 with a zone, or a date: its beginning in UTC")
]


def read_routes(answers: Answers) -> APIRouter:
    """GET /v1/touchpoints, /v1/touchpoints/{id} and /v1/capacity."""
    router = APIRouter(tags=["calendar"], dependencies=[require("read")])
    _add_list(router, answers)
    _add_details(router, answers)
    return router


def _add_list(router: APIRouter, answers: Answers) -> None:
    @router.get("/v1/touchpoints", summary="The calendar, by due time", response_model=TouchpointPage)
    async def list_touchpoints(
        account_id: Annotated[str | None, Query(max_length=200)] = None,
        csm_id: Annotated[str | None, Query(max_length=200)] = None,
        touchpoint_type: Annotated[str | None, Query(alias="type", max_length=200)] = None,
        status: Annotated[list[Status] | None, Query(description="may be given several times")] = None,
        from_: Annotated[str | None, Query(alias="from", max_length=64)] = None,
        to: Annotated[
            str | None, Query(max_length=64, description="also projects digital rhythms of one account")
        ] = None,
        updated_since: Annotated[
            str | None, Query(max_length=64, description="in the order of change; go on with `resume_cursor`")
        ] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSON:
        since = _moment("updated_since", updated_since)
        wanted = Filter(
            account_id=_text("account_id", account_id),
            csm_id=_text("csm_id", csm_id),
            type=_text("type", touchpoint_type),
            statuses=frozenset(status or ()),
            start=_moment("from", from_),
            end=_moment("to", to),
            since=since,
        )
        if since is not None:
            return JSON(await _feed(answers, wanted, cursor, limit))
        return JSON(await _calendar(answers, wanted, cursor, limit))


def _add_details(router: APIRouter, answers: Answers) -> None:
    @router.get("/v1/touchpoints/{touchpoint_id}", summary="One touchpoint", response_model=TouchpointItem)
    async def get_touchpoint(touchpoint_id: str) -> JSON:
        entry = await answers.shelf.one(known_id(touchpoint_id))
        if entry is None:
            raise Problem(404, f"There is no touchpoint {touchpoint_id}.")
        return JSON(item(entry))

    @router.get("/v1/capacity", summary="What stands in CSMs' weeks", response_model=Capacity)
    async def get_capacity(
        from_: Annotated[str | None, Query(alias="from", max_length=64)] = None,
        to: Moment = None,
        csm_id: Annotated[str | None, Query(max_length=200)] = None,
    ) -> JSON:
        start = _moment("from", from_) or await answers.now()
        end = _moment("to", to) or start + QUARTER
        if not start <= end <= start + LONGEST:
            raise Problem(422, "to: must lie after `from`, by two years at the most.")
        monday = (start - timedelta(days=start.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
        sunday = end - timedelta(days=end.weekday()) + timedelta(days=7)
        people, loads = await answers.shelf.load(
            monday, sunday.replace(hour=0, minute=0, second=0, microsecond=0), _text("csm_id", csm_id)
        )
        return JSON({"weeks": weeks(people, loads, start.date(), end.date())})


async def _calendar(answers: Answers, wanted: Filter, cursor: str | None, limit: int) -> dict[str, object]:
    parts = decode_cursor(cursor, datetime, str)
    after = None if parts is None else (parts[0], known_id(parts[1]))
    now = await answers.now()
    entries = await look(answers.shelf, wanted, plan_of, after=after, limit=limit + 1, now=now)
    answer = page(list(entries), limit, lambda entry: encode_cursor(*place(entry.touchpoint)))
    return {**answer, "items": [item(each) for each in entries[:limit]]}


async def _feed(answers: Answers, wanted: Filter, cursor: str | None, limit: int) -> dict[str, object]:
    parts = decode_cursor(cursor, int, str)
    after = None if parts is None else (parts[0], known_id(parts[1]))
    entries = await answers.shelf.changed(wanted, after, limit + 1)
    shown = entries[:limit]
    resume = _feed_cursor(shown[-1]) if shown else cursor
    return {
        "items": [item(each) for each in shown],
        "next_cursor": resume if len(entries) > limit else None,
        "resume_cursor": resume,
    }


def _feed_cursor(entry: Entry) -> str:
    return encode_cursor(entry.change or 0, entry.touchpoint.id)


def known_id(text: str) -> str:
    """A touchpoint's id in its one spelling; 404 for what can be none."""
    try:
        return str(UUID(text))
    except ValueError:
        raise Problem(404, f"There is no touchpoint {text[:100]!r}: ids are UUIDs.") from None


def _moment(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if DATE.fullmatch(text):
            text += "T00:00:00Z"
        return parse_instant(text.replace(" ", "+"))  # an unescaped + in a query arrives as a space
    except ValueError as wrong:
        raise Problem(422, f"{name}: {wrong}") from None


def _text(name: str, text: str | None) -> str | None:
    if text is not None and "\x00" in text:
        raise Problem(422, f"{name}: holds the NUL character; remove it")
    return text
