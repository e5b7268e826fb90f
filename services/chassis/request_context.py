"""Around the app of a service: the id of each request, in the log and in the answer, and its span.

A span has the route, never the address: addresses of pages for customers are secrets.
"""

import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from services.chassis.ids import fresh
from services.chassis.tracing import Span, traces

REQUEST_ID: Final = b"x-request-id"
_USABLE: Final = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_NOT_TRACED: Final = frozenset({"/livez", "/readyz", "/metrics"})


class RequestContext:
    """An ASGI app around another one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict[bytes, bytes](scope["headers"])
        asked = headers.get(REQUEST_ID, b"")
        request_id = asked if _USABLE.fullmatch(asked) else fresh().encode()
        with bound_contextvars(request_id=request_id.decode()):
            if scope["path"] in _NOT_TRACED:
                await self._app(scope, receive, _answering(send, request_id))
                return
            parent = headers.get(b"traceparent", b"").decode("latin-1")
            with traces().span(scope["method"], "server", parent=parent) as span:
                await self._app(scope, receive, _answering(send, request_id, span))
                _describe(span, scope)


def _describe(span: Span, scope: Scope) -> None:
    route: str = getattr(scope.get("route"), "path", "")
    if route:
        span.rename(f"{scope['method']} {route}")
        span.note({"http.route": route})
    span.note({"http.request.method": scope["method"]})


def _answering(send: Send, request_id: bytes, span: Span | None = None) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (REQUEST_ID, request_id)]
            if span is not None:
                span.note({"http.response.status_code": message["status"]})
                if message["status"] >= 500:
                    span.fail(str(message["status"]))
        await send(message)

    return answer
