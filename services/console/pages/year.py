"""An account's year at a glance, also on paper."""

from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from schemas.times import format_instant
from services.console import labels
from services.console.client import Query
from services.console.json_fields import Json, items, text
from services.console.pages.rendering import reader_of, render_page
from services.console.people import account_name, person_name
from services.console.reader import Backend, Reader
from services.console.shared_reads import Read
from services.console.touchpoints import touchpoints
from services.console.year_marks import avoid_periods, legend, year_marks, year_period
from services.console.year_view import year_end, year_months, year_start

_PAGE: Final = 500
_MOST_PAGES: Final = 4
_CLOSED_DAYS_SECONDS: Final = 5.0


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
        closed = await _read_closed_days(reader, account_id)
        days = closed.document or {}
        csm = person_name(text(days, "csm_id"), await reader.people())
        marks = year_marks(days, avoid_periods(document), csm)
        context: dict[str, object] = {
            "account_id": account_id,
            "account_name": account_name(account_id, {account_id: document}),
            "months": year_months(touchpoints(listed), marks, now),
            "legend": legend(marks, csm),
            "unknown": _unknown(days, csm) if closed.document is not None else "",
            "error": read.error or error or closed.error,
            "is_empty": not listed,
        }
        return await render_page(request, reader, "year.html", context)

    return router


async def _read_closed_days(reader: Reader, account_id: str) -> Read:
    now = await reader.local_now()
    query: Query = {"account_id": account_id, **year_period(year_start(now), year_end(now))}
    return await reader.read("scheduler", "/v1/closed-days", query, max_age=_CLOSED_DAYS_SECONDS)


def _unknown(days: Json, csm: str) -> str:
    """Whose public holidays are missing, for a year without them looks like one without holidays."""
    whose = [
        *(["the customer"] if days.get("customer_holidays") is None else []),
        *([csm] if text(days, "csm_id") and days.get("csm_holidays") is None else []),
    ]
    if not whose:
        return ""
    return f"Public holidays of {labels.listing(whose)} are not shown: no country is known."


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
