"""Signing in by password, at the identity provider, or with an API key; and signing out."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.chassis.clock import real_now
from services.chassis.keys import key_id_of, key_of_session
from services.chassis.web import KEY_NEEDED
from services.console.auth import FORMER_COOKIE, TOKEN, Cookies, is_cross_site, local_path
from services.console.client import SERVICES, AsyncApiClient, Failure, Service
from services.console.json_fields import Json, nested, text
from services.console.pages.forms import read_form

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, auto_reload=False
)
_CROSS_SITE: Final = "This request came from another site. Open the console directly and sign in there."
_ENDED: Final = "Your session has ended: its time was over, or it or its key was revoked. Sign in again."
_KNOWN_WITHIN_SECONDS: Final = 6.0  # real seconds a service may take to learn of a new session
_POLL_SECONDS: Final = 0.2
_ONLY_KEY: Final[Json] = {"password": False, "key": True, "provider": None}
"""The ways to sign in until the rules engine has named them once."""
_AWAY: Final = (
    "The rules engine does not answer, so this page may lack ways to sign in. Load it again in a moment."
)
_LONGEST: Final = 2_000


class SignInPage:
    """The sign-in page, with the ways that the rules engine names. `key_file`: the name of that with the first key."""

    def __init__(self, apis: AsyncApiClient, key_file: str) -> None:
        self._apis, self._key_file = apis, key_file
        self._ways: Json | None = None  # as last named

    async def show(self, target: str, *, error: str = "", login: str = "", reload: bool = False) -> Response:
        ways = await self._apis.get("", "rules_engine", "/v1/sign-in")
        if not isinstance(ways, Failure):
            self._ways = ways
        elif self._ways is None:
            error = error or _AWAY
        known = self._ways or _ONLY_KEY
        context = {
            "next": target,
            "key_file": self._key_file,
            "error": error,
            "login": login,
            "reload": reload,
            "ways": known,
            "provider": text(nested(known, "provider"), "name"),
        }
        return _render("sign-in.html", context)


def auth_routes(apis: AsyncApiClient, cookies: Cookies, key_file: str) -> APIRouter:
    """The routes `/sign-in`, `/sign-in/provider`, `/sign-in/callback` and `/sign-out`."""
    router = APIRouter(include_in_schema=False)
    page = SignInPage(apis, key_file)
    _add_forms(router, apis, cookies, page)
    _add_provider(router, apis, cookies, page)
    return router


def _add_forms(router: APIRouter, apis: AsyncApiClient, cookies: Cookies, page: SignInPage) -> None:
    @router.get("/sign-in")
    async def show_sign_in(request: Request, next: str = "/", ended: bool = False) -> Response:  # noqa: A002, FBT001, FBT002
        if cookies.token_of(request) is not None:
            return RedirectResponse(local_path(next), 303)
        # A link on another site brings no SameSite=Strict cookie; a reload from here does.
        reload = request.headers.get("sec-fetch-site") == "cross-site"
        ended = ended or FORMER_COOKIE in request.cookies
        response = await page.show(local_path(next), error=_ENDED if ended else "", reload=reload)
        cookies.delete(request, response)
        return response

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form = await read_form(request)
        target, login = local_path(form.get("next", "/")), form.get("login", "")[:254]
        session = _CROSS_SITE if is_cross_site(request) else await _begin(apis, form, _client_of(request))
        if isinstance(session, str):
            return await page.show(target, error=session, login=login)
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


def _add_provider(router: APIRouter, apis: AsyncApiClient, cookies: Cookies, page: SignInPage) -> None:
    @router.get("/sign-in/provider")
    async def go_to_provider(request: Request, next: str = "/") -> Response:  # noqa: A002
        begun = await apis.send("POST", "", "rules_engine", "/v1/sign-in/provider")
        if isinstance(begun, Failure):
            return await page.show(local_path(next), error=_refusal(begun))
        response = RedirectResponse(text(begun, "url"), 303, headers={"Cache-Control": "no-store"})
        cookies.store_flow(request, response, text(begun, "flow"), local_path(next))
        return response

    @router.get("/sign-in/callback")
    async def come_back(request: Request) -> Response:
        flow, target = cookies.flow_of(request)
        names = ("state", "code", "error", "iss")
        answer = {name: request.query_params.get(name, "")[:_LONGEST] for name in names}
        body: Json = {**answer, "flow": flow, "client": _client_of(request)}
        session = await apis.send("POST", "", "rules_engine", "/v1/sign-in/provider/finish", body)
        if isinstance(session, Failure):
            response = await page.show(target, error=_refusal(session))
        else:
            await _end(apis, cookies.token_of(request))
            await _until_all_know(apis, session)
            # No redirect: one that another site began brings no SameSite=Strict cookie to the page.
            response = _render("signed-in.html", {"target": target})
            cookies.store(request, response, session)
        cookies.delete_flow(request, response)
        return response


async def _begin(apis: AsyncApiClient, form: Mapping[str, str], client: str) -> Json | str:
    """A new session that every service knows, or why there is none."""
    key, login = form.get("key", "").strip(), form.get("login", "")
    if login or "password" in form:
        body: Json = {
            "login": login[:254] or "?",
            "password": form.get("password", "")[:1_000] or "?",
            "client": client,
        }
        session = await apis.send("POST", "", "rules_engine", "/v1/sign-in/password", body)
    elif not TOKEN.fullmatch(key):
        return "This is not an API key. A key looks like db_1a2b3c4d_… and has no spaces."
    elif key_of_session(key_id_of(key)) is not None:
        return "This is the token of a session, not an API key. Sign in with the key."
    else:
        session = await apis.send("POST", key, "rules_engine", "/v1/sessions", {"client": client})
    if isinstance(session, Failure):
        return _refusal(session)
    if "read" not in str(session.get("scopes")):
        return "This key is valid but cannot read: it lacks the scope “read”."
    await _until_all_know(apis, session)
    return session


async def _end(apis: AsyncApiClient, token: str | None) -> None:
    if token is not None:
        await apis.send("DELETE", token, "rules_engine", f"/v1/sessions/{quote(key_id_of(token))}")


async def _until_all_know(apis: AsyncApiClient, session: Json) -> None:
    token = text(session, "token")
    await asyncio.gather(*(_until_known(apis, token, service) for service in SERVICES))


async def _until_known(apis: AsyncApiClient, token: str, service: Service) -> None:
    """Wait until this service accepts the session; one that does not answer learns of it when it comes back."""
    deadline = real_now().timestamp() + _KNOWN_WITHIN_SECONDS
    while real_now().timestamp() < deadline:
        answer = await apis.get(token, service, "/v1/clock")
        if not (isinstance(answer, Failure) and answer.status == 401):
            return
        await asyncio.sleep(_POLL_SECONDS)


def _client_of(request: Request) -> str:
    return request.headers.get("user-agent", "")[:300]


def _refusal(failure: Failure) -> str:
    detail = text(failure.document, "detail")
    if failure.status == 401:
        known = detail.removesuffix(KEY_NEEDED).strip()  # what callers of the API have to do is no help here
        return known or "This key is not valid. Check that it is complete, not expired and not revoked."
    if failure.status is None or (failure.status >= 500 and not detail):
        return "Nobody can sign in, because the rules engine does not answer. Is Drumbeat running? Try again in a moment."
    return detail or failure.text


def _render(template: str, context: Mapping[str, object]) -> Response:
    content = _TEMPLATES.get_template(template).render(context)
    return HTMLResponse(content, headers={"Cache-Control": "no-store"})
