"""The session cookie, which no script can read, and what may be done with a form and a path of the console."""

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.chassis.clock import real_now
from services.chassis.keys import is_user, key_id_of, key_of_session
from services.chassis.settings import Settings
from services.console.json_fields import Json, instant, text

FORMER_COOKIE: Final = "drumbeat_key"
"""It held the API key itself in earlier versions; it is deleted wherever it is met."""
_NAME: Final = "drumbeat_session"
_FLOW: Final = "drumbeat_sign_in"
_FLOW_PATH: Final = "/sign-in"
_FLOW_SECONDS: Final = 600
PERSON_COOKIE: Final = "drumbeat_person"
"""Whom a reader chose to be. A user who signs in is the person with their mail address, whoever was here before."""
SCOPE_COOKIE: Final = "drumbeat_scope"
"""Whether lists show what is theirs or everything, as they last chose."""
TOKEN: Final = re.compile(r"[!-~]{8,200}")


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
        return token if TOKEN.fullmatch(token) and key_of_session(key_id_of(token)) else None

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
        if is_user(text(session, "key_id")):
            for name in (PERSON_COOKIE, SCOPE_COOKIE):
                self._delete(request, response, name)

    def store_flow(self, request: Request, response: Response, flow: str, target: str) -> None:
        """A sign-in at the identity provider that this browser has begun, and where it leads.

        `Lax`: the provider sends the browser back from another site, and a `Strict` cookie would not come with it.
        """
        response.set_cookie(
            _FLOW,
            f"{flow}.{quote(target, safe='')}",
            max_age=_FLOW_SECONDS,
            path=_FLOW_PATH,
            httponly=True,
            samesite="lax",
            secure=self.is_secure(request),
        )

    def flow_of(self, request: Request) -> tuple[str, str]:
        """(flow, target); ("", "/") without one."""
        flow, _, target = request.cookies.get(_FLOW, "").rpartition(".")
        return flow[:2_000], local_path(unquote(target))

    def delete_flow(self, request: Request, response: Response) -> None:
        response.delete_cookie(
            _FLOW, _FLOW_PATH, httponly=True, samesite="lax", secure=self.is_secure(request)
        )

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
