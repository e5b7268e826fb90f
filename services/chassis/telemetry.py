"""Logs as JSON lines, and the catalogue of every metric there is."""

import logging
import sys
from dataclasses import dataclass, field
from typing import Literal

import structlog
from prometheus_client import Counter, Gauge, Histogram


def configure_logs(level: Literal["debug", "info", "warning", "error"], *, service: str) -> None:
    """Structured lines on standard output, each with the service's name; foreign loggers join in as text."""
    number = getattr(logging, level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
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
    # aiokafka reports each reconnection as an error while a broker restarts; ours say what follows from it.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Every metric of the chassis; a typo is a type error."""

    consumed: Counter = field(
        default_factory=lambda: Counter("drumbeat_records_consumed_total", "Records committed", ["topic"])
    )
    conflicts: Counter = field(
        default_factory=lambda: Counter(
            "drumbeat_cas_conflicts_total",
            "Batches dropped because another replica owned the offset",
            ["topic"],
        )
    )
    retries: Counter = field(
        default_factory=lambda: Counter(
            "drumbeat_batch_retries_total", "Batches rolled back and tried again", ["topic"]
        )
    )
    lag: Gauge = field(
        default_factory=lambda: Gauge(
            "drumbeat_consumer_lag", "Records not yet consumed", ["topic", "partition"]
        )
    )
    halted: Gauge = field(
        default_factory=lambda: Gauge(
            "drumbeat_partition_halted", "1: the stored offset is not on the broker", ["topic", "partition"]
        )
    )
    batch_seconds: Histogram = field(
        default_factory=lambda: Histogram("drumbeat_batch_seconds", "Time of one partition batch", ["topic"])
    )
    outbox_relayed: Counter = field(
        default_factory=lambda: Counter("drumbeat_outbox_relayed_total", "Outbox records acknowledged")
    )
    buried: Counter = field(
        default_factory=lambda: Counter(
            "drumbeat_dead_letters_total", "Records that could not be read", ["topic"]
        )
    )
    duplicates: Counter = field(
        default_factory=lambda: Counter("drumbeat_inbox_duplicates_total", "Events heard before", ["topic"])
    )
    loop_failures: Counter = field(
        default_factory=lambda: Counter(
            "drumbeat_loop_failures_total", "Passes of a loop that failed", ["loop"]
        )
    )


METRICS = Metrics()
