"""The mode of the deployment: whether customers may be contacted about what happened at a moment."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Mode:
    """Whether customers may be contacted (`live`), and the last period in which they were not, in service time.

    `hold_from` None: the start is not known; `hold_until` None: it lasts, or there was none.
    """

    live: bool = True
    hold_from: datetime | None = None
    hold_until: datetime | None = None

    def allows(self, at: datetime) -> bool:
        """Whether customers may hear now of what happened at that moment: going live flushes nothing."""
        if not self.live:
            return False
        return self.hold_until is None or at >= self.hold_until or at < (self.hold_from or at)
