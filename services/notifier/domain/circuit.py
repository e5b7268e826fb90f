"""A circuit per endpoint: one that keeps failing is asked now and then instead of all the time.

While a circuit is open its deliveries wait without using up attempts. Real time only.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

TRIP_AFTER = 10
PROBE_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Circuit:
    """`failures` in a row; `open_until` when they were enough."""

    failures: int = 0
    open_until: datetime | None = None

    @property
    def healthy(self) -> bool:
        return self.failures == 0 and self.open_until is None

    def after_success(self) -> "Circuit":
        return Circuit()

    def after_failure(self, at: datetime) -> "Circuit":
        failures = self.failures + 1
        return Circuit(failures, at + PROBE_EVERY if failures >= TRIP_AFTER else None)

    def room(self, at: datetime, most: int) -> int:
        """How many deliveries may be under way: `most` when healthy, one as a probe, none while open."""
        if self.open_until is not None:
            return 1 if at >= self.open_until else 0
        return most if self.failures == 0 else min(2, most)
