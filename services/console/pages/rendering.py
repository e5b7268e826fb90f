"""From a request to a page: who reads, the templates, live updates, and the answer to a form."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.console import labels
from services.console.auth import PERSON_COOKIE, SignInNeeded, is_cross_site
from services.console.drafts_view import pending_label
from services.console.notices import notice_of
from services.console.reader import Backend, Reader

_SESSION_SECONDS: Final = 2.0  # real seconds after which a session is asked about again
_DRAFTS: Final = "Drafts"
_PAGES: Final = (
    ("Today", "/"),
    ("My day", "/my-day"),
    ("Unowned", "/unowned"),
    ("Team", "/team"),
    ("Messages", "/messages"),
    (_DRAFTS, "/drafts"),
    ("Content", "/content"),
    ("Policy", "/policy"),
    ("Set-up", "/setup"),
    ("Sessions", "/sessions"),
)
_ADMIN_PAGES: Final = (("Users", "/users"), ("Audit", "/audit"))
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    auto_reload=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
MAIL_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox;"
    " frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}
"""A mail is shown in a frame of its own: without scripts, without requests to anybody."""
STRICT: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
}
_NO_STORE: Final = {"Cache-Control": "no-store", "Vary": "X-Live", **STRICT}


class ForeignForm(Exception):
    """A page of another site sent this form."""


async def reader_of(backend: Backend, request: Request) -> Reader:
    """The reader of this request. Raises SignInNeeded, and ForeignForm for a form of another site.

    The rules engine says whether the session still is one, at most two real seconds ago. While it does not answer, the
    other services check the token themselves.
    """
    token = backend.cookies.token_of(request)
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = path if request.method == "GET" else "/"
    if token is None:
        raise SignInNeeded(back)
    if request.method != "GET" and is_cross_site(request):
        raise ForeignForm
    session = await backend.reads.read(
        token, "rules_engine", "/v1/sessions/current", max_age=_SESSION_SECONDS
    )
    if session.status in (401, 404):
        raise SignInNeeded(back, ended=True)
    zone = request.headers.get("x-zone", "")[:100]
    reader = Reader(
        backend, token, session.document or {}, request.cookies.get(PERSON_COOKIE, "")[:200], zone
    )
    if session.document is not None:
        backend.apis.use(reader.key, token)
    await reader.find_own_person()
    return reader


def foreign_form(_: Request, __: Exception) -> Response:
    return HTMLResponse(
        "This form came from another site, so nothing was changed. Open the console directly.", 403
    )


async def render_page(
    request: Request, reader: Reader, template: str, context: Mapping[str, object], *, status: int = 200
) -> Response:
    """The page; for a live update only its live parts, and 304 when the browser shows them already."""
    now = await reader.local_now()
    is_live = request.headers.get("x-live") == "1"
    common: Mapping[str, object] = {
        "labels": labels,
        "pages": await _pages_of(reader),
        "path": request.url.path,
        "now": now,
        "service_now": reader.now(),
        "person_zone": await reader.person_zone(),
        "zone": str(now.tzinfo).replace("_", " "),
        "rate": reader.clock.rate,
        "mode": await reader.mode(),
        "is_live": is_live,
        "notice": notice_of(request.query_params),
        "person_id": reader.person_id,
        "signed_in_as": reader.shown_name(),
    }
    body = _TEMPLATES.get_template(template).render({**common, **context})
    tag = f'"{hashlib.blake2b(body.encode(), digest_size=12).hexdigest()}"'
    headers = {**_NO_STORE, "ETag": tag} if is_live else _NO_STORE
    if is_live and request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(body, status, headers=headers)


async def _pages_of(reader: Reader) -> list[tuple[str, str]]:
    """The pages that this reader may open, that of drafts with how many wait."""
    drafts = pending_label(_DRAFTS, await reader.pending_drafts())
    pages = [(drafts if name == _DRAFTS else name, target) for name, target in _PAGES]
    return [*pages, *(_ADMIN_PAGES if "admin" in reader.scopes else ())]


def missing_page(request: Request, status: int) -> Response | None:
    """The page at an address of no page; it asks nobody, so it is the same before and after signing in."""
    if request.url.path.startswith(("/v1/", "/static/")):
        return None
    path = request.url.path[:120]
    body = _TEMPLATES.get_template("not-found.html").render(path=path, pages=_PAGES)
    return HTMLResponse(body, status, headers=_NO_STORE)


def render_part(template: str, context: Mapping[str, object]) -> Response:
    """A part of a page that a script asked for."""
    body = _TEMPLATES.get_template(template).render({"labels": labels, **context})
    return HTMLResponse(body, headers=_NO_STORE)


def back_to(path: str, **notice: str) -> Response:
    """Show the page a form came from, with a notice of what was done."""
    query = urlencode({name: value for name, value in notice.items() if value})
    separator = "&" if urlsplit(path).query else "?"
    return RedirectResponse(f"{path}{separator}{query}" if query else path, 303)
