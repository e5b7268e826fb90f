"""Around the app of a service: the id of each request, in the log and in the answer; its time, and its span.

A span has the route, never the address: addresses of pages for customers are secrets.
"""

import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from services.chassis.clock import monotonic
from services.chassis.ids import fresh
from services.chassis.telemetry import METRICS
from services.chassis.tracing import traces

REQUEST_ID: Final = b"x-request-id"
NO_ROUTE: Final = "none"
OTHER_METHOD: Final = "_OTHER"  # as OpenTelemetry's conventions for HTTP have it: a client may send any word
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_USABLE: Final = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_PROBES: Final = frozenset({"/livez", "/readyz", "/metrics"})


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
        answer = _Answer(send, asked if _USABLE.fullmatch(asked) else fresh().encode())
        with bound_contextvars(request_id=answer.request_id.decode()):
            if scope["path"] in _PROBES:
                await self._app(scope, receive, answer.send)
            else:
                await self._observe(scope, receive, answer, headers.get(b"traceparent", b""))

    async def _observe(self, scope: Scope, receive: Receive, answer: "_Answer", parent: bytes) -> None:
        method = scope["method"] if scope["method"] in _METHODS else OTHER_METHOD
        began = monotonic()
        with traces().span(method, "server", parent=parent.decode("latin-1")) as span:
            try:
                await self._app(scope, receive, answer.send)
            finally:
                route: str = getattr(scope.get("route"), "path", "") or NO_ROUTE
                METRICS.requests.labels(method, route, f"{answer.status // 100}xx").observe(
                    monotonic() - began
                )
                span.rename(f"{method} {route}")
                span.note({"http.request.method": method, "http.route": route})
                span.note({"http.response.status_code": answer.status})
                if answer.status >= 500:
                    span.fail(str(answer.status))


class _Answer:
    """The answer to a request, with its id. `status`: 500 while nothing was answered."""

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 500

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (REQUEST_ID, self.request_id)]
        await self._send(message)
