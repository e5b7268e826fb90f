"""The console's app: what every service answers, the doors, the page, and headers that keep strangers out."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from nicegui import ui
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from services.chassis.clock import ServiceClock, real_now
from services.chassis.keys import ApiKey, KeyFileUnreadable, KeyRing, digest, first_key, key_id_of
from services.chassis.problems import Problem
from services.chassis.settings import Settings
from services.chassis.web import Chassis, make_app
from services.console.auth import door_routes
from services.console.client import Apis, Trouble
from services.console.pages import overview, policy
from services.console.pages.page_header import Guests

_STATIC: Final = Path(__file__).with_name("static")
_MARK: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f5f66"/>'
    '<path stroke="#fff" stroke-width="3" stroke-linecap="round" d="M7 14v4M13 9v14M19 12v8M25 14.5v3"/></svg>'
)
_VOUCHED: Final = timedelta(seconds=30)
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


def make(settings: Settings, clock: ServiceClock) -> FastAPI:
    """The whole app. It is ready when it answers: what the APIs lack, its page says."""
    apis, keys = Apis(settings), _first_keys(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        await apis.close()

    app = make_app(Chassis("console", clock, keys, _ready), title="console", lifespan=lifespan)
    guests = Guests()
    app.include_router(door_routes(apis, settings.key_file.name, guests.leave))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    @app.get("/v1/{rest:path}", include_in_schema=False)
    async def unknown(rest: str) -> None:
        raise Problem(
            404, f"The console has no /v1/{rest}: facts, calendar and deliveries are on the other services."
        )

    @app.middleware("http")
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.url.path == "/v1/clock":
            await _vouch(apis, keys, request)
        answer = await go_on(request)
        for name, value in _HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    overview.mount(apis, clock, guests)
    policy.mount(apis, clock, guests)
    _dress(app)
    return app


def _dress(app: FastAPI) -> None:
    """Mount NiceGUI below everything else."""
    ui.run_with(  # pyright: ignore[reportUnknownMemberType]
        app,
        title="Drumbeat",
        favicon=_MARK,
        dark=None,
        language="en-GB",
        tailwind=False,
        binding_refresh_interval=None,
        reconnect_timeout=30.0,
        show_welcome_message=False,
    )


async def _ready() -> str | None:
    return None


def _first_keys(settings: Settings) -> KeyRing:
    """The first key, where this machine has it; others are asked after when they are presented."""
    ring = KeyRing()
    try:
        ring.learn(first_key(settings.key_file))
    except KeyFileUnreadable:
        return ring
    return ring


async def _vouch(apis: Apis, keys: KeyRing, request: Request) -> None:
    """Learn from the rules engine, for a short while, what a key the console does not know may do."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    known = keys.find(key) if key else None
    if scheme.lower() != "bearer" or not key_id_of(key) or not key.isascii():
        return
    if known is not None and (known.expires_at is None or known.expires_at > real_now()):
        return
    answer = await apis.get(key, "rules_engine", "/v1/clock")
    if isinstance(answer, Trouble) and answer.status != 403:
        return
    scopes = frozenset[str]() if isinstance(answer, Trouble) else frozenset({"read"})
    keys.learn(ApiKey(key_id_of(key), digest(key), scopes, expires_at=real_now() + _VOUCHED))
