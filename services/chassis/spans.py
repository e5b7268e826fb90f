"""Spans of OpenTelemetry and their export over OTLP/HTTP: what `tracing` does when it is on.

Names and attributes are those of OpenTelemetry's semantic conventions for HTTP, messaging and databases. The provider is
this module's own: no library finds a global one and adds spans with addresses or texts of people.
"""

import threading
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from itertools import zip_longest
from types import MappingProxyType
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode

from services.chassis.clock import real_now
from services.chassis.ids import fresh
from services.chassis.kafka_message import Headers, Message
from services.chassis.record_groups import RecordGroup, group_records
from services.chassis.span_exporter import CountingExporter
from services.chassis.trace_context import HEADER, Carrier, step_before, traceparent_of
from services.chassis.tracing import NOTHING, Attributes, Kind, Record, Span, Traces

LINK_AFTER_SECONDS: Final = 3600
"""Real time. What waited for longer begins a trace of its own, linked with the one that caused it."""
MOST_REMEMBERED: Final = 20_000
CLOSE_SECONDS: Final = 3.0
_KINDS: Final[Mapping[Kind, SpanKind]] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
}
_batch: ContextVar[Mapping[str, str]] = ContextVar("traces_of_the_batch", default=MappingProxyType({}))
"""The traceparents under which records of the batch are handled, by their key and by the id of the event."""


