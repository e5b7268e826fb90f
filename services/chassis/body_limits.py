"""Requests that are refused before anything of them is parsed: a body over its limit, a URL with a NUL."""

from typing import Final

from fastapi import HTTPException
from starlette import types as asgi

from services.chassis import problems
from services.chassis.problems import Problem

BODY_LIMIT: Final = 1 << 20
"""Bytes, unless a route asks for more."""


class Limits:
    """Refuses, before anything is parsed, a body over its limit and a URL with a NUL, which PostgreSQL cannot store."""

    def __init__(self, app: asgi.ASGIApp, *, limit: int, larger: dict[str, int]) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._larger.get(scope["path"], self._limit)
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        problem = _nul_in_url(scope["path"], scope["query_string"])
        if problem is None and declared.isdigit() and int(declared) > limit:
            problem = _too_large(limit)
        if problem is not None:
            await problems.problem_response(problem)(scope, receive, send)
            return
        await self._app(scope, _counting(receive, limit), send)


def _nul_in_url(path: str, query: bytes) -> Problem | None:
    if "\x00" in path:
        return Problem(404, "No resource has a NUL character (%00) in its path.")
    if b"%00" in query or b"\x00" in query:
        return Problem(422, "The query contains a NUL character (%00). Remove it.")
    return None


def _counting(receive: asgi.Receive, limit: int) -> asgi.Receive:
    received = 0

    async def receive_counted() -> asgi.Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            # Not a `Problem`: while FastAPI reads a body it lets only its own exception pass.
            raise HTTPException(413, _too_large(limit).detail)
        return message

    return receive_counted


def _too_large(limit: int) -> Problem:
    return Problem(413, f"The body is larger than {limit} bytes. Send less at a time.", limit=limit)
