"""Errors as RFC 9457 `application/problem+json`: what is wrong, where, and what to do."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

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
    return Response(_dumped(body), status, dict(headers or {}), MEDIA_TYPE)


def _dumped(body: object) -> bytes:
    try:
        return orjson.dumps(body, default=str)
    except TypeError:  # it repeats what the sender said, which no text may hold: a lone surrogate
        return json.dumps(body, default=str, ensure_ascii=False).encode("utf-8", "replace")


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


async def _on_http(request: Request, raised: Exception) -> Response:
    assert isinstance(raised, HTTPException)  # noqa: S101
    status, detail = raised.status_code, str(raised.detail)
    if status == 404 and detail == "Not Found":
        detail = f"There is nothing at {request.url.path}. /openapi.json lists what there is."
    if status == 405:
        allowed = (raised.headers or {}).get("Allow", "another method")
        detail = f"{request.method} is not taken at {request.url.path}. Use {allowed}."
    return _json(status, problem_body(status, detail), raised.headers)


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


DOCUMENT: Mapping[str, object] = {
    "type": "object",
    "description": "RFC 9457: what is wrong, where, and what to do",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
}
WHAT: Mapping[str, str] = {
    "400": "the body cannot be read",
    "401": "no valid key",
    "403": "the key lacks the scope",
    "404": "there is no such thing",
    "413": "the body is too large",
    "422": "a value is not valid; `detail` says which and why",
    "503": "a part is away; try again after `Retry-After` seconds",
}


def documented(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with what `install` makes of errors: every operation's problems, one schema for all."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = DOCUMENT
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for methods in cast("dict[str, dict[str, Any]]", document["paths"]).values():
        for operation in methods.values():
            _document(operation)
    return document


def _document(operation: dict[str, Any]) -> None:
    responses = cast("dict[str, dict[str, Any]]", operation["responses"])
    statuses = {"422", "503"}
    if operation.get("security"):
        statuses |= {"401", "403"}
    if operation.get("requestBody"):
        statuses |= {"400", "413"}
    if any(each["in"] == "path" for each in operation.get("parameters", ())):
        statuses.add("404")
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in sorted(statuses | {each for each in responses if each.startswith(("4", "5"))}):
        said = responses.setdefault(status, {"description": WHAT.get(status, "")})
        if said["description"] == "Validation Error":
            said["description"] = WHAT["422"]
        if "HTTPValidationError" in str(said.get("content")):  # FastAPI's own form, which is not sent here
            del said["content"]
        said.setdefault("content", problem)
