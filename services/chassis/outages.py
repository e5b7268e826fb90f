"""Outages of what the services depend on: one line in the log when one begins and one when it ends.

Many loops notice an outage, each many times. Whoever fails reports it here, whoever works says so. An outage has ended
when everybody who failed works again and nobody has failed for a while.
"""

from typing import Final

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from services.chassis.clock import monotonic
from services.chassis.telemetry import METRICS

log = structlog.get_logger(__name__)

# Longer than between two looks at the broker (5 s) and the time that one may take (2 s): a part that comes back slowly,
# and fails some of its first answers, makes no second outage.
SETTLED_SECONDS: Final = 10.0
POSTGRESQL: Final = "PostgreSQL"
KAFKA: Final = "Kafka"
AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    KafkaError,
    OSError,
    TimeoutError,
)
"""Errors that say that a part does not answer. A deadlock or a lock that is not granted is none."""


class KafkaAway(TimeoutError):
    """The broker did not answer in time."""


def part_of(problem: BaseException) -> str:
    """Which part does not answer; what does not say so concerns the database, which everything uses."""
    return KAFKA if isinstance(problem, KafkaError | KafkaAway) else POSTGRESQL


class Outages:
    """The parts that are away now, as the reporters of this process (loops, partitions) see them."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._failed_at: dict[str, float] = {}
        self._reporters: dict[str, set[str]] = {}

    def report(self, reporter: str, problem: BaseException, *, part: str | None = None) -> bool:
        """Note that a part does not answer; False when the problem is of another kind."""
        if not isinstance(problem, AWAY):
            return False
        part, now = part or part_of(problem), monotonic()
        if part not in self._began:
            self._began[part] = now
            METRICS.away.labels(part).set(1)
            log.warning("outage.began", part=part, noticed_by=reporter, problem=repr(problem))
        self._failed_at[part] = now
        self._reporters.setdefault(part, set()).add(reporter)
        return True

    def works(self, reporter: str) -> None:
        """Note that the reporter does its work; outages that nobody suffers from any more have ended."""
        if not self._began:
            return
        for part in list(self._began):
            reporters = self._reporters[part]
            reporters.discard(reporter)
            if not reporters and monotonic() - self._failed_at[part] >= SETTLED_SECONDS:
                seconds = self._failed_at[part] - self._began.pop(part)
                METRICS.away.labels(part).set(0)
                log.warning("outage.ended", part=part, seconds=round(seconds, 1))


OUTAGES = Outages()
