"""Requests that are refused before anything of them is parsed: by the size or coding of the body, or a NUL in the URL."""

import re
from collections.abc import Collection
from typing import Final

from fastapi import HTTPException
from starlette import types as asgi

from services.chassis import problems
from services.chassis.problems import Problem

BODY_LIMIT: Final = 1 << 20
"""Bytes, unless a route asks for more."""
_MOST_DRAINED: Final = 256 << 20
"""Bytes of a refused body that are read: a browser that is still sending does not see an answer before its end."""
_CHARSET: Final = re.compile(r'charset\s*=\s*"?([^";\s]+)', re.IGNORECASE)
_UNICODE: Final = frozenset({"utf-8", "utf8", "us-ascii"})
_FORM: Final = "application/x-www-form-urlencoded"


class Limits:
    """Refuses a body that is too large, packed or in another charset, and a URL with a NUL, which no database stores.

    `larger` maps a path to its limit in bytes; `unpacked` are the paths that read Content-Encoding themselves.
    """

    def __init__(
        self, app: asgi.ASGIApp, *, limit: int, larger: dict[str, int], unpacked: Collection[str]
    ) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger
        self._unpacked = unpacked

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._larger.get(scope["path"], self._limit)
        headers: dict[bytes, bytes] = dict(scope["headers"])
        problem = _nul_in_url(scope["path"], scope["query_string"]) or _wrong_coding(
            headers, is_unpacked=scope["path"] in self._unpacked
        )
        declared = headers.get(b"content-length", b"0")
        if problem is None and declared.isdigit() and int(declared) > limit:
            problem = _too_large(limit)
        if problem is not None:
            if declared.isdigit() and int(declared) <= _MOST_DRAINED:
                await _drain(receive)
            await problems.problem_response(problem)(scope, receive, send)
            return
        await self._app(scope, _counting(receive, limit), send)


async def _drain(receive: asgi.Receive) -> None:
    while (await receive()).get("more_body"):
        continue


def _nul_in_url(path: str, query: bytes) -> Problem | None:
    if "\x00" in path:
        return Problem(404, "No resource has a NUL character (%00) in its path.")
    if b"%00" in query or b"\x00" in query:
        return Problem(422, "The query contains a NUL character (%00). Remove it.")
    return None


def _wrong_coding(headers: dict[bytes, bytes], *, is_unpacked: bool) -> Problem | None:
    """A body that would be read as something else than its sender means."""
    packed = headers.get(b"content-encoding", b"identity").decode("latin-1").strip()
    if packed.lower() != "identity" and not is_unpacked:
        return Problem(415, f"Content-Encoding: {packed[:40]} is not read here. Send the body as it is.")
    content_type = headers.get(b"content-type", b"").decode("latin-1")
    media = content_type.partition(";")[0].strip().lower()
    if media == _FORM or media.endswith(("/json", "+json")):
        return wrong_charset(content_type)
    return None


def wrong_charset(content_type: str) -> Problem | None:
    """415 for another charset than that of JSON (RFC 8259, section 8.1)."""
    charset = find_charset(content_type)
    if charset is None or charset.lower() in _UNICODE:
        return None
    return Problem(415, f"The charset {charset[:40]!r} is not read here. Send UTF-8.")


def find_charset(content_type: str) -> str | None:
    """The charset that a media type names."""
    found = _CHARSET.search(content_type)
    return found[1] if found else None


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
