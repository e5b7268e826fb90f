"""Unowned: work that nobody has yet, to claim or to give to somebody, several at once."""

from datetime import datetime
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.console import labels
from services.console.client import Failure
from services.console.json_fields import Json, items
from services.console.pages.forms import read_number, read_pairs
from services.console.pages.rendering import back_to, reader_of, render_page
from services.console.reader import Backend, Reader
from services.console.touchpoints import touchpoints
from services.console.unowned_view import UnownedRow, unowned_rows

_OPEN: Final = ["overdue", "due", "planned"]
_MOST: Final = 200


def unowned_routes(backend: Backend) -> APIRouter:
    """`/unowned`, and claiming or assigning what is ticked."""
    router = APIRouter(include_in_schema=False)

    @router.get("/unowned")
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        rows, error = await _read(reader, await reader.local_now())
        people = await reader.people()
        return await render_page(
            request,
            reader,
            "unowned.html",
            {
                "rows": rows,
                "error": error,
                "me": people.get(reader.person_id),
                "people": [(one.id, one.label) for one in people.values()],
            },
        )

    @router.post("/unowned")
    async def take(request: Request) -> Response:
        reader = await reader_of(backend, request)
        pairs = await read_pairs(request)
        form = dict(pairs)
        chosen = [value for name, value in pairs if name == "touchpoint"][:_MOST]
        is_claim = form.get("act") == "claim"
        person_id = reader.person_id if is_claim else form.get("person", "")
        if not chosen:
            return back_to("/unowned", failed="Tick at least one touchpoint.")
        if not person_id:
            missing = "Choose who you are on “My day” first." if is_claim else "Choose a person."
            return back_to("/unowned", failed=missing)
        error = await _take_all(reader, chosen, person_id, is_claim=is_claim)
        return back_to("/unowned", did="" if error else "claimed" if is_claim else "assigned", failed=error)

    return router


async def _read(reader: Reader, now: datetime) -> tuple[list[UnownedRow], str]:
    query = {"unowned": "true", "status": _OPEN, "limit": _MOST}
    read = await reader.read("scheduler", "/v1/touchpoints", query)
    found = touchpoints(items(read.document or {}))
    accounts = await reader.accounts(item.account_id for item in found)
    return unowned_rows(found, accounts, now), read.error


async def _take_all(reader: Reader, chosen: list[str], person_id: str, *, is_claim: bool) -> str:
    """Give each to the person. Returns what could not be given, or ""."""
    errors: list[str] = []
    who: Json = {} if is_claim else await reader.actor()
    for entry in chosen:
        touchpoint_id, _, version = entry.rpartition(":")
        path = f"/v1/touchpoints/{quote(touchpoint_id, safe='')}/{'claim' if is_claim else 'reassign'}"
        body: Json = {"csm_id": person_id, "version": read_number(version), **who}
        answer = await reader.post("scheduler", path, body)
        if isinstance(answer, Failure):
            errors.append(answer.text)
    if not errors:
        return ""
    given = len(chosen) - len(errors)
    return f"{given} of {labels.count(len(chosen), 'touchpoint')} taken. {errors[0]}"
