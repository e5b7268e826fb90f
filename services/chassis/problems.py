"""Errors as RFC 9457 `application/problem+json`: what is wrong, where, and what to do."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.chassis.database import INFRASTRUCTURE
from services.chassis.outages import OUTAGES

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
ErrorHandler = Callable[[Request, Exception], Awaitable[Response]]

TITLES: Mapping[int, str] = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not valid",
    429: "Too many requests",
    503: "Not available",
}


class Problem(Exception):
    """An error response: `status`, `detail` for people, and further members for programs.

    `title`: the kind of problem, where a status has several (RFC 9457, section 3.1.3).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.title = title or TITLES.get(status, "Error")
        self.headers = dict(headers or {})
        self.members = members


def problem_response(problem: Problem) -> Response:
    body = {"type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail}
    return Response(_dump({**body, **problem.members}), problem.status, problem.headers, MEDIA_TYPE)


def _dump(body: object) -> bytes:
    try:
        return orjson.dumps(body, default=str)
    except TypeError:  # it repeats a lone surrogate of the request, which UTF-8 cannot encode
        return json.dumps(body, default=str, ensure_ascii=False).encode("utf-8", "replace")


def install(app: FastAPI) -> None:
    """Turn every error of the app into a problem document."""
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
    detail = str(raised.detail)
    if raised.status_code == 404 and detail == "Not Found":
        detail = f"There is no resource at {request.url.path}. /openapi.json lists all of them."
    if raised.status_code == 405:
        allowed = (raised.headers or {}).get("Allow", "another method")
        detail = f"{request.url.path} does not support {request.method}. Use {allowed}."
    return problem_response(Problem(raised.status_code, detail, headers=raised.headers))


def install_missing_page(app: FastAPI, page: Callable[[Request, int], Response | None]) -> None:
    """Answer a browser at an address that does not exist with a page instead of a problem document.

    `page` gets the status, 404 or 405, and may answer None: then it is a problem document after all.
    """
    otherwise = cast("ErrorHandler", app.exception_handlers[HTTPException])

    async def on_http(request: Request, raised: Exception) -> Response:
        assert isinstance(raised, HTTPException)  # noqa: S101
        if raised.status_code in (404, 405) and wants_page(request):
            shown = page(request, raised.status_code)
            if shown is not None:
                return shown
        return await otherwise(request, raised)

    app.add_exception_handler(HTTPException, on_http)


def wants_page(request: Request) -> bool:
    """Whether a person opens this address in a browser; programs do not ask for HTML by name."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")


async def _on_invalid(_: Request, raised: Exception) -> Response:
    assert isinstance(raised, RequestValidationError)  # noqa: S101
    errors = [{"where": ".".join(map(str, error["loc"])), "what": error["msg"]} for error in raised.errors()]
    summary = "; ".join(f"{error['where']}: {error['what']}" for error in errors[:10])
    return problem_response(Problem(422, summary, errors=errors))


async def _on_unavailable(request: Request, raised: Exception) -> Response:
    if not OUTAGES.report("requests", raised):
        log.warning("http.unavailable", path=request.url.path, problem=repr(raised))
    detail = "The database does not answer. Nothing was changed; try again."
    return problem_response(Problem(503, detail, headers={"Retry-After": "2"}))


async def _on_bug(request: Request, raised: Exception) -> Response:
    log.error("http.failed", path=request.url.path, exc_info=raised)
    return problem_response(Problem(500, "This is an error in Drumbeat; its log has the details."))


DOCUMENT: Mapping[str, object] = {
    "type": "object",
    "description": "RFC 9457 problem details: what is wrong, where, and what to do",
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
DESCRIPTIONS: Mapping[str, str] = {
    "400": "the body cannot be read",
    "401": "no valid key",
    "403": "the key lacks the scope",
    "404": "it does not exist",
    "413": "the body is too large",
    "415": "the body is compressed, of another media type, or in another charset than UTF-8",
    "422": "a value is not valid; `detail` says which and why",
    "503": "a part is not available; try again after `Retry-After` seconds",
}


def documented(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the problem responses of every operation, which `install` sends."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = DOCUMENT
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for methods in cast("dict[str, dict[str, Any]]", document["paths"]).values():
        for operation in methods.values():
            _document(operation)
    return document


def _document_scopes(operation: dict[str, Any]) -> None:
    """Scopes of which one suffices are alternatives; OpenAPI reads a list of them as all of them."""
    scheme, scopes = next(iter(cast("dict[str, list[str]]", operation["security"][0]).items()))
    operation["security"] = [{scheme: [scope]} for scope in scopes] or [{scheme: []}]
    needed = " or ".join(f"`{scope}`" for scope in scopes)
    text = f"Needs the scope {needed}." if scopes else "Needs a valid key of any scope."
    operation["description"] = "\n\n".join(filter(None, (operation.get("description"), text)))


def _document(operation: dict[str, Any]) -> None:
    responses = cast("dict[str, dict[str, Any]]", operation["responses"])
    statuses = {"422", "503"}
    if operation.get("security"):
        statuses |= {"401", "403"}
        _document_scopes(operation)
    if operation.get("requestBody"):
        statuses |= {"400", "413", "415"}
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        statuses.add("404")
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in sorted(statuses | {status for status in responses if status.startswith(("4", "5"))}):
        response = responses.setdefault(status, {"description": DESCRIPTIONS.get(status, "")})
        if response["description"] == "Validation Error":
            response["description"] = DESCRIPTIONS["422"]
        if "HTTPValidationError" in str(
            response.get("content")
        ):  # FastAPI's own form, which is not sent here
            del response["content"]
        response.setdefault("content", problem)
