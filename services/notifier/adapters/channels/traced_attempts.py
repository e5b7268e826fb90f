"""Attempts as spans: each in the trace of the event that it delivers."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.chassis.tracing import Attributes, traces
from services.notifier.application.mail_ports import Handover
from services.notifier.application.text_ports import TextMessage, TextSender
from services.notifier.domain.delivery import AttemptOutcome, Response

_STATUS: Final = re.compile(r"HTTP (\d{3})\b")


async def trace_attempt(
    name: str, key: str, attributes: Attributes, attempt: Callable[[Mapping[str, str]], Awaitable[Response]]
) -> Response:
    """Make an attempt in a span. `key`: of the delivery or its message; `attempt` gets headers that go with a request."""
    with traces().waiting_span(name, key, attributes) as span:
        response = await attempt(span.headers)
        span.note({"drumbeat.outcome": response.outcome})
        if status := _STATUS.match(response.detail):
            span.note({"http.response.status_code": int(status[1])})
        if response.outcome is not AttemptOutcome.DELIVERED:
            span.fail(response.outcome)
        return response


@dataclass(frozen=True, slots=True)
class TracedSender:
    """Implements the port `TextSender` over another one. `channel`: what it sends over."""

    channel: str
    sender: TextSender

    async def send(self, message: TextMessage, *, at: datetime, handover: Handover | None = None) -> Response:
        def attempt(_: Mapping[str, str]) -> Awaitable[Response]:
            return self.sender.send(message, at=at, handover=handover)

        return await trace_attempt(f"send {self.channel}", message.delivery_id, {}, attempt)
