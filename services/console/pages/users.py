"""Users: who may sign in, with which role; for admins."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.console.client import Answer, Failure, Query
from services.console.json_fields import Json, items, text
from services.console.pages.forms import read_form
from services.console.pages.rendering import back_to, reader_of, render_page
from services.console.reader import Backend, Reader
from services.console.users_view import ROLES, user_rows

_PAGE: Final = 100
_LONGEST: Final = 1_000


def user_pages(backend: Backend) -> APIRouter:
    """`/users`, adding a user, and what is changed of one."""
    router = APIRouter(include_in_schema=False)

    @router.get("/users")
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        return await render_page(request, reader, "users.html", await _list(request, reader))

    @router.post("/users")
    async def add(request: Request) -> Response:
        reader = await reader_of(backend, request)
        form = await read_form(request)
        names = ("login", "name", "email", "role")
        body: Json = {name: value for name in names if (value := form.get(name, "").strip()[:_LONGEST])}
        if form.get("password"):
            body["password"] = form["password"][:_LONGEST]
        answer = await reader.post("rules_engine", "/v1/users", body)
        if isinstance(answer, Failure):
            context = await _list(request, reader) | {
                "add_error": answer.text,
                "form": {**_EMPTY, **form, "password": ""},
            }
            return await render_page(request, reader, "users.html", context, status=answer.status or 503)
        return back_to("/users", did="user_added")

    @router.post("/users/{user_id}")
    async def change(request: Request, user_id: str) -> Response:
        reader = await reader_of(backend, request)
        form = await read_form(request)
        answer = await _change(reader, f"/v1/users/{quote(user_id, safe='')}", form)
        if isinstance(answer, Failure):
            return back_to("/users", failed=answer.text)
        return back_to("/users", did="user_changed")

    return router


_EMPTY: Final[Mapping[str, str]] = dict.fromkeys(("login", "name", "email", "role", "password"), "")


async def _list(request: Request, reader: Reader) -> dict[str, object]:
    query: Query = {"limit": _PAGE}
    cursor = request.query_params.get("cursor", "")[:400]
    if cursor:
        query["cursor"] = cursor
    read = await reader.read("rules_engine", "/v1/users", query)
    document = read.document or {}
    following = text(document, "next_cursor")
    return {
        "rows": user_rows(items(document), await reader.people()),
        "error": read.error,
        "roles": ROLES,
        "own_id": text(reader.user, "user_id"),
        "form": _EMPTY,
        "add_error": "",
        "newest": "/users" if cursor else "",
        "older": f"/users?{urlencode({'cursor': following})}" if following else "",
    }


async def _change(reader: Reader, path: str, form: Mapping[str, str]) -> Answer:
    match form.get("act", ""):
        case "role":
            return await reader.put("rules_engine", f"{path}/role", {"role": form.get("role", "")})
        case "password":
            password = form.get("password", "")[:_LONGEST]
            return await reader.put("rules_engine", f"{path}/password", {"password": password})
        case "disable" | "enable" as act:
            return await reader.post("rules_engine", f"{path}/{act}", {})
        case _:
            return Failure(None, "This form has no action.")