class RecordingSpan(Span):
    """A span of OpenTelemetry."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def headers(self) -> Mapping[str, str]:
        return {HEADER: traceparent_of(self._span.get_span_context())}

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def fail(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(StatusCode.ERROR)


class Spans(Traces):
    """Recorded traces. What is remembered of rows is bounded: the oldest is forgotten, and its trace ends there."""

    is_on = True

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("drumbeat", version("drumbeat"))
        self._waiting: OrderedDict[str, str] = OrderedDict()

    def close(self) -> None:
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    def current_ids(self) -> Mapping[str, str]:
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return {}
        return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}

    @contextmanager
    def span(
        self,
        name: str,
        kind: Kind = "internal",
        *,
        parent: str | None = None,
        attributes: Attributes = NOTHING,
    ) -> Generator[Span]:
        context = None if parent is None else Carrier(parent).context()
        with _around(self._tracer.start_span(name, context, _KINDS[kind], attributes)) as span:
            yield RecordingSpan(span)

    def inner_span(self, name: str, attributes: Attributes = NOTHING) -> AbstractContextManager[object]:
        if not trace.get_current_span().is_recording():
            return super().inner_span(name)
        return _around(self._tracer.start_span(name, None, SpanKind.CLIENT, attributes))

    @contextmanager
    def waiting_span(self, name: str, key: str, attributes: Attributes = NOTHING) -> Generator[Span]:
        with _around(self._resume(name, SpanKind.CLIENT, key, attributes)) as span:
            yield RecordingSpan(span)

    def _resume(self, name: str, kind: SpanKind, key: str, attributes: Attributes) -> trace.Span:
        """A span that goes on with what was remembered; linked with it where that was long ago."""
        carrier = Carrier(self._waiting.pop(key, ""))
        if carrier.is_older_than(LINK_AFTER_SECONDS, real_now()):
            return self._tracer.start_span(name, Context(), kind, attributes, carrier.links())
        return self._tracer.start_span(name, carrier.context(), kind, attributes)

    @contextmanager
    def batch(self, group: str, records: Sequence[Record]) -> Generator[None]:
        """The span in progress is that of the last group: the transaction is in its trace, linked with the others."""
        groups = group_records(records)
        spans = [
            self._tracer.start_span(
                f"process {records[0].topic}",
                each.parent.context(),
                SpanKind.CONSUMER,
                each.attributes(group),
                each.links(),
            )
            for each in groups
        ]
        with ExitStack() as ending:
            for span in spans[:-1]:
                ending.callback(span.end)
            last = ending.enter_context(_around(spans[-1]))
            for span in spans[:-1]:
                last.add_link(span.get_span_context())
            ending.callback(_batch.reset, _batch.set(_names_of_groups(groups, spans)))
            yield

    @contextmanager
    def sent(self, messages: Sequence[Message]) -> Generator[Sequence[Message]]:
        """A span for each topic and trace. A record without a trace, while no span is in progress, stays as it is."""
        current = trace.get_current_span().get_span_context()
        spans: dict[tuple[str, str], trace.Span] = {}
        traced: list[Message] = []
        try:
            for message in messages:
                parent = current if current.is_valid else step_before(message.headers)
                if not parent.is_valid:
                    traced.append(message)
                    continue
                place = (message.topic, traceparent_of(parent))
                if place not in spans:
                    spans[place] = self._start_sending(*place)
                header = (HEADER, traceparent_of(spans[place].get_span_context()).encode())
                others = [other for other in message.headers if other[0] != HEADER]
                traced.append(message._replace(headers=[*others, header]))
            yield traced
        finally:
            for span in spans.values():
                span.end()

    def _start_sending(self, topic: str, parent: str) -> trace.Span:
        attributes = {
            "messaging.system": "kafka",
            "messaging.operation.type": "send",
            "messaging.destination.name": topic,
        }
        return self._tracer.start_span(
            f"send {topic}", Carrier(parent).context(), SpanKind.PRODUCER, attributes
        )

    def headers_of(self, key: str, event_id: str = "") -> Headers:
        traceparent = _current(key, event_id)
        return () if traceparent is None else ((HEADER, traceparent.encode()),)

    def event_headers(self, name: str, key: str, of_batch: str) -> Headers:
        if key not in self._waiting:
            return self.headers_of(of_batch)
        span = self._resume(name, SpanKind.INTERNAL, key, NOTHING)
        span.end()
        return ((HEADER, traceparent_of(span.get_span_context()).encode()),)

    def carriers(self, keys: Sequence[str], event_ids: Sequence[str] = ()) -> list[str | None]:
        now = real_now()
        found = [_current(*names) for names in zip_longest(keys, event_ids, fillvalue="")]
        return [None if each is None else Carrier.written(each, now).text for each in found]

    def remember(self, rows: Sequence[tuple[str, str | None]]) -> None:
        for key, carrier in rows:
            if carrier is not None:
                self._waiting[key] = carrier
                self._waiting.move_to_end(key)
        while len(self._waiting) > MOST_REMEMBERED:
            self._waiting.popitem(last=False)

    def link(self, keys: Sequence[str]) -> None:
        span = trace.get_current_span()
        own = span.get_span_context().trace_id
        for key in keys:
            for other in Carrier(self._waiting.get(key, "")).links():
                if other.context.trace_id != own:
                    span.add_link(other.context)


@contextmanager
def _around(span: trace.Span) -> Generator[trace.Span]:
    """The span in progress until the end of the block; an exception is noted by its name alone."""
    try:
        with trace.use_span(span, record_exception=False, set_status_on_exception=False):
            yield span
    except BaseException as problem:
        RecordingSpan(span).fail(type(problem).__name__)
        raise
    finally:
        span.end()


def _current(key: str, event_id: str = "") -> str | None:
    """The traceparent under which something is done about a key."""
    of_batch = _batch.get()
    traceparent = of_batch.get(event_id) or of_batch.get(key)
    if traceparent is not None:
        return traceparent
    context = trace.get_current_span().get_span_context()
    return traceparent_of(context) if context.is_valid else None


def _names_of_groups(groups: Sequence[RecordGroup], spans: Sequence[trace.Span]) -> Mapping[str, str]:
    """The traceparent of each group by its key and its events; of several groups of a key the last one counts."""
    named: dict[str, str] = {}
    for group, span in zip(groups, spans, strict=True):
        if group.is_traced:
            named |= dict.fromkeys(group.names(), traceparent_of(span.get_span_context()))
    return named


def open_spans(endpoint: str, sample_ratio: float, service: str) -> Spans:
    """Spans that are exported in batches by a thread. `OTEL_*` variables set headers, limits and the rest of the SDK."""
    resource = Resource.create(
        {
            "service.namespace": "drumbeat",
            "service.name": service,
            "service.version": version("drumbeat"),
            "service.instance.id": fresh(),
        }
    )
    sampler = ParentBased(TraceIdRatioBased(sample_ratio))
    provider = TracerProvider(resource=resource, sampler=sampler, shutdown_on_exit=False)
    exporter = CountingExporter(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces"), service)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Spans(provider)
