"""Counts the spans that were exported or lost; logs when the receiver stops taking them, and when it does again."""

import logging
from collections.abc import Sequence

import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from services.chassis.telemetry import METRICS

log = structlog.get_logger(__name__)


class CountingExporter(SpanExporter):
    """Hands spans to another exporter. Runs in the thread of the SDK."""

    def __init__(self, exporter: SpanExporter, service: str) -> None:
        self._exporter = exporter
        self._log = log.bind(service=service)  # the thread has none of the context of the process
        self._works = True
        # It logs every attempt; what has to be known is logged here.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        works = result is SpanExportResult.SUCCESS
        METRICS.spans.labels("exported" if works else "lost").inc(len(spans))
        if works != self._works:
            self._works = works
            event = "tracing.works_again" if works else "tracing.receiver_away"
            (self._log.info if works else self._log.warning)(event, spans=len(spans))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
