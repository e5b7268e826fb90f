"""The two clocks: the real one, read here and nowhere else, and the service clock that is mapped from it.

Facts, due times, windows and budgets use the service clock. Leases, timeouts, retries and signatures use the
real clock. A rehearsal changes only the mapping.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from services.chassis.settings import Clock

LONGEST_SECONDS = 86_400.0
"""What a wait for a clock that stands is taken for: whoever waits is woken when the clock is advanced."""

GATHERING: Final = "gathering"
"""What a service is busy with that only waits for a moment of real time: nothing that advancing its clock would end."""


def real_now() -> datetime:
    """The clock of this host, UTC. Decisions about shared state use the database's clock instead."""
    return datetime.now(UTC)


def monotonic() -> float:
    return time.monotonic()


@dataclass(slots=True)
class ServiceClock:
    """Service now = start + (real now - origin) x rate; with rate 0 it stands at `start` until it is advanced."""

    start: datetime
    origin: datetime
    rate: float

    @property
    def stands(self) -> bool:
        return self.rate == 0

    def at(self, real: datetime) -> datetime:
        return self.start + (real - self.origin) * self.rate

    def real_seconds(self, span: timedelta) -> float:
        """How many real seconds a span of service time lasts; at most a day where the clock stands."""
        if self.stands:
            return LONGEST_SECONDS if span > timedelta(0) else 0.0
        return span.total_seconds() / self.rate

    def now(self) -> datetime:
        """Service now by this host's clock, for code that has no database connection at hand."""
        return self.at(real_now())

    def stand_at(self, moment: datetime) -> bool:
        """Advance a clock that stands; True when that moved it. It never goes back, and no other clock moves."""
        if not self.stands or moment <= self.start:
            return False
        self.start = moment
        return True


def service_clock(settings: Clock) -> ServiceClock:
    """The clock of these settings; without a start it is the real clock running at `rate`."""
    origin = settings.origin or settings.start or real_now()
    return ServiceClock(start=settings.start or origin, origin=origin, rate=settings.rate)
