"""The form of the Team page with which the own calendar of a CSM is named or forgotten."""

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.console.client import Failure
from services.console.pages.forms import read_form
from services.console.pages.rendering import back_to, reader_of
from services.console.reader import Backend


def own_calendar_routes(backend: Backend) -> APIRouter:
    """POST `/team/calendar`: `person`, `address`, and `act`, `set` or `remove`."""
    router = APIRouter(include_in_schema=False)

    @router.post("/team/calendar")
    async def change(request: Request) -> Response:
        reader = await reader_of(backend, request)
        form = await read_form(request)
        person, address = form.get("person", "")[:200], form.get("address", "").strip()[:2048]
        is_removal = form.get("act") == "remove"
        if not person:
            return back_to("/team", failed="Choose a person.")
        if not is_removal and not address:
            return back_to("/team", failed="Enter the address at which their calendar program publishes it.")
        path = f"/v1/csms/{quote(person, safe='')}/busy-calendar"
        answer = (
            await reader.send("DELETE", "scheduler", path)
            if is_removal
            else await reader.put("scheduler", path, {"url": address})
        )
        if isinstance(answer, Failure):
            return back_to("/team", failed=answer.text)
        return back_to("/team", did="calendar_forgotten" if is_removal else "calendar_set")

    return router
