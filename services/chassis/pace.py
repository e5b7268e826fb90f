"""How many rows a pass of the relay takes: as many as the broker acknowledges without haste.

A pass that is acknowledged quickly is followed by a larger one, a slow one by a smaller one. After a pass of which
something was not acknowledged in time the next one has at most half of what was: a broker that is busy gets less at once,
and more again when it keeps up.
"""

from typing import Final

MOST: Final = 2000  # rows
FIRST: Final = 250  # the broker may be busy
LEAST: Final = 20
SLOW_SECONDS: Final = 2.0  # until a pass is acknowledged: half as many rows next time
QUICK_SECONDS: Final = 0.5  # twice as many


class Pace:
    """`rows`: how many the next pass takes at most."""

    def __init__(self) -> None:
        self.rows = FIRST

    def adapt(self, rows: int, seconds: float, unacknowledged: int) -> None:
        """Learn from a pass of so many rows."""
        if unacknowledged:
            self.rows = max(LEAST, min(self.rows, rows - unacknowledged) // 2)
        elif seconds > SLOW_SECONDS:
            self.rows = max(LEAST, min(self.rows, rows // 2))
        elif seconds < QUICK_SECONDS and rows >= self.rows:
            self.rows = min(MOST, self.rows * 2)
