"""Errors as RFC 9457 `application/problem+json`: what is wrong, where, and what to do."""

from collections.abc import Mapping, Sequence

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.chassis.database import INFRASTRUCTURE

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

TITLES: Mapping[int, str] = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Stale version",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not valid",
    429: "Too many requests",
    503: "Not available",
}


class Problem(Exception):
    """An answer other than success: `status`, `detail` for people, and whatever members help a program."""

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members


def problem_body(status: int, detail: str, **members: object) -> dict[str, object]:
    return {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        **members,
    }


def problem_response(problem: Problem) -> Response:
    body = problem_body(problem.status, problem.detail, **problem.members)
    return _json(problem.status, body, problem.headers)


def _json(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body, default=str), status, dict(headers or {}), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every error of the app a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    for kind in INFRASTRUCTURE:
        app.add_exception_handler(kind, _on_unavailable)
    app.add_exception_handler(Exception, _on_bug)


async def _on_problem(_: Request, raised: Exception) -> Response:
    assert isinstance(raised, Problem)  # noqa: S101
    return problem_response(raised)


async def _on_http(_: Request, raised: Exception) -> Response:
    assert isinstance(raised, HTTPException)  # noqa: S101
    return _json(raised.status_code, problem_body(raised.status_code, str(raised.detail)), raised.headers)


async def _on_invalid(_: Request, raised: Exception) -> Response:
    assert isinstance(raised, RequestValidationError)  # noqa: S101
    errors = [{"where": ".".join(map(str, each["loc"])), "what": each["msg"]} for each in raised.errors()]
    return _json(422, problem_body(422, _summary(errors), errors=errors))


def _summary(errors: Sequence[Mapping[str, str]]) -> str:
    return "; ".join(f"{each['where']}: {each['what']}" for each in errors[:10])


async def _on_unavailable(request: Request, raised: Exception) -> Response:
    log.warning("http.unavailable", path=request.url.path, problem=repr(raised))
    detail = "The database is not answering. Nothing was changed; try again."
    return _json(503, problem_body(503, detail), {"Retry-After": "2"})


async def _on_bug(request: Request, raised: Exception) -> Response:
    log.error("http.failed", path=request.url.path, exc_info=raised)
    return _json(500, problem_body(500, "This is a fault of Drumbeat; its log has the details."))
