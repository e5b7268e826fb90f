"""A contact's own page by signed link: what they get, how often, the schedule of a year and the current figures."""

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from schemas.schedule import AccountSchedule
from services.chassis.clock import real_now
from services.chassis.web import by_link
from services.notifier.application.act_on_page import MOST_FIELDS, ActResult, Visit, act_on_page
from services.notifier.application.calendar import CalendarAway
from services.notifier.application.customer_choices import Form, channels_of, choices_of, page_topics
from services.notifier.application.customer_page import page_figures, page_measuring
from services.notifier.application.customer_schedule import page_schedule
from services.notifier.domain.link_token import TokenRejected
from services.notifier.domain.page_link import read_page_token
from services.notifier.entrypoints.customer_pages import (
    UNKNOWN_LINK,
    Languages,
    PageServices,
    Token,
    phrases_for,
    show_lost,
    show_page,
)

WORDS = (
    "intro", "topic_legend", "topic", "channel", "frequency", "save", "stop_all", "undo", "rhythm_legend", "too_much",
    "about_right", "too_little", "rhythms", "stays", "schedule", "schedule_away", "schedule_empty", "approximate",
    "feed", "feed_about", "feed_show", "feed_address", "feed_how", "feed_secret", "figures",
)  # fmt: skip
"""The phrases of the template that need nothing filled in."""
REFUSED: dict[int | str, dict[str, Any]] = {
    422: {"description": "the page, with why nothing was changed", "content": {"text/html": {}}},
    503: {"description": "the page: the calendar does not answer", "content": {"text/html": {}}},
}


def page_routes(services: PageServices) -> APIRouter:
    """GET changes nothing, because mail scanners open every link; POST acts and says so. No script is needed."""
    router = APIRouter(prefix="/p", tags=["preferences"], dependencies=[by_link])

    @router.get(
        "/{token}", summary="A contact's own page", response_class=HTMLResponse, responses=UNKNOWN_LINK
    )
    async def show(token: Token, languages: Languages = None) -> HTMLResponse:
        visit = await _visit(services, token, languages, real_now())
        if visit is None:
            return show_lost(services, languages, "../v1/unsubscribe")
        choices = choices_of(await visit.preferences.of_contact(visit.contact_id))
        return await _page(services, visit, ActResult(choices))

    @router.post(
        "/{token}",
        summary="What the contact does on the page",
        response_class=HTMLResponse,
        responses={**UNKNOWN_LINK, **REFUSED},
    )
    async def act(token: Token, request: Request, languages: Languages = None) -> HTMLResponse:
        """Takes a form. `act` is `save` (also without it), `none`, `undo`, `answer`, `measuring` or `feed`.

        `save`: `topic` once for each topic that the contact gets from now on, `channel.TOPIC` and `frequency.TOPIC` for
        wishes, `suggested` for none; `none`: no topic at all; `undo`: the token in `undo`; `answer`: `answer`;
        `measuring`: `yes` or `no` in `wanted`.
        """
        visit = await _visit(services, token, languages, real_now())
        if visit is None:
            return show_lost(services, languages, "../v1/unsubscribe")
        return await _page(services, visit, await act_on_page(visit, _read_form(await request.body())))

    return router


async def _visit(services: PageServices, token: str, languages: str | None, now: datetime) -> Visit | None:
    """Who opened the link at this real moment; None: the link is not valid."""
    try:
        contact_id = read_page_token(services.keys, token, now=now)
    except TokenRejected:
        return None
    reader = await services.people.reader(contact_id)
    return Visit(
        contact_id=contact_id,
        reader=reader,
        phrases=phrases_for(services, reader, languages),
        keys=services.keys,
        preferences=services.preferences,
        objections=services.objections,
        calendar=services.calendar,
        at=now,
        channels=channels_of(reader.contact if reader else None, services.closed),
    )


def _read_form(body: bytes) -> Form:
    """The fields; of a form with more of them than the page has one that is refused."""
    try:
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {"act": [""]}


async def _page(services: PageServices, visit: Visit, result: ActResult) -> HTMLResponse:
    phrases, reader = visit.phrases, visit.reader
    contact = reader.contact if reader else None
    is_there = visit.account_id is not None
    figures, schedule = await asyncio.gather(
        page_figures(reader if is_there else None, services.facts, phrases), _schedule(visit)
    )
    rhythms = schedule.rhythms if schedule else ()
    context = {
        "heading": phrases.text("page", "title", organization=services.organization),
        "hello": phrases.text("page", "hello", name=contact.name) if contact and contact.name else "",
        "words": {key: phrases.text("page", key) for key in WORDS},
        "topics": page_topics(result.choices, rhythms, phrases, visit.channels),
        "result": result,
        "is_there": is_there,
        "schedule": page_schedule(schedule, reader, result.choices, phrases, services.organization)
        if schedule and reader
        else None,
        "figures": figures,
        "measuring": page_measuring(await services.objections.of_contact(visit.contact_id), phrases),
    }
    status = 503 if result.is_away else 422 if result.problem else 200
    return show_page(services, "page_customer.html", phrases, context, status)


async def _schedule(visit: Visit) -> AccountSchedule | None:
    """None: there is no account, or the scheduler does not answer."""
    if visit.account_id is None:
        return None
    try:
        return await visit.calendar.schedule_of(visit.account_id)
    except CalendarAway:
        return None
