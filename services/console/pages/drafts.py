"""Drafts: messages to customers that wait for an approval; one with its preview, its text, and the ways to decide."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from services.console.client import Answer, Failure, Query
from services.console.drafts_view import (
    STATES,
    DraftRecipient,
    draft_fields,
    draft_recipients,
    draft_row,
    draft_rows,
)
from services.console.json_fields import Json, items, text
from services.console.pages.forms import read_form, read_number
from services.console.pages.own_scope import own_scope, remember_scope
from services.console.pages.rendering import MAIL_HEADERS, back_to, reader_of, render_page
from services.console.reader import Backend, Reader

_PAGE: Final = 50
_ANY: Final = "any"


def draft_pages(backend: Backend) -> APIRouter:
    """`/drafts`, one draft, and what is decided on it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/drafts")
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        response = await render_page(request, reader, "drafts.html", await _list(request, reader))
        return remember_scope(backend, request, response)

    @router.get("/drafts/{draft_id}")
    async def show_one(request: Request, draft_id: str) -> Response:
        reader = await reader_of(backend, request)
        context = await _read_one(request, reader, draft_id)
        return await render_page(request, reader, "draft.html", context)

    @router.get("/drafts/{draft_id}/html")
    async def show_html(request: Request, draft_id: str) -> Response:
        reader = await reader_of(backend, request)
        read = await reader.read("notifier", _path(draft_id), max_age=2)
        shown = _chosen(draft_recipients(read.document or {}), request)
        return HTMLResponse(shown.html if shown else read.error, headers=MAIL_HEADERS)

    _add_decisions(router, backend)
    return router


def _add_decisions(router: APIRouter, backend: Backend) -> None:
    @router.post("/drafts/{draft_id}")
    async def save(request: Request, draft_id: str) -> Response:
        """Save the text, and send it where the button says so. What cannot be saved stays in the form."""
        reader = await reader_of(backend, request)
        form = await read_form(request)
        answer = await _save(reader, draft_id, form)
        if isinstance(answer, Failure):
            context = await _read_one(request, reader, draft_id)
            context |= {name: form.get(name, "") for name in ("subject", "body")}
            context |= {"error": answer.text}
            return await render_page(request, reader, "draft.html", context, status=answer.status or 503)
        if form.get("act") != "approve":
            return back_to(_page(draft_id), did="saved")
        approval: Json = {"version": draft_fields(answer).get("version"), **await reader.actor()}
        approved = await reader.post("notifier", f"{_path(draft_id)}/approve", approval)
        if isinstance(approved, Failure):
            return back_to(_page(draft_id), failed=approved.text)
        return back_to("/drafts", did="approved")

    @router.post("/drafts/{draft_id}/reject")
    async def reject(request: Request, draft_id: str) -> Response:
        reader = await reader_of(backend, request)
        form = await read_form(request)
        version = read_number(form.get("version", ""))
        body: Json = {"reason": form.get("reason", "").strip()[:2000], **await reader.actor()}
        if version:
            body |= {"version": version}
        answer = await reader.post("notifier", f"{_path(draft_id)}/reject", body)
        if isinstance(answer, Failure):
            return back_to(_page(draft_id), failed=answer.text)
        return back_to("/drafts", did="rejected")


async def _save(reader: Reader, draft_id: str, form: Mapping[str, str]) -> Answer:
    """The draft with the text of the form; a text that did not change is no edit."""
    subject, body = form.get("subject", "").strip(), form.get("body", "").replace("\r\n", "\n").strip("\n")
    wanted = read_number(form.get("version", ""))
    before = await reader.apis.get(reader.token, "notifier", _path(draft_id))
    if isinstance(before, Failure):
        return before
    is_same = (subject, body) == (text(before, "subject"), text(before, "body"))
    if is_same and draft_fields(before).get("version") == wanted:
        return before
    return await reader.put(
        "notifier", _path(draft_id), {"subject": subject, "body": body, "version": max(1, wanted)}
    )


def _path(draft_id: str) -> str:
    return f"/v1/drafts/{quote(draft_id, safe='')}"


def _page(draft_id: str) -> str:
    return f"/drafts/{quote(draft_id, safe='')}"


async def _list(request: Request, reader: Reader) -> dict[str, object]:
    wanted = {name: request.query_params.get(name, "").strip()[:200] for name in ("person", "state")}
    state = wanted["state"] or "pending"
    query: Query = {"limit": _PAGE}
    if state != _ANY:
        query["state"] = state
    scope = own_scope(reader, request)
    if "person" not in request.query_params:
        wanted["person"] = scope.csm_id  # the switch; the filter names anybody
    if wanted["person"]:
        query["csm_id"] = wanted["person"]
    cursor = request.query_params.get("cursor", "")[:400]
    if cursor:
        query["cursor"] = cursor
    read = await reader.read("notifier", "/v1/drafts", query)
    found = items(read.document or {})
    accounts = await reader.accounts(text(item, "account_id") for item in found)
    people = await reader.people()
    kept = {name: value for name, value in wanted.items() if value or (scope.links and name == "person")}
    next_cursor = text(read.document or {}, "next_cursor")
    return {
        "rows": draft_rows(found, accounts),
        "error": read.error,
        "wanted": wanted,
        "whose": scope.links,
        "state": state,
        "states": [*((one, one.capitalize()) for one in STATES), (_ANY, "All")],
        "people": [(one.id, one.label) for one in people.values()],
        "newest": f"/drafts?{urlencode(kept)}" if cursor else "",
        "older": f"/drafts?{urlencode({**kept, 'cursor': next_cursor})}" if next_cursor else "",
    }


async def _read_one(request: Request, reader: Reader, draft_id: str) -> dict[str, object]:
    read = await reader.read("notifier", _path(draft_id))
    document = read.document or {}
    fields = draft_fields(document)
    accounts = await reader.accounts([text(fields, "account_id")])
    recipients = draft_recipients(document)
    shown = _chosen(recipients, request)
    return {
        "row": draft_row(fields, accounts) if fields else None,
        "subject": text(document, "subject"),
        "body": text(document, "body"),
        "recipients": [(one.contact_id, one.name) for one in recipients],
        "shown": shown,
        "frame": f"{_page(draft_id)}/html?{urlencode({'contact': shown.contact_id})}" if shown else "",
        "error": read.error,
    }


def _chosen(recipients: list[DraftRecipient], request: Request) -> DraftRecipient | None:
    """The recipient whose message is shown, else the first."""
    wanted = request.query_params.get("contact", "")
    found = (one for one in recipients if one.contact_id == wanted)
    return next(found, next(iter(recipients), None))
