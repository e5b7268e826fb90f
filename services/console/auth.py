"""Signing in and out: an API key is checked against the APIs and kept in a cookie that no script can read."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.console.client import SERVICES, AsyncApiClient, Failure

COOKIE: Final = "drumbeat_key"
_COOKIE_SECONDS: Final = 30 * 24 * 3600
_KEY: Final = re.compile(r"[!-~]{8,200}")
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, auto_reload=False
)
_CROSS_SITE: Final = "This request came from another site. Open the console directly and sign in there."


def key_of(request: Request) -> str | None:
    """The key in the request's cookie; None without one, or when it cannot be a key."""
    key = request.cookies.get(COOKIE, "")
    return key if _KEY.fullmatch(key) else None


def auth_routes(apis: AsyncApiClient, key_file: str) -> APIRouter:
    """The routes `/sign-in` and `/sign-out`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sign-in")
    async def show_sign_in(request: Request, next: str = "/") -> Response:  # noqa: A002
        if key_of(request) is not None:
            return RedirectResponse(local_path(next), 303)
        # A link on another site brings no SameSite=Strict cookie; a reload from here does.
        reload = request.headers.get("sec-fetch-site") == "cross-site"
        return _page(local_path(next), key_file, reload=reload)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=8)
        key, target = form.get("key", [""])[0].strip(), local_path(form.get("next", ["/"])[0])
        error = _CROSS_SITE if is_cross_site(request) else await _refusal(apis, key)
        if error is not None:
            return _page(target, key_file, error=error)
        response = RedirectResponse(target, 303)
        secure = request.url.scheme == "https"
        response.set_cookie(
            COOKIE, key, max_age=_COOKIE_SECONDS, httponly=True, samesite="strict", secure=secure
        )
        return response

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        response = RedirectResponse("/sign-in", 303)
        if not is_cross_site(request):
            response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    return router


def local_path(target: str) -> str:
    """The target when it is a path of this console, else `/`."""
    parts = urlsplit(target.replace("\\", "/"))
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return "/"
    return target if target.isascii() and target.isprintable() else "/"


def is_cross_site(request: Request) -> bool:
    """Whether a page of another site sent this form."""
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    return origin not in (None, "null") and urlsplit(str(origin)).netloc != request.headers.get("host")


async def _refusal(apis: AsyncApiClient, key: str) -> str | None:
    """Why this key cannot sign in, or None. The first API that answers decides."""
    if not _KEY.fullmatch(key):
        return "This is not an API key. A key looks like db_1a2b3c4d_… and has no spaces."
    for service in SERVICES:
        answer = await apis.get(key, service, "/v1/clock")
        if not isinstance(answer, Failure):
            return None
        if answer.status == 401:
            return "This key is not valid. Check that it is complete, not expired and not revoked."
        if answer.status == 403:
            return "This key is valid but cannot read: it lacks the scope “read”."
    return (
        "The key cannot be checked, because no service answers. Is Drumbeat running? Try again in a moment."
    )


def _page(target: str, key_file: str, *, error: str = "", reload: bool = False) -> Response:
    content = _TEMPLATES.get_template("sign-in.html").render(
        next=target, key_file=key_file, error=error, reload=reload
    )
    return HTMLResponse(content, headers={"Cache-Control": "no-store"})
