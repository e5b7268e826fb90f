"""W3C Trace Context: the header `traceparent` of requests, records and rows.

Of a record the header `traceparent` counts, which names the step before; without it the extension of CloudEvents
(`ce_traceparent`), which names where the event began. `tracestate` is not carried on.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, Self

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags

HEADER: Final = "traceparent"
EXTENSION: Final = "ce_traceparent"
"""The header of the extension of CloudEvents in binary content mode."""
# Version 00 in full; a later one may have more after it (W3C Trace Context, section 3.2).
_FORMAT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?", re.ASCII
)
_KNOWN_FLAGS: Final = 0b11
"""Sampled, and a random trace id (W3C Trace Context Level 2, section 3.2.2.5); others do not go on."""
_NO_CONTEXT: Final = trace.INVALID_SPAN_CONTEXT


def traceparent_of(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def read_traceparent(text: str) -> SpanContext:
    """The context of a traceparent; an invalid one where it is none, so that a new trace begins."""
    parts = _FORMAT.fullmatch(text.strip())
    if parts is None or (text.startswith("00") and len(text.strip()) != 55):
        return _NO_CONTEXT
    flags = TraceFlags(int(parts[3], 16) & _KNOWN_FLAGS)
    return SpanContext(int(parts[1], 16), int(parts[2], 16), is_remote=True, trace_flags=flags)


def step_before(headers: Sequence[tuple[str, bytes]]) -> SpanContext:
    """The context from which a record goes on; an invalid one where it has none."""
    context = _read(headers, HEADER)
    return context if context.is_valid else origin_of(headers)


def origin_of(headers: Sequence[tuple[str, bytes]]) -> SpanContext:
    """Where the event of a record began, as its sender says; an invalid context where it does not."""
    return _read(headers, EXTENSION)


def _read(headers: Sequence[tuple[str, bytes]], name: str) -> SpanContext:
    for header, value in headers:
        if header == name and value:
            return read_traceparent(value.decode("ascii", "replace"))
    return _NO_CONTEXT


class Carrier(NamedTuple):
    """What a row has: a traceparent, and with `;` the real moment at which it was written, in seconds since 1970."""

    text: str

    @classmethod
    def written(cls, traceparent: str, at: datetime) -> Self:
        return cls(f"{traceparent};{int(at.timestamp())}")

    @property
    def span_context(self) -> SpanContext:
        return read_traceparent(self.text.partition(";")[0])

    def context(self) -> Context:
        """As the parent of a span; a context without a parent where there is none."""
        context = self.span_context
        return (
            trace.set_span_in_context(NonRecordingSpan(context), Context()) if context.is_valid else Context()
        )

    def links(self) -> Sequence[Link]:
        context = self.span_context
        return [Link(context)] if context.is_valid else []

    def is_older_than(self, seconds: int, now: datetime) -> bool:
        written = self.text.partition(";")[2]
        return written.isdecimal() and now.timestamp() - int(written) > seconds
