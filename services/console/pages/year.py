"""An account's year at a glance, also on paper."""

from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from schemas.times import format_instant
from services.console.json_fields import Json, items, text
from services.console.pages.rendering import reader_of, render_page
from services.console.people import account_name
from services.console.reader import Backend, Reader
from services.console.touchpoints import touchpoints
from services.console.year_view import avoid_periods, year_end, year_months, year_start

_PAGE: Final = 500
_MOST_PAGES: Final = 4


def year_routes(backend: Backend) -> APIRouter:
    """`/year`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/year")
    async def show(request: Request, account: str = "") -> Response:
        reader = await reader_of(backend, request)
        account_id = account[:200]
        now = await reader.local_now()
        path = f"/v1/accounts/{quote(account_id, safe='')}"
        read = await reader.read("rules_engine", path)
        document = read.document or {}
        listed, error = await _read_year(reader, account_id)
        context: dict[str, object] = {
            "account_id": account_id,
            "account_name": account_name(account_id, {account_id: document}),
            "months": year_months(touchpoints(listed), avoid_periods(document), now),
            "error": read.error or error,
            "is_empty": not listed,
        }
        return await render_page(request, reader, "year.html", context)

    return router


async def _read_year(reader: Reader, account_id: str) -> tuple[list[Json], str]:
    now = await reader.local_now()
    query: dict[str, str | int | list[str]] = {
        "account_id": account_id,
        "from": format_instant(year_start(now)),
        "to": format_instant(year_end(now)),
        "limit": _PAGE,
    }
    found: list[Json] = []
    for _ in range(_MOST_PAGES):
        read = await reader.read("scheduler", "/v1/touchpoints", query)
        found.extend(items(read.document or {}))
        cursor = text(read.document or {}, "next_cursor")
        if read.error or not cursor:
            return found, read.error
        query = {**query, "cursor": cursor}
    return found, ""
