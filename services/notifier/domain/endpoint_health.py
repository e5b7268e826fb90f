"""How long an endpoint has been failing: two warnings, then it is disabled. All times are real.

Only failures count, each at its own time: a notifier that was not running itself disables nobody.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

WARNINGS_AT: Final = (1 / 5, 3 / 5)
"""The fractions of the whole time after which a warning is given: after one and three of five days."""
LEAST_BETWEEN: Final = 1 / 5
"""The fraction of the whole time that lies at least between a warning and what follows it."""


class Step(StrEnum):
    WARN = "warn"
    DISABLE = "disable"


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """`failing_since`: its first failure since it last answered; `failed_at`: its last one. `warnings` were given."""

    failing_since: datetime
    failed_at: datetime
    warnings: int = 0
    warned_at: datetime | None = None

    def next_step(self, disable_after: timedelta) -> Step | None:
        """What follows from the last failure; None: nothing yet."""
        if self.failed_at < self.next_step_at(disable_after):
            return None
        return Step.WARN if self.warnings < len(WARNINGS_AT) else Step.DISABLE

    def next_step_at(self, disable_after: timedelta) -> datetime:
        """From when on a further failure is followed by a step."""
        after = WARNINGS_AT[self.warnings] if self.warnings < len(WARNINGS_AT) else 1
        at = self.failing_since + after * disable_after
        return at if self.warned_at is None else max(at, self.warned_at + LEAST_BETWEEN * disable_after)

    def warned(self) -> "EndpointHealth":
        return replace(self, warnings=self.warnings + 1, warned_at=self.failed_at)
