"""What becomes of spans is counted, and a receiver that is away is one line of the log, and one when it is back."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.chassis.span_exporter import CountingExporter

SPANS = [ReadableSpan("one"), ReadableSpan("two")]


class Receiver(SpanExporter):
    def __init__(self) -> None:
        self.results = [SpanExportResult.SUCCESS, SpanExportResult.FAILURE, SpanExportResult.FAILURE]
        self.results.append(SpanExportResult.SUCCESS)
        self.is_closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self.results.pop(0)

    def shutdown(self) -> None:
        self.is_closed = True


def counted(result: str) -> float:
    return REGISTRY.get_sample_value("drumbeat_spans_total", {"result": result}) or 0.0


def test_spans_are_counted_and_an_outage_is_logged_once() -> None:
    receiver = Receiver()
    before = counted("exported"), counted("lost")
    with capture_logs() as lines:
        exporter = CountingExporter(receiver, "notifier")
        for _ in range(4):
            exporter.export(SPANS)
        exporter.shutdown()
    assert (counted("exported") - before[0], counted("lost") - before[1]) == (4, 4)
    assert [(line["event"], line["service"]) for line in lines] == [
        ("tracing.receiver_away", "notifier"),
        ("tracing.works_again", "notifier"),
    ]
    assert receiver.is_closed
