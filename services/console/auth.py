"""Signing in and out: an API key is exchanged for a session, whose token is in a cookie that no script can read."""

import asyncio
import re
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.chassis.clock import real_now
from services.chassis.keys import key_id_of, key_of_session
from services.chassis.settings import Settings
from services.console.client import SERVICES, AsyncApiClient, Failure, Service
from services.console.json_fields import Json, instant, text

FORMER_COOKIE: Final = "drumbeat_key"
"""It held the API key itself in earlier versions; it is deleted wherever it is met."""
_NAME: Final = "drumbeat_session"
_TOKEN: Final = re.compile(r"[!-~]{8,200}")
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, auto_reload=False
)
_CROSS_SITE: Final = "This request came from another site. Open the console directly and sign in there."
_ENDED: Final = "Your session has ended: its time was over, or it or its key was revoked. Sign in again."
_KNOWN_WITHIN_SECONDS: Final = 6.0  # real seconds a service may take to learn of a new session
_POLL_SECONDS: Final = 0.2


class Cookies:
    """The session cookie. Behind TLS it is `Secure` and its name has the prefix `__Host-` (RFC 6265bis, 4.1.3.2)."""

    def __init__(self, settings: Settings) -> None:
        self._has_tls = (settings.console.url or "").startswith("https:")

    def is_secure(self, request: Request) -> bool:
        """Whether the browser speaks TLS; a trusted proxy says so in X-Forwarded-Proto, which the server reads."""
        return self._has_tls or request.url.scheme == "https"

    def token_of(self, request: Request) -> str | None:
        """The token of the request's session; None without one, or for anything that cannot be one."""
        token = request.cookies.get(self._name(request), "")
        return token if _TOKEN.fullmatch(token) and key_of_session(key_id_of(token)) else None

    def store(self, request: Request, response: Response, session: Json) -> None:
        expires_at = instant(session, "expires_at")
        seconds = int((expires_at - real_now()).total_seconds()) if expires_at else None
        response.set_cookie(
            self._name(request),
            text(session, "token"),
            max_age=seconds,
            httponly=True,
            samesite="strict",
            secure=self.is_secure(request),
        )
        self._delete(request, response, FORMER_COOKIE)

    def delete(self, request: Request, response: Response) -> None:
        for name in (self._name(request), FORMER_COOKIE):
            self._delete(request, response, name)

    def _delete(self, request: Request, response: Response, name: str) -> None:
        if name in request.cookies:
            response.delete_cookie(name, httponly=True, samesite="strict", secure=self.is_secure(request))

    def _name(self, request: Request) -> str:
        return f"__Host-{_NAME}" if self.is_secure(request) else _NAME


class SignInNeeded(Exception):
    """Nobody is signed in, or the session has ended; the path leads back after signing in."""

    def __init__(self, path: str, *, ended: bool = False) -> None:
        super().__init__(path)
        self.path = path
        self.ended = ended


def auth_routes(apis: AsyncApiClient, cookies: Cookies, key_file: str) -> APIRouter:
    """The routes `/sign-in` and `/sign-out`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sign-in")
    async def show_sign_in(request: Request, next: str = "/", ended: bool = False) -> Response:  # noqa: A002, FBT001, FBT002
        if cookies.token_of(request) is not None:
            return RedirectResponse(local_path(next), 303)
        # A link on another site brings no SameSite=Strict cookie; a reload from here does.
        reload = request.headers.get("sec-fetch-site") == "cross-site"
        ended = ended or FORMER_COOKIE in request.cookies
        response = _page(local_path(next), key_file, error=_ENDED if ended else "", reload=reload)
        cookies.delete(request, response)
        return response

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=8)
        key, target = form.get("key", [""])[0].strip(), local_path(form.get("next", ["/"])[0])
        client = request.headers.get("user-agent", "")
        session = _CROSS_SITE if is_cross_site(request) else await _begin(apis, key, client)
        if isinstance(session, str):
            return _page(target, key_file, error=session)
        await _end(apis, cookies.token_of(request))  # whoever set that cookie has no part in the new session
        response = RedirectResponse(target, 303)
        cookies.store(request, response, session)
        return response

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        response = RedirectResponse("/sign-in", 303)
        if is_cross_site(request):
            return response
        await _end(apis, cookies.token_of(request))
        cookies.delete(request, response)
        return response

    return router


def to_sign_in(cookies: Cookies, request: Request, needed: SignInNeeded) -> Response:
    """The way to the sign-in page; of a session that has ended, the cookie goes too."""
    ended = "&ended=1" if needed.ended else ""
    response = RedirectResponse(f"/sign-in?next={quote(needed.path, safe='')}{ended}", 303)
    if needed.ended:
        cookies.delete(request, response)
    return response


def local_path(target: str) -> str:
    """The target when it is a path of this console, else `/`."""
    parts = urlsplit(target.replace("\\", "/"))
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return "/"
    return target if target.isascii() and target.isprintable() else "/"


def is_cross_site(request: Request) -> bool:
    """Whether a page of another site sent this form.

    Browsers send Sec-Fetch-Site (Fetch Metadata) with every request and Origin with every form; a client that sends
    neither is no browser, and has no cookie that it was not given on purpose.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return True
    if origin is None or (origin == "null" and site == "same-origin"):
        return False
    return urlsplit(origin).netloc != request.headers.get("host")


async def _begin(apis: AsyncApiClient, key: str, client: str) -> Json | str:
    """A new session that every service knows, or why there is none."""
    if not _TOKEN.fullmatch(key):
        return "This is not an API key. A key looks like db_1a2b3c4d_… and has no spaces."
    if key_of_session(key_id_of(key)) is not None:
        return "This is the token of a session, not an API key. Sign in with the key."
    session = await apis.send("POST", key, "rules_engine", "/v1/sessions", {"client": client[:300]})
    if isinstance(session, Failure):
        return _refusal(session)
    if "read" not in str(session.get("scopes")):
        return "This key is valid but cannot read: it lacks the scope “read”."
    token = text(session, "token")
    await asyncio.gather(*(_until_known(apis, token, service) for service in SERVICES))
    return session


async def _end(apis: AsyncApiClient, token: str | None) -> None:
    if token is not None:
        await apis.send("DELETE", token, "rules_engine", f"/v1/sessions/{quote(key_id_of(token))}")


async def _until_known(apis: AsyncApiClient, token: str, service: Service) -> None:
    """Wait until this service accepts the session; one that does not answer learns of it when it comes back."""
    deadline = real_now().timestamp() + _KNOWN_WITHIN_SECONDS
    while real_now().timestamp() < deadline:
        answer = await apis.get(token, service, "/v1/clock")
        if not (isinstance(answer, Failure) and answer.status == 401):
            return
        await asyncio.sleep(_POLL_SECONDS)


def _refusal(failure: Failure) -> str:
    if failure.status == 401:
        return "This key is not valid. Check that it is complete, not expired and not revoked."
    if failure.status is None or failure.status >= 500:
        return (
            "The key cannot be checked, because the rules engine does not answer. Is Drumbeat running? Try again in a"
            " moment."
        )
    return failure.text


def _page(target: str, key_file: str, *, error: str = "", reload: bool = False) -> Response:
    content = _TEMPLATES.get_template("sign-in.html").render(
        next=target, key_file=key_file, error=error, reload=reload
    )
    return HTMLResponse(content, headers={"Cache-Control": "no-store"})
