"""Sessions: who is signed in with which key, and ending a session."""

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.chassis.keys import key_id_of
from services.console.client import Failure
from services.console.json_fields import items
from services.console.pages.forms import read_form
from services.console.pages.rendering import back_to, reader_of, render_page
from services.console.reader import Backend
from services.console.sessions_view import session_rows


def session_pages(backend: Backend) -> APIRouter:
    """`/sessions`, and ending one."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sessions")
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        read = await reader.read("rules_engine", "/v1/sessions", {"limit": 500})
        rows = session_rows(items(read.document or {}), key_id_of(reader.token))
        context = {"rows": rows, "error": read.error, "is_admin": "admin" in reader.scopes}
        return await render_page(request, reader, "sessions.html", context)

    @router.post("/sessions/end")
    async def end(request: Request) -> Response:
        reader = await reader_of(backend, request)
        session_id = (await read_form(request)).get("session", "")
        answer = await reader.send("DELETE", "rules_engine", f"/v1/sessions/{quote(session_id, safe='')}")
        if isinstance(answer, Failure):
            return back_to("/sessions", failed=answer.text)
        return back_to("/sessions", did="session_ended")

    return router
