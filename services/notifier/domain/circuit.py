"""A circuit breaker for each endpoint: while an endpoint keeps failing, it gets a probe now and then.

While a circuit is open its deliveries wait, which does not count as an attempt. All times are real.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

FAILURES_TO_OPEN = 10
PROBE_INTERVAL = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Circuit:
    """`failures` in a row; `open_until` is set once there are enough of them."""

    failures: int = 0
    open_until: datetime | None = None

    @property
    def is_healthy(self) -> bool:
        return self.failures == 0 and self.open_until is None

    def after_success(self) -> "Circuit":
        return Circuit()

    def after_failure(self, at: datetime) -> "Circuit":
        failures = self.failures + 1
        return Circuit(failures, at + PROBE_INTERVAL if failures >= FAILURES_TO_OPEN else None)

    def allowed(self, at: datetime, most: int) -> int:
        """How many deliveries may be under way: `most` when healthy, one probe, none while open."""
        if self.open_until is not None:
            return 1 if at >= self.open_until else 0
        return most if self.failures == 0 else min(2, most)
