"""Logs as JSON lines, and the chassis' metrics."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, Literal

import structlog
from prometheus_client import Histogram

from services.chassis.metric_catalogue import MetricGroup
from services.chassis.tracing import traces


def configure_logs(level: Literal["debug", "info", "warning", "error"], *, service: str) -> None:
    """Log JSON lines with the service's name to standard output; other loggers write plain text there."""
    number = getattr(logging, level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _add_trace,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(
        stream=sys.stdout, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", force=True
    )
    # They log every attempt to connect while a server is away; the chassis logs that it is.
    for library in ("aiokafka", "asyncpg.pool"):
        logging.getLogger(library).setLevel(logging.CRITICAL)


def _add_trace(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The ids by which the line is found from its trace, and the trace from the line."""
    event.update(traces().current_ids())
    return event


CHASSIS: Final = MetricGroup("every service")
_BATCHES: Final = Histogram.DEFAULT_BUCKETS
_STRETCHES: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_STALLS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_REQUESTS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    """The metrics of the chassis; a misspelt name is a type error."""

    consumed = CHASSIS.counter(
        "drumbeat_records_consumed_total", "Records committed", ["topic"], unit="records"
    )
    conflicts = CHASSIS.counter(
        "drumbeat_cas_conflicts_total",
        "Batches dropped because another replica owned the offset",
        ["topic"],
        unit="batches",
    )
    retries = CHASSIS.counter(
        "drumbeat_batch_retries_total", "Batches rolled back and retried", ["topic"], unit="batches"
    )
    lag = CHASSIS.gauge(
        "drumbeat_consumer_lag", "Records not yet consumed", ["topic", "partition"], unit="records"
    )
    halted = CHASSIS.gauge(
        "drumbeat_partition_halted",
        "1: too many dead letters, or the stored offset is not on the broker",
        ["topic", "partition"],
        unit="0 or 1",
    )
    batch_seconds = CHASSIS.seconds(
        "drumbeat_batch_seconds", "Time of one partition batch", ["topic"], buckets=_BATCHES
    )
    longest_stretch = CHASSIS.seconds(
        "drumbeat_batch_longest_stretch_seconds",
        "The longest processor time of a batch without a turn for others",
        ["topic"],
        buckets=_STRETCHES,
    )
    outbox_relayed = CHASSIS.counter(
        "drumbeat_outbox_relayed_total", "Outbox records acknowledged", unit="records"
    )
    outbox_oldest = CHASSIS.gauge(
        "drumbeat_outbox_oldest_seconds",
        "Age of the oldest record that the broker has not acknowledged; 0: none",
        unit="seconds",
    )
    unowned = CHASSIS.gauge(
        "drumbeat_partitions_unowned",
        "Partitions that no replica reads, without those that are halted",
        ["group"],
        unit="partitions",
    )
    dead_letters = CHASSIS.counter(
        "drumbeat_dead_letters_total", "Records that became dead letters", ["topic"], unit="records"
    )
    duplicates = CHASSIS.counter(
        "drumbeat_inbox_duplicates_total", "Events that were processed before", ["topic"], unit="events"
    )
    key_records_refused = CHASSIS.counter(
        "drumbeat_key_records_refused_total",
        "Records of API keys without a valid signature",
        unit="records",
    )
    audit_entries_refused = CHASSIS.counter(
        "drumbeat_audit_entries_refused_total",
        "Entries of the audit log without a valid signature",
        unit="entries",
    )
    away = CHASSIS.gauge(
        "drumbeat_part_away",
        "1: PostgreSQL, Kafka or another service does not answer",
        ["part"],
        unit="0 or 1",
    )
    stalls = CHASSIS.seconds(
        "drumbeat_event_loop_stall_seconds",
        "How late a timer of 50 ms fires: for that long nothing else had a turn",
        buckets=_STALLS,
    )
    longest_stall = CHASSIS.gauge(
        "drumbeat_event_loop_longest_stall_seconds",
        "The longest stall since the start of the process",
        unit="seconds",
    )
    longest_computation = CHASSIS.gauge(
        "drumbeat_event_loop_longest_computation_seconds",
        "The longest stall's part that this process computed: the rest it waited for a processor",
        unit="seconds",
    )
    long_computations = CHASSIS.counter(
        "drumbeat_event_loop_long_computations_total",
        "Stalls of which this process computed more than 250 ms",
        unit="stalls",
    )
    loop_failures = CHASSIS.counter(
        "drumbeat_loop_failures_total", "Passes of a loop that failed", ["loop"], unit="passes"
    )
    rate_limited = CHASSIS.counter(
        "drumbeat_rate_limited_requests_total",
        "Requests refused because their key has used its rate",
        unit="requests",
    )
    requests = CHASSIS.seconds(
        "drumbeat_http_request_seconds",
        "Time of a request by its route and the first digit of its status; without probes and scrapes",
        ["method", "route", "status"],
        buckets=_REQUESTS,
    )
    spans = CHASSIS.counter(
        "drumbeat_spans_total",
        "Spans by whether the receiver of traces took them: exported or lost",
        ["result"],
        unit="spans",
    )


METRICS = Metrics()
