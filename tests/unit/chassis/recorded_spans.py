"""Traces that are recorded in memory, for tests of one process."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from services.chassis.spans import Spans
from services.chassis.trace_context import traceparent_of
from services.chassis.tracing import Traces, use_traces


@dataclass
class Recorded:
    spans: Spans
    exporter: InMemorySpanExporter

    def __getitem__(self, name: str) -> ReadableSpan:
        """The only span of that name."""
        (found,) = self.all(name)
        return found

    def all(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]


@contextmanager
def recorded(ratio: float = 1.0) -> Generator[Recorded]:
    """All traces of this process, until the end of the block; `ratio` of the new ones."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(ratio)), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans = Spans(provider)
    use_traces(spans)
    try:
        yield Recorded(spans, exporter)
    finally:
        use_traces(Traces())


def traceparent(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context is not None
    return traceparent_of(context)


def parent_of(span: ReadableSpan) -> str | None:
    return None if span.parent is None else traceparent_of(span.parent)


def links_of(span: ReadableSpan) -> list[str]:
    return [traceparent_of(link.context) for link in span.links]
