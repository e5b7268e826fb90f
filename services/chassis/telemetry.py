"""Logs as JSON lines, and the chassis' metrics."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog
from prometheus_client import Counter, Gauge, Histogram

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


class Metrics:
    """The metrics of the chassis; a misspelt name is a type error."""

    consumed = Counter("drumbeat_records_consumed_total", "Records committed", ["topic"])
    conflicts = Counter(
        "drumbeat_cas_conflicts_total", "Batches dropped because another replica owned the offset", ["topic"]
    )
    retries = Counter("drumbeat_batch_retries_total", "Batches rolled back and retried", ["topic"])
    lag = Gauge("drumbeat_consumer_lag", "Records not yet consumed", ["topic", "partition"])
    halted = Gauge(
        "drumbeat_partition_halted",
        "1: too many dead letters, or the stored offset is not on the broker",
        ["topic", "partition"],
    )
    batch_seconds = Histogram("drumbeat_batch_seconds", "Time of one partition batch", ["topic"])
    longest_stretch = Histogram(
        "drumbeat_batch_longest_stretch_seconds",
        "The longest processor time of a batch without a turn for others",
        ["topic"],
        buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    )
    outbox_relayed = Counter("drumbeat_outbox_relayed_total", "Outbox records acknowledged")
    outbox_oldest = Gauge(
        "drumbeat_outbox_oldest_seconds",
        "Age of the oldest record that the broker has not acknowledged; 0: none",
    )
    unowned = Gauge(
        "drumbeat_partitions_unowned",
        "Partitions that no replica reads, without those that are halted",
        ["group"],
    )
    dead_letters = Counter("drumbeat_dead_letters_total", "Records that became dead letters", ["topic"])
    duplicates = Counter("drumbeat_inbox_duplicates_total", "Events that were processed before", ["topic"])
    key_records_refused = Counter(
        "drumbeat_key_records_refused_total", "Records of API keys without a valid signature"
    )
    audit_entries_refused = Counter(
        "drumbeat_audit_entries_refused_total", "Entries of the audit log without a valid signature"
    )
    away = Gauge("drumbeat_part_away", "1: PostgreSQL, Kafka or another service does not answer", ["part"])
    stalls = Histogram(
        "drumbeat_event_loop_stall_seconds",
        "How late a timer of 50 ms fires: for that long nothing else had a turn",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    )
    longest_stall = Gauge(
        "drumbeat_event_loop_longest_stall_seconds", "The longest stall since the start of the process"
    )
    longest_computation = Gauge(
        "drumbeat_event_loop_longest_computation_seconds",
        "The longest stall's part that this process computed: the rest it waited for a processor",
    )
    long_computations = Counter(
        "drumbeat_event_loop_long_computations_total",
        "Stalls of which this process computed more than 250 ms",
    )
    spans = Counter("drumbeat_spans_total", "Spans by whether the receiver of traces took them", ["result"])
    loop_failures = Counter("drumbeat_loop_failures_total", "Passes of a loop that failed", ["loop"])


METRICS = Metrics()
