"""Audit: who changed what, searched by actor, action, object and day."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.console.audit_view import audit_rows, day_range
from services.console.json_fields import items, text
from services.console.pages.rendering import reader_of, render_page
from services.console.reader import Backend

_FILTERS: Final = ("actor", "action", "object", "from", "to")
_PAGE: Final = 50


def audit_pages(backend: Backend) -> APIRouter:
    """`/audit`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/audit")
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        filters = {name: request.query_params.get(name, "").strip()[:200] for name in _FILTERS}
        cursor = request.query_params.get("cursor", "")[:400]
        query, error = day_range(filters)
        found: Mapping[str, object] = {}
        if not error:
            wanted = {**query, **({"cursor": cursor} if cursor else {}), "limit": _PAGE}
            read = await reader.read("rules_engine", "/v1/audit", wanted)
            found, error = read.document or {}, read.error
        older = text(found, "next_cursor")
        context = {
            "filters": filters,
            "error": error,
            "rows": audit_rows(items(found)),
            "newest": _address(filters) if cursor else "",
            "older": _address(filters, older) if older else "",
        }
        return await render_page(request, reader, "audit.html", context)

    return router


def _address(filters: Mapping[str, str], cursor: str = "") -> str:
    query = {name: value for name, value in {**filters, "cursor": cursor}.items() if value}
    return f"/audit?{urlencode(query)}" if query else "/audit"
