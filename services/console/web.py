"""The console's web app: the routes of every service, signing in, the pages, and security headers."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from services.chassis.clock import ServiceClock, real_now
from services.chassis.keys import ApiKey, KeyFileUnreadable, KeyRing, digest, first_key, key_id_of
from services.chassis.problems import Problem, install_missing_page
from services.chassis.settings import Settings
from services.chassis.web import Chassis, make_app
from services.console.auth import Cookies, SignInNeeded, to_sign_in
from services.console.client import AsyncApiClient, Failure
from services.console.pages.audit import audit_pages
from services.console.pages.components import component_routes
from services.console.pages.contacts import contact_pages
from services.console.pages.content import content_routes
from services.console.pages.drafts import draft_pages
from services.console.pages.messages import message_routes
from services.console.pages.my_day import action_routes, my_day_routes
from services.console.pages.own_calendar import own_calendar_routes
from services.console.pages.own_user import own_user_pages
from services.console.pages.policy import MAX_BODY, policy_routes
from services.console.pages.rendering import STRICT, ForeignForm, foreign_form, missing_page
from services.console.pages.sessions import session_pages
from services.console.pages.setup import setup_pages
from services.console.pages.tables import LARGER_BODIES, table_pages
from services.console.pages.team import team_routes
from services.console.pages.today import today_routes
from services.console.pages.unowned import unowned_routes
from services.console.pages.users import user_pages
from services.console.pages.year import year_routes
from services.console.reader import Backend
from services.console.shared_reads import SharedReads
from services.console.sign_in import auth_routes

_STATIC: Final = Path(__file__).with_name("static")
_KEY_CACHE_TIME: Final = timedelta(seconds=30)
_HEADERS: Final = {
    **STRICT,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


def make_console(settings: Settings, clock: ServiceClock) -> FastAPI:
    """The whole app. It is ready as soon as it answers: a page shows which APIs do not."""
    apis, keys, cookies = AsyncApiClient(settings), _first_key_ring(settings), Cookies(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        await apis.close()

    app = make_app(
        Chassis("console", clock, keys, _ready, has_work=False),
        title="console",
        lifespan=lifespan,
        larger_bodies={"/policy/draft": MAX_BODY, **LARGER_BODIES},
    )
    app.include_router(auth_routes(apis, cookies, settings.key_file.name))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    @app.get("/v1/{path:path}", include_in_schema=False)
    async def unknown(path: str) -> None:
        raise Problem(
            404, f"The console has no /v1/{path}: facts, calendar and deliveries are on the other services."
        )

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.url.path == "/v1/clock":
            await _cache_key(apis, keys, request)
        response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    app.add_middleware(GZipMiddleware, minimum_size=1000)
    _add_pages(app, Backend(apis, SharedReads(apis), clock, cookies))
    return app


def _add_pages(app: FastAPI, backend: Backend) -> None:
    """The pages that the server renders."""
    for routes in (
        today_routes,
        my_day_routes,
        action_routes,
        unowned_routes,
        team_routes,
        own_calendar_routes,
        year_routes,
        message_routes,
        draft_pages,
        content_routes,
        policy_routes,
        setup_pages,
        table_pages,
        session_pages,
        audit_pages,
        contact_pages,
        user_pages,
        own_user_pages,
        component_routes,
    ):
        app.include_router(routes(backend))

    async def sign_in_needed(request: Request, needed: Exception) -> Response:
        assert isinstance(needed, SignInNeeded)  # noqa: S101
        return to_sign_in(backend.cookies, request, needed)

    app.add_exception_handler(SignInNeeded, sign_in_needed)
    app.add_exception_handler(ForeignForm, foreign_form)
    install_missing_page(app, missing_page)


async def _ready() -> str | None:
    return None


def _first_key_ring(settings: Settings) -> KeyRing:
    """The first key, where this machine has it; other keys are looked up when a request brings them."""
    ring = KeyRing()
    with suppress(KeyFileUnreadable):
        ring.learn(first_key(settings.key_file))
    return ring


async def _cache_key(apis: AsyncApiClient, keys: KeyRing, request: Request) -> None:
    """Ask the rules engine whether an unknown key may read, and keep the answer for a short time."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    cached = keys.find(key) if key else None
    if scheme.lower() != "bearer" or not key_id_of(key) or not key.isascii():
        return
    if cached is not None and (cached.expires_at is None or cached.expires_at > real_now()):
        return
    answer = await apis.get(key, "rules_engine", "/v1/clock")
    if isinstance(answer, Failure) and answer.status != 403:
        return
    scopes = frozenset[str]() if isinstance(answer, Failure) else frozenset({"read"})
    keys.learn(ApiKey(key_id_of(key), digest(key), scopes, expires_at=real_now() + _KEY_CACHE_TIME))
