"""My day: whom to reach today and why, with buttons that act."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from schemas.times import format_instant
from services.console import labels
from services.console.auth import PERSON_COOKIE
from services.console.client import Failure
from services.console.json_fields import Json, items, number, text
from services.console.my_day_view import COMING_SPAN, is_for_a_person, my_day
from services.console.pages.forms import read_form, read_number
from services.console.pages.rendering import back_to, reader_of, render_page
from services.console.people import Person
from services.console.reader import Backend, Reader, known_zone
from services.console.touchpoints import touchpoints

_OPEN: Final = ["due", "overdue"]
_BY_PERSON: Final = frozenset({"reschedule", "reassign", "cancel", "undo"})
"""The acts of which the owner, or the one before, is told."""
_LONGEST_REASON: Final = 2_000
_COOKIE_SECONDS: Final = 365 * 24 * 3600


def my_day_routes(backend: Backend) -> APIRouter:
    """`/my-day`, who the reader is, and what they do to a touchpoint."""
    router = APIRouter(include_in_schema=False)

    @router.get("/my-day")
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        people = await reader.people()
        day, error = None, ""
        if reader.person_id:
            day, error = await _read_day(reader)
        return await render_page(
            request,
            reader,
            "my-day.html",
            {
                "choices": _choices(people, reader.person_id),
                "is_user": bool(reader.user),
                "others": [(one.id, one.label) for one in people.values() if one.id != reader.person_id],
                "person": people.get(reader.person_id),
                "day": day,
                "error": error,
                "tomorrow": await reader.local_now() + timedelta(days=1),
            },
        )

    @router.post("/my-day/person")
    async def choose(request: Request) -> Response:
        await reader_of(backend, request)
        form = await read_form(request)
        response = back_to("/my-day")
        person_id = form.get("person", "")[:200]
        secure = backend.cookies.is_secure(request)
        response.set_cookie(
            PERSON_COOKIE, person_id, max_age=_COOKIE_SECONDS, httponly=True, samesite="strict", secure=secure
        )
        return response

    return router


def _choices(people: Mapping[str, Person], person_id: str) -> list[tuple[str, str]]:
    """Everybody who is known, and the chosen person even when nobody has described them."""
    found = [(one.id, one.label) for one in people.values()]
    return found if not person_id or person_id in people else [*found, (person_id, person_id)]


async def _read_day(reader: Reader) -> tuple[object, str]:
    now, mine = await reader.local_now(), {"csm_id": reader.person_id}
    coming = {"from": format_instant(now - COMING_SPAN), "to": format_instant(now + COMING_SPAN)}
    open_, planned = await asyncio.gather(
        reader.read("scheduler", "/v1/touchpoints", {**mine, "status": _OPEN, "limit": 300}),
        reader.read("scheduler", "/v1/touchpoints", {**mine, **coming, "status": "planned", "limit": 200}),
    )
    error = open_.error or planned.error
    if open_.document is None or planned.document is None:
        return None, error
    found = touchpoints([*items(open_.document), *items(planned.document)])
    shown = {item.account_id for item in found if is_for_a_person(item)}
    accounts, (figures, notes_error) = await asyncio.gather(reader.accounts(shown), reader.figures(shown))
    if notes_error:
        notes_error = (
            f"What is known of the accounts, and the last notes, may be missing or old: {notes_error}"
        )
    return my_day(found, accounts, figures, now), labels.joined(error, notes_error)


def action_routes(backend: Backend) -> APIRouter:
    """POST `/touchpoints/{id}`: done, not reached, move, hand over, skip; and undo."""
    router = APIRouter(include_in_schema=False)

    @router.post("/touchpoints/{touchpoint_id}")
    async def act(request: Request, touchpoint_id: str) -> Response:
        reader = await reader_of(backend, request)
        form = await read_form(request)
        path = f"/v1/touchpoints/{quote(touchpoint_id, safe='')}"
        call, body, did = _call(form)
        if isinstance(body, str):
            return back_to(_back(form), failed=body)
        who = await reader.actor() if call in _BY_PERSON else {}
        answer = await reader.post("scheduler", f"{path}/{call}", {**body, **who})
        if isinstance(answer, Failure):
            return back_to(_back(form), failed=answer.text)
        may_undo = bool(text(answer, "undo_until")) and call != "undo"
        version = str(number(answer, "sequence")) if may_undo else ""
        return back_to(_back(form), did=did, undo=text(answer, "id") if may_undo else "", version=version)

    return router


def _back(form: Mapping[str, str]) -> str:
    """The page of this console that the form stands on."""
    return form["back"] if form.get("back") in ("/my-day", "/unowned") else "/my-day"


def _call(form: Mapping[str, str]) -> tuple[str, Json | str, str]:
    """The scheduler's call, its body (or why there is none), and the notice for a form."""
    notes = form.get("notes", "").strip()
    version: Json = {"version": read_number(form.get("version", ""))}
    if form.get("only") and form.get("act") != "undo":
        version["only"] = True
    with_notes: Json = {**version, **({"notes": notes} if notes else {})}
    match form.get("act", ""):
        case "done":
            outcome = "attended" if form.get("channel") == "meeting" else "completed"
            return "settle", {**with_notes, "outcome": outcome}, "done"
        case "missed":
            return "settle", {**with_notes, "outcome": "missed"}, "missed"
        case "move":
            to = _moment(form.get("to", ""), form.get("zone", ""))
            # Who says why may also move it to the past or after its deadline.
            why: Json = {"reason": notes[:_LONGEST_REASON], "force": True} if notes else {}
            return "reschedule", {**version, "to": to, **why} if to else "Enter a date and a time.", "moved"
        case "hand_over":
            person = form.get("person", "")
            return "reassign", {**version, "csm_id": person} if person else "Choose a person.", "handed_over"
        case "skip":
            return "cancel", {**version, "reason": notes or "Skipped by hand."}, "skipped"
        case "undo":
            return "undo", {**version}, "undone"
        case _:
            return "", "This form has no action.", ""


def _moment(local: str, zone: str) -> str:
    """RFC 3339 for a local time of a zone; "" for what is no time. An unknown zone counts as UTC."""
    try:
        moment = datetime.fromisoformat(local)
    except ValueError:
        return ""
    return format_instant(moment.replace(tzinfo=known_zone(zone) or UTC))
