"""The two clocks: the real one, read here and nowhere else, and the service clock that is mapped from it.

Facts, due times, windows and budgets use the service clock. Leases, timeouts, retries and signatures use the
real clock. A rehearsal changes only the mapping.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.chassis.settings import Clock


def real_now() -> datetime:
    """The clock of this host, UTC. Decisions about shared state use the database's clock instead."""
    return datetime.now(UTC)


def monotonic() -> float:
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class ServiceClock:
    """Service now = start + (real now - origin) x rate."""

    start: datetime
    origin: datetime
    rate: float

    def at(self, real: datetime) -> datetime:
        return self.start + (real - self.origin) * self.rate

    def real_seconds(self, span: timedelta) -> float:
        """How many real seconds a span of service time lasts."""
        return span.total_seconds() / self.rate

    def now(self) -> datetime:
        """Service now by this host's clock, for code that has no database connection at hand."""
        return self.at(real_now())


def service_clock(settings: Clock) -> ServiceClock:
    """The clock of these settings; without a start it is the real clock running at `rate`."""
    origin = settings.origin or settings.start or real_now()
    return ServiceClock(start=settings.start or origin, origin=origin, rate=settings.rate)
