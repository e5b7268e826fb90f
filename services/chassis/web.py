"""HTTP for every service: health, metrics, the clock, API keys, body limits, problem documents, paging."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any, Literal, cast

import orjson
from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from tzdata import IANA_VERSION

from services.chassis import problems
from services.chassis.audit import LINK, acts_as
from services.chassis.body_limits import BODY_LIMIT, Limits
from services.chassis.clock import ServiceClock, real_now
from services.chassis.keys import ApiKey, KeyRing, Scope
from services.chassis.openapi_links import Links, add_links
from services.chassis.outbox import timestamp
from services.chassis.problems import ErrorHandler, Problem
from services.chassis.rest import Rest

HOLIDAYS_RELEASE = version("holidays")
"""Of the public holidays that the calendar reads."""
LAST = 2**62
"""Beyond every number by which a list is ordered: where one begins that shows the newest first."""
Limit = Annotated[int, Query(ge=1, le=500, description="the number of items at most")]
RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Cursor = Annotated[str | None, Query(max_length=400, description="`next_cursor` of the previous page")]

Readiness = Callable[[], Awaitable[str | None]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class JSON(JSONResponse):
    """JSON written by orjson: instants as RFC 3339 in UTC."""

    def render(self, content: object) -> bytes:
        return orjson.dumps(content, default=_jsonable, option=orjson.OPT_UTC_Z)


def _jsonable(value: object) -> object:
    if isinstance(value, frozenset | set | tuple):
        return list(cast("tuple[object, ...]", value))
    raise TypeError(type(value).__name__)


@dataclass(frozen=True, slots=True)
class Chassis:
    """What a service gives to its app: its name, its clock, its keys, and its readiness."""

    service: str
    clock: ServiceClock
    keys: KeyRing
    readiness: Readiness
    """None when the service can work, else what it waits for."""
    warnings: Sequence[str] = ()
    """What the operator has to repair although the service works; `/readyz` shows it."""
    rest: Rest = field(default_factory=Rest)
    has_work: bool = True
    """Whether events and service time bring it work; the console has none."""


def make_app(
    chassis: Chassis,
    *,
    title: str,
    lifespan: Lifespan | None = None,
    larger_bodies: dict[str, int] | None = None,
    unpacked_bodies: Collection[str] = (),
    links: Iterable[Links] = (),
) -> FastAPI:
    """An app with the routes and handlers of every service; `larger_bodies` maps a path to its limit in bytes.

    `unpacked_bodies` are the paths that read Content-Encoding; `links` are those of its OpenAPI document.
    """
    app = FastAPI(
        title=f"Drumbeat {title}",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        default_response_class=JSON,
        separate_input_output_schemas=False,
    )
    app.state.chassis = chassis
    app.state.halted = dict[str, str]
    app.add_middleware(Limits, limit=BODY_LIMIT, larger=larger_bodies or {}, unpacked=unpacked_bodies)
    problems.install(app)
    for kind in (RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _check_key_first(cast("ErrorHandler", app.exception_handlers[kind])))
    app.include_router(_health(chassis))
    app.include_router(_clock(chassis))
    if chassis.has_work:
        app.include_router(_rest(chassis))
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = problems.documented(generate())
            add_links(app.openapi_schema, links)
        return app.openapi_schema

    app.openapi = openapi
    return app


def _health(chassis: Chassis) -> APIRouter:
    router = APIRouter(tags=["service"])

    @router.get("/livez", summary="Whether the process answers")
    async def livez() -> dict[str, str]:
        return {"status": "alive", "service": chassis.service}

    @router.get("/readyz", summary="Whether the service can work")
    async def readyz(
        request: Request,
        ignore: Annotated[
            Literal["halted"] | None,
            Query(description="`halted`: answer 200 although partitions are halted; the others are read"),
        ] = None,
    ) -> dict[str, str | list[str]]:
        waiting_for = await chassis.readiness()
        halted = cast("Mapping[str, str]", request.app.state.halted())
        if waiting_for is None and halted and ignore is None:
            places = "; ".join(f"{partition} is halted: {reason}" for partition, reason in halted.items())
            waiting_for = f"{places}. See GET /v1/partitions and the runbook."
        if waiting_for is not None:
            raise Problem(503, f"Not ready: {waiting_for}", headers={"Retry-After": "1"}, halted=halted)
        return {"status": "ready", "service": chassis.service, "warnings": list(chassis.warnings)}

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _clock(chassis: Chassis) -> APIRouter:
    router = APIRouter(tags=["service"])

    @router.get("/v1/clock", summary="The service clock", dependencies=[require("read")])
    async def clock() -> dict[str, object]:
        mapping = chassis.clock
        return {
            "now": timestamp(mapping.now()),
            "start": timestamp(mapping.start),
            "rate": mapping.rate,
            "origin": timestamp(mapping.origin),
            "holidays": HOLIDAYS_RELEASE,
            "tzdata": IANA_VERSION,
        }

    return router


def _rest(chassis: Chassis) -> APIRouter:
    router = APIRouter(tags=["service"])

    @router.get(
        "/v1/clock/rest",
        summary="Whether all work is done that events and service time brought",
        dependencies=[require("read")],
    )
    async def rest() -> dict[str, object]:
        return {"now": timestamp(chassis.clock.now()), **await chassis.rest.state()}

    @router.post(
        "/v1/clock/rest",
        summary="Begin at once what waits for more of its kind",
        description="For rehearsals: when all else is at rest, nothing more will join what is `gathering`.",
        dependencies=[require("admin")],
    )
    async def release() -> dict[str, object]:
        return {"now": timestamp(chassis.clock.now()), "released": await chassis.rest.release()}

    return router


CHALLENGE = {"WWW-Authenticate": 'Bearer realm="drumbeat"'}
KEY_NEEDED = "This call needs a valid API key: `Authorization: Bearer <key>`."
bearer = HTTPBearer(auto_error=False, description="An API key: `Authorization: Bearer db_…`")


def require(*scopes: Scope) -> Any:
    """A dependency: 401 without a valid key, 403 when the key has none of the scopes. No scope: any valid key."""

    async def check_key(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
    ) -> ApiKey:
        key = _find_key(request, credentials, scopes)
        acts_as(key.key_id)
        return key

    check_key.scopes = scopes  # pyright: ignore[reportFunctionMemberAccess]
    return Security(check_key, scopes=scopes)


def _find_key(
    request: Request, credentials: HTTPAuthorizationCredentials | None, scopes: Sequence[Scope]
) -> ApiKey:
    """Raises a `Problem`, 401 or 403."""
    chassis = cast("Chassis", request.app.state.chassis)
    key = chassis.keys.find(credentials.credentials) if credentials else None
    now = real_now()
    if key is None or not key.is_live(now):
        refusal = key.refusal(now) if key is not None else ""
        raise Problem(401, f"{refusal} {KEY_NEEDED}".strip(), headers=CHALLENGE)
    chassis.keys.note_use(key, now)
    if scopes and not any(key.allows(scope, now) for scope in scopes):
        needed = " or ".join(map(repr, scopes))
        raise Problem(403, f"The {key.kind} {key.key_id} does not have the scope {needed}.", scopes=scopes)
    return key


def _check_key_first(handle: ErrorHandler) -> ErrorHandler:
    """FastAPI reads a body before it checks the key: who may not call gets 401 or 403, whatever the body is."""

    async def handle_after_key(request: Request, raised: Exception) -> Response:
        dependant = getattr(request.scope.get("route"), "dependant", None)
        for dependency in getattr(dependant, "dependencies", ()):
            scopes = cast("tuple[Scope, ...] | None", getattr(dependency.call, "scopes", None))
            if scopes is not None:
                try:
                    _find_key(request, await bearer(request), scopes)
                except Problem as refused:
                    return problems.problem_response(refused)
        return await handle(request, raised)

    return handle_after_key


async def _act_by_link() -> None:
    acts_as(LINK)


by_link = Depends(_act_by_link)
"""A dependency of routes whose address is the proof."""


def encode_cursor(*parts: str | int | datetime) -> str:
    """The position in a list as opaque text."""
    texts = [timestamp(part) if isinstance(part, datetime) else part for part in parts]
    return base64.urlsafe_b64encode(orjson.dumps(texts)).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: type) -> list[Any] | None:
    """The parts of a cursor, which must be of these kinds (str, int, datetime); raises a 422 `Problem`."""
    if cursor is None:
        return None
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(cast("list[object]", parts)) != len(kinds):
            raise _bad_cursor()
        return [_part(part, kind) for part, kind in zip(cast("list[object]", parts), kinds, strict=True)]
    except (ValueError, TypeError, binascii.Error) as problem:
        raise _bad_cursor() from problem


def _part(part: object, kind: type) -> object:
    if kind is datetime and isinstance(part, str) and (moment := datetime.fromisoformat(part)).tzinfo:
        return moment
    too_large = isinstance(part, int) and abs(part) >= 2**63
    if type(part) is not kind or too_large or (isinstance(part, str) and "\x00" in part):
        raise _bad_cursor()
    return part


def _bad_cursor() -> Problem:
    return Problem(422, "cursor: not a `next_cursor` of this list. Omit it to begin at the start.")


def page(items: list[Any], limit: int, cursor_of: Callable[[Any], str]) -> dict[str, object]:
    """`{items, next_cursor}` from up to limit + 1 items: one more than shown means that there is a next page."""
    more = len(items) > limit
    shown = items[:limit]
    return {"items": shown, "next_cursor": cursor_of(shown[-1]) if more else None}
