"""In and out: the key is asked for once, proven against the APIs, and kept in a cookie no script can read."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader
from nicegui import __version__ as nicegui_version
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.console.calls import APIS
from services.console.client import Apis, Trouble

COOKIE: Final = "drumbeat_key"
_KEY: Final = re.compile(r"[!-~]{8,200}")
_MONTH: Final = 30 * 24 * 3600  # seconds the browser keeps the key
_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, auto_reload=False
)
_FONTS: Final = f"/_nicegui/{nicegui_version}/static/fonts.css"
_ELSEWHERE: Final = "This request came from another site. Open the console itself and sign in there."


def key_of(request: Request) -> str | None:
    """The key the browser brought; None when it has none that could be one."""
    key = request.cookies.get(COOKIE, "")
    return key if _KEY.fullmatch(key) else None


def door_routes(apis: Apis, key_file: str, left: Callable[[str], None]) -> APIRouter:
    """Signing in and out; `left` is told the key that was signed out."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sign-in")
    async def ask(request: Request, next: str = "/") -> Response:  # noqa: A002
        if key_of(request) is not None:
            return RedirectResponse(local(next), 303)
        # A link on another site brings no SameSite=Strict cookie; a reload from here does.
        again = request.headers.get("sec-fetch-site") == "cross-site"
        return _page(local(next), key_file, again=again)

    @router.post("/sign-in")
    async def enter(request: Request) -> Response:
        form = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=8)
        key, target = form.get("key", [""])[0].strip(), local(form.get("next", ["/"])[0])
        trouble = _ELSEWHERE if _foreign(request) else await _refused(apis, key)
        if trouble is not None:
            return _page(target, key_file, trouble=trouble)
        answer = RedirectResponse(target, 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, key, max_age=_MONTH, httponly=True, samesite="strict", secure=secure)
        return answer

    @router.post("/sign-out")
    async def leave(request: Request) -> Response:
        answer = RedirectResponse("/sign-in", 303)
        if not _foreign(request):
            answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
            left(key_of(request) or "")
        return answer

    return router


def local(target: str) -> str:
    """A path of this console, never another site's."""
    parts = urlsplit(target.replace("\\", "/"))
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return "/"
    return target if target.isascii() and target.isprintable() else "/"


def _foreign(request: Request) -> bool:
    """Whether another site's page sent this form."""
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    return origin not in (None, "null") and urlsplit(str(origin)).netloc != request.headers.get("host")


async def _refused(apis: Apis, key: str) -> str | None:
    """Why this key does not open the console; None when it does. The first API that answers decides."""
    if not _KEY.fullmatch(key):
        return "This is not an API key. A key looks like db_1a2b3c4d_… and has no spaces."
    for service in APIS:
        answer = await apis.get(key, service, "/v1/clock")
        if not isinstance(answer, Trouble):
            return None
        if answer.status == 401:
            return "This key is not valid. Check that it is complete, not expired and not revoked."
        if answer.status == 403:
            return "This key is valid but may not read: it lacks the scope “read”."
    return "No service answers, so the key cannot be checked. Is Drumbeat running? Try again in a moment."


def _page(target: str, key_file: str, *, trouble: str = "", again: bool = False) -> Response:
    content = _PAGES.get_template("sign-in.html").render(
        next=target, key_file=key_file, trouble=trouble, again=again, fonts=_FONTS
    )
    return HTMLResponse(content, headers={"Cache-Control": "no-store"})
