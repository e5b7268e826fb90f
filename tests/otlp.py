"""A receiver of traces, as a Collector is one: OTLP over HTTP, decoded by the published protocol buffers."""

import contextlib
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Encoded
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.stack import free_port


@dataclass(frozen=True, slots=True)
class Span:
    """A span as it was received; ids in hexadecimal, `parent` empty for the first one of a trace."""

    trace: str
    id: str
    parent: str
    name: str
    service: str
    kind: str
    attributes: Mapping[str, str | int]
    links: tuple[tuple[str, str], ...]
    is_error: bool


@dataclass
class SpanReceiver:
    """Keeps every span. `url`: what `DRUMBEAT_TRACING__ENDPOINT` is."""

    url: str = ""
    spans: list[Span] = field(default_factory=list[Span])

    def of(self, trace: str) -> list[Span]:
        return [span for span in self.spans if span.trace == trace]


@contextlib.asynccontextmanager
async def receiving_spans() -> AsyncGenerator[SpanReceiver]:
    receiver = SpanReceiver()

    async def take(request: web.Request) -> web.Response:
        assert request.headers["content-type"] == "application/x-protobuf"
        exported = ExportTraceServiceRequest.FromString(await request.read())
        for resource in exported.resource_spans:
            service = str(_attributes(resource.resource.attributes)["service.name"])
            for scope in resource.scope_spans:
                receiver.spans += [_read(span, service) for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    receiver.url = f"http://127.0.0.1:{port}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


def _attributes(encoded: Iterable[KeyValue]) -> dict[str, str | int]:
    return {
        each.key: each.value.string_value if each.value.HasField("string_value") else each.value.int_value
        for each in encoded
    }


def _read(span: Encoded, service: str) -> Span:
    return Span(
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        name=span.name,
        service=service,
        kind=Encoded.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        attributes=_attributes(span.attributes),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        is_error=span.status.code == Status.STATUS_CODE_ERROR,
    )
