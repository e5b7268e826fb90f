"""The pages on which people of ours act from a message, by a signed link. They work without a script.

GET only shows, because mail scanners open every link; POST acts through the scheduler,
on a draft in the notifier itself. The token is the authority, so a
page on another site can send nothing that the link itself could not.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import HTMLResponse

from services.chassis.clock import real_now
from services.notifier.application.act_from_mail import (
    ActForm,
    FieldMissing,
    named_people,
    request_of,
)
from services.notifier.application.calendar import CalendarAway, CalendarEntry, Refusal
from services.notifier.application.phrases import preferred_language
from services.notifier.domain.action_token import (
    make_undo,
    read_action_token,
    read_undo,
)
from services.notifier.domain.acts import Act
from services.notifier.domain.link_token import TokenExpired, TokenRejected
from services.notifier.domain.working_day import zone_of
from services.notifier.entrypoints.action_pages import (
    ActionServices,
    Visit,
    show_away,
    show_notice,
    show_page,
)
from services.notifier.entrypoints.customer_pages import Languages

Token = Annotated[str, Path(min_length=1)]
To = Annotated[str, Query(max_length=40, description="the time that the form of `do=move` shows: a proposal")]
UNDO = "undo"
_PAGES: dict[str, dict[str, object]] = {"text/html": {}}
RESPONSES: dict[int | str, dict[str, object]] = {
    404: {"description": "a page that says that the link does not work", "content": _PAGES},
    409: {"description": "a page that shows how the touchpoint is now", "content": _PAGES},
    410: {"description": "a page that says that the link has expired", "content": _PAGES},
    422: {
        "description": "a page that says what is missing; a problem document for a request that no page can answer",
        "content": {**_PAGES, "application/problem+json": {}},
    },
    503: {"description": "a page that says that the calendar does not answer", "content": _PAGES},
}
_WAS = {Act.DONE: "was_done", Act.MISSED: "was_missed", Act.SKIP: "was_skipped", Act.CLAIM: "was_claimed"}


class _Stop(Exception):
    """There is nothing to act on: the page to show instead."""

    def __init__(self, page: HTMLResponse) -> None:
        super().__init__()
        self.page = page


def action_routes(services: ActionServices) -> APIRouter:
    """GET and POST /a/{token}."""
    router = APIRouter(prefix="/a", tags=["actions"])

    @router.get(
        "/{token}",
        summary="The page on which a person acts on a touchpoint; it changes nothing",
        response_class=HTMLResponse,
        responses=RESPONSES,
    )
    async def show(token: Token, do: str = "", to: To = "", languages: Languages = None) -> HTMLResponse:
        try:
            visit = await _visit(token, services, languages)
        except _Stop as stopped:
            other = await services.others.show(token, do, languages) if services.others else None
            return other or stopped.page
        return show_page(services, visit, chosen=_act(do), fields={"to": to})

    @router.post(
        "/{token}",
        summary="Act on the touchpoint (form fields act, notes, to, person, version), or take it back",
        response_class=HTMLResponse,
        responses=RESPONSES,
    )
    async def act(token: Token, request: Request, languages: Languages = None) -> HTMLResponse:
        fields = _read_form(await request.body())
        try:
            visit = await _visit(token, services, languages)
        except _Stop as stopped:
            other = await services.others.act(token, fields, languages) if services.others else None
            return other or stopped.page
        try:
            if fields.get("act") == UNDO:
                return await _undo(services, visit, fields)
            return await _act_on(services, visit, fields)
        except CalendarAway:
            return show_away(services, visit.phrases)

    return router


def _read_form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    except ValueError:  # more fields than any page of ours sends
        return {}
    return {name: values[-1].replace("\x00", "").replace("\r\n", "\n") for name, values in fields.items()}


def _act(text: str) -> Act | None:
    return Act(text) if text in set(Act) else None


async def _visit(token: str, services: ActionServices, languages: str | None) -> Visit:
    """Raises _Stop with the page that says why there is nothing to act on.

    It is in the language of the person's mail, else in that of the browser (`languages`).
    """
    words = services.book.phrases(preferred_language(languages, services.book.languages))
    try:
        read = read_action_token(services.keys, token, now=real_now())
    except TokenExpired:
        raise _Stop(show_notice(services, "expired", 410, words, title="lost_title")) from None
    except TokenRejected:
        raise _Stop(show_notice(services, "lost", 404, words, title="lost_title")) from None
    people = await named_people(services.people)
    person = people.get(read.person_id or "")
    phrases = services.book.phrases(person.language if person else words.language, zone_of(person))
    try:
        entry = await services.calendar.find(read.touchpoint_id)
    except CalendarAway:
        raise _Stop(show_away(services, phrases)) from None
    if entry is None:
        raise _Stop(show_notice(services, "gone", 404, phrases, title="lost_title"))
    account_id = entry.data.account_id
    account = await services.people.account_name(account_id) or entry.data.account_name or account_id
    return Visit(token, read, entry, people, phrases, account)


async def _act_on(services: ActionServices, visit: Visit, fields: Mapping[str, str]) -> HTMLResponse:
    act = _act(fields.get("act", ""))
    if act is None or act not in visit.acts:
        return show_page(services, visit, chosen=act, status=409 if act else 422)
    form = ActForm(
        act=act,
        notes=fields.get("notes", "") or fields.get("reason", ""),
        to=fields.get("to", ""),
        person_id=fields["person"] if fields.get("person") in visit.people else "",
        version=_version(fields.get("version", "")),
    )
    usual = visit.phrases.text("action", "was_skipped")
    try:
        path, body = request_of(form, visit.entry, visit.token.person_id, visit.phrases.zone, usual)
    except FieldMissing as missing:
        problem = visit.text("missing", field=visit.text(missing.field))
        return show_page(services, visit, chosen=act, problem=problem, fields=fields, status=422)
    answer = await services.calendar.act(visit.token.touchpoint_id, path, body)
    if isinstance(answer, Refusal):
        return await _refused(services, visit, act, answer, fields)
    return await _acted(services, visit, form, answer)


def _version(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


async def _refused(
    services: ActionServices, visit: Visit, act: Act, refusal: Refusal, fields: Mapping[str, str]
) -> HTMLResponse:
    """Say why, and how the touchpoint is now."""
    now = await services.calendar.find(visit.token.touchpoint_id)
    visit = replace(visit, entry=now or visit.entry)
    key = "stale" if refusal.is_stale else "refused"
    problem = visit.text(key, problem=refusal.problem)
    status = 409 if refusal.is_stale else 422
    return show_page(services, visit, chosen=act, problem=problem, fields=fields, status=status)


async def _acted(
    services: ActionServices, visit: Visit, form: ActForm, answer: CalendarEntry
) -> HTMLResponse:
    """Say what was done, with a button that takes it back."""
    match form.act:
        case Act.MOVE:
            done = visit.text("was_moved", moment=visit.phrases.moment(answer.data.due_at))
        case Act.ASSIGN:
            done = visit.text("was_assigned", name=visit.name_of(form.person_id))
        case act:
            done = visit.text(_WAS[act])
    now = await services.calendar.find(visit.token.touchpoint_id) or answer
    undo = make_undo(services.keys, visit.link, now.data.sequence)
    return show_page(services, replace(visit, entry=now), done=done, undo=undo)


async def _undo(services: ActionServices, visit: Visit, fields: Mapping[str, str]) -> HTMLResponse:
    try:
        version = read_undo(services.keys, visit.link, fields.get("version", ""))
    except TokenRejected:
        return show_page(services, visit, problem=visit.text("too_late"), status=409)
    answer = await services.calendar.act(visit.token.touchpoint_id, UNDO, {"version": version})
    now = await services.calendar.find(visit.token.touchpoint_id)
    visit = replace(visit, entry=now or visit.entry)
    if isinstance(answer, Refusal):
        return show_page(services, visit, problem=visit.text("too_late"), status=409)
    return show_page(services, visit, done=visit.text("was_undone"))
