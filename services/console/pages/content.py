"""Content: what customers and people of ours read, with a preview for an account, a test mail, and editing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from services.console.client import Failure, Query
from services.console.content_view import LANGUAGES, ContentFile, content_file, content_types
from services.console.json_fields import Json, items, text, texts
from services.console.labels import title
from services.console.pages.forms import read_form
from services.console.pages.rendering import MAIL_HEADERS, back_to, reader_of, render_page
from services.console.people import account_name, contacts
from services.console.reader import Backend, Reader
from services.console.shared_reads import Read

_READERS: Final = {"customer": "Customers", "owner": "People of ours"}
_NAMES: Final = {
    "type": "touchpoint_type",
    "account": "account_id",
    "contact": "contact_id",
    "language": "language",
    "reader": "reader",
}
_LIST_SECONDS: Final = 20.0  # real seconds; publishing reads it again at once


def content_routes(backend: Backend) -> APIRouter:
    """`/content`, one file, its preview, and a test mail."""
    router = APIRouter(include_in_schema=False)

    @router.get("/content")
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        wanted = request.query_params.get("reader", "customer")
        read = await _read_list(reader)
        tabs = [(name, f"/content?reader={key}", key == wanted) for key, name in _READERS.items()]
        types = content_types(items(read.document or {}), wanted)
        context = {"tabs": tabs, "types": types, "error": read.error}
        return await render_page(request, reader, "content.html", context)

    @router.get("/content/{audience}/{language}/{touchpoint_type}")
    async def show_file(request: Request, audience: str, language: str, touchpoint_type: str) -> Response:
        reader = await reader_of(backend, request)
        read = await _read_list(reader)
        wanted = (audience, language, touchpoint_type)
        file = next((item for item in _files(read) if _key(item) == wanted), None)
        choices = {**request.query_params, "type": touchpoint_type, "reader": audience}
        context = await _preview(reader, choices, language)
        name = title(touchpoint_type)
        context |= {"file": file, "error": read.error, "name": name, "action": request.url.path}
        return await render_page(request, reader, "content-file.html", context)

    @router.get("/content-preview")
    async def show_preview(request: Request) -> Response:
        reader = await reader_of(backend, request)
        read = await _read_preview(reader, dict(request.query_params))
        return HTMLResponse(text(read.document or {}, "html") or read.error, headers=MAIL_HEADERS)

    _add_test_mail(router, backend)
    return router


def _add_test_mail(router: APIRouter, backend: Backend) -> None:
    @router.post("/content-preview/send")
    async def send_test(request: Request) -> Response:
        reader = await reader_of(backend, request)
        form = await read_form(request)
        body: Json = {**_query(form), "to": form.get("to", "").strip()}
        answer = await reader.post("notifier", "/v1/preview/send", body)
        back = form.get("back", "")
        path = back if back.startswith("/content/") and back.isprintable() else "/content"
        if isinstance(answer, Failure):
            return back_to(path, failed=answer.text)
        return back_to(path, did="test_sent")


def _key(item: ContentFile) -> tuple[str, str, str]:
    return item.reader, item.language, item.touchpoint_type


def _files(read: Read) -> list[ContentFile]:
    return [item for item in map(content_file, items(read.document or {})) if item is not None]


async def _read_list(reader: Reader) -> Read:
    """Every content file in force, page by page."""
    found: list[object] = []
    query: Query = {"limit": 500}
    while True:
        read = await reader.read("rules_engine", "/v1/content", query, max_age=_LIST_SECONDS)
        found += items(read.document or {})
        cursor = text(read.document or {}, "next_cursor")
        if not cursor:
            return read if read.document is None else replace(read, document={"items": found})
        query = {"limit": 500, "cursor": cursor}


async def _preview(reader: Reader, query: Mapping[str, str], language: str) -> dict[str, object]:
    """What the preview needs: the accounts to choose from, and the message for the chosen one."""
    listed = await reader.read("rules_engine", "/v1/accounts", {"limit": 200}, max_age=30)
    accounts = [
        (text(item, "id"), text(item, "name") or text(item, "id")) for item in items(listed.document or {})
    ]
    account_id = query.get("account", "") or (accounts[0][0] if accounts else "")
    chosen = {name: query.get(name, "")[:200] for name in _NAMES}
    chosen |= {"account": account_id, "language": chosen["language"] or language}
    documents = await reader.accounts([account_id])
    read = await _read_preview(reader, chosen) if account_id else Read()
    message: Json = read.document or {}
    return {
        "chosen": chosen,
        "accounts": accounts,
        "contacts": [(one.id, one.name) for one in contacts(documents.get(account_id, {}))],
        "account": account_name(account_id, documents),
        "languages": list(LANGUAGES.items()),
        "message": message,
        "missing": texts(message, "missing"),
        "not_sent": text(message, "not_sent"),
        "preview_error": read.error,
        "frame": f"/content-preview?{urlencode({name: value for name, value in chosen.items() if value})}",
    }


async def _read_preview(reader: Reader, chosen: Mapping[str, str]) -> Read:
    query: Query = {**_query(chosen)}
    return await reader.read("notifier", "/v1/preview", query, max_age=5)


def _query(chosen: Mapping[str, str]) -> dict[str, str]:
    return {name: chosen[key] for key, name in _NAMES.items() if chosen.get(key)}
