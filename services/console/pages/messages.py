"""Messages: what was sent to whom, every attempt, the message as it was sent, and sending it again."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from services.console.client import Failure, Query
from services.console.json_fields import Json, items, nested, text
from services.console.messages_view import CHANNELS, STATES, message_rows
from services.console.pages.rendering import MAIL_HEADERS, back_to, reader_of, render_page
from services.console.people import account_name, contacts
from services.console.reader import Backend, Reader

_FILTERS: Final = ("account", "contact", "touchpoint", "state", "channel")
_PAGE: Final = 50


def message_routes(backend: Backend) -> APIRouter:
    """`/messages`, and one message with its content."""
    router = APIRouter(include_in_schema=False)

    @router.get("/messages")
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        wanted = {name: request.query_params.get(name, "").strip()[:200] for name in _FILTERS}
        return await render_page(request, reader, "messages.html", await _list(request, reader, wanted))

    @router.get("/messages/{delivery_id}")
    async def show_one(request: Request, delivery_id: str) -> Response:
        reader = await reader_of(backend, request)
        return await render_page(request, reader, "message.html", await _read_one(reader, delivery_id))

    @router.get("/messages/{delivery_id}/html")
    async def show_html(request: Request, delivery_id: str) -> Response:
        reader = await reader_of(backend, request)
        read = await reader.read("notifier", f"{_path(delivery_id)}/message", max_age=10)
        return HTMLResponse(text(read.document or {}, "html") or read.error, headers=MAIL_HEADERS)

    @router.post("/messages/{delivery_id}/resend")
    async def resend(request: Request, delivery_id: str) -> Response:
        reader = await reader_of(backend, request)
        answer = await reader.post("notifier", f"{_path(delivery_id)}/resend", {})
        if isinstance(answer, Failure):
            return back_to(f"/messages/{quote(delivery_id, safe='')}", failed=answer.text)
        return back_to(f"/messages/{text(answer, 'id') or quote(delivery_id, safe='')}", did="resent")

    return router


def _path(delivery_id: str) -> str:
    return f"/v1/deliveries/{quote(delivery_id, safe='')}"


async def _list(request: Request, reader: Reader, wanted: Mapping[str, str]) -> dict[str, object]:
    account_id, error = await _find_account(reader, wanted["account"])
    query: Query = {"limit": _PAGE}
    names = {"contact": "contact_id", "touchpoint": "touchpoint_id", "state": "state", "channel": "channel"}
    query |= {names[name]: wanted[name] for name in names if wanted[name]}
    if account_id:
        query["account_id"] = account_id
    cursor = request.query_params.get("cursor", "")[:400]
    if cursor:
        query["cursor"] = cursor
    found: list[Json] = []
    next_cursor = ""
    if not error:
        read = await reader.read("notifier", "/v1/deliveries", query)
        found, error = items(read.document or {}), read.error
        next_cursor = text(read.document or {}, "next_cursor")
    accounts = await reader.accounts([account_id, *(text(item, "account_id") for item in found)])
    listed = await reader.read("rules_engine", "/v1/accounts", {"limit": 500}, max_age=30)
    kept = {name: value for name, value in wanted.items() if value}
    return {
        "wanted": {
            **wanted,
            "account": account_name(account_id, accounts) if account_id else wanted["account"],
        },
        "rows": message_rows(found, accounts, await reader.people(), reader.clock.at),
        "error": error,
        "states": [(state, state.capitalize()) for state in STATES],
        "channels": [(channel, channel.replace("_", "-").capitalize()) for channel in CHANNELS],
        "contacts": [(one.id, one.name) for one in contacts(accounts.get(account_id, {}))],
        "account_names": [text(item, "name") or text(item, "id") for item in items(listed.document or {})],
        "newest": f"/messages?{urlencode(kept)}" if cursor else "",
        "older": f"/messages?{urlencode({**kept, 'cursor': next_cursor})}" if next_cursor else "",
    }


async def _find_account(reader: Reader, name: str) -> tuple[str, str]:
    """The id of the account with this id or name, and why there is none."""
    if not name:
        return "", ""
    read = await reader.read("rules_engine", "/v1/accounts", {"q": name, "limit": 50}, max_age=10)
    found = items(read.document or {})
    exact = [item for item in found if name in (text(item, "id"), text(item, "name"))]
    if exact or len(found) == 1:
        return text((exact or found)[0], "id"), ""
    if read.error:
        return "", read.error
    count = "No account has" if not found else "Several accounts have"
    return "", f"{count} “{name}” in the name or id. Type the whole name."


async def _read_one(reader: Reader, delivery_id: str) -> dict[str, object]:
    read = await reader.read("notifier", _path(delivery_id))
    message = await reader.read("notifier", f"{_path(delivery_id)}/message", max_age=10)
    accounts = await reader.accounts([text(read.document or {}, "account_id")])
    documents = [read.document] if read.document else []
    rows = message_rows(documents, accounts, await reader.people(), reader.clock.at)
    content = message.document or {}
    return {
        "row": rows[0] if rows else None,
        "error": read.error,
        "content": content,
        "headers": nested(content, "headers").items(),
        "missing": "" if content or read.error else message.error,
        "delivery_id": delivery_id,
    }
