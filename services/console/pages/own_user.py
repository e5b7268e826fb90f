"""You: who is signed in, what they may do, whom they are linked to, and their own password."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.console.client import Failure
from services.console.json_fields import Json, text
from services.console.pages.forms import read_form
from services.console.pages.rendering import back_to, reader_of, render_page
from services.console.people import person_name
from services.console.reader import ROLE_NAMES, Backend

_LONGEST: Final = 1_000


def own_user_pages(backend: Backend) -> APIRouter:
    """`/you`, and changing the own password."""
    router = APIRouter(include_in_schema=False)

    @router.get("/you")
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        role = text(reader.user, "role")
        context = {
            "user": {name: text(reader.user, name) for name in ("name", "login", "email")}
            if reader.user
            else None,
            "role": ROLE_NAMES.get(role, role),
            "scopes": sorted(reader.scopes),
            "person": person_name(reader.own_id, await reader.people()) if reader.own_id else "",
        }
        return await render_page(request, reader, "you.html", context)

    @router.post("/you/password")
    async def change_password(request: Request) -> Response:
        reader = await reader_of(backend, request)
        form = await read_form(request)
        wanted, repeated = (form.get(name, "")[:_LONGEST] for name in ("password", "repeated"))
        if wanted != repeated:
            return back_to("/you", failed="The new password was not repeated as it is. Type it twice.")
        body: Json = {"current_password": form.get("current", "")[:_LONGEST], "password": wanted}
        answer = await reader.put("rules_engine", "/v1/users/me/password", body)
        if isinstance(answer, Failure):
            return back_to("/you", failed=answer.text)
        return back_to("/you", did="password_changed")

    return router
