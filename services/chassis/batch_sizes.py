"""How many records a batch may have: few of those that take long to handle, many of the others.

A batch must neither hold the event loop nor keep its transaction waiting: the server ends one that is idle for ten
seconds, and several batches share the loop. So the size of a topic's batches follows from what those before computed.
"""

from typing import Final

from services.chassis.measured import Measured
from services.chassis.telemetry import METRICS

LEAST: Final = 50  # records
FIRST: Final = 500
MOST: Final = 2000  # 500 halves the rate of light records, 5000 gains nothing (measured on two cores)
LONG_SECONDS: Final = 0.5  # processor time of a batch
LONG_STRETCH_SECONDS: Final = 0.1  # of it without a turn for others
ROOM: Final = 0.4  # below this share of both a batch may be twice as large, below half of it four times


class BatchSizes:
    """The sizes by topic."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}

    def of(self, topic: str) -> int:
        return self._sizes.get(topic, FIRST)

    def adapt(self, topic: str, records: int, batch: Measured[None]) -> None:
        """Learn from a batch of so many records."""
        METRICS.longest_stretch.labels(topic).observe(batch.longest)
        size, load = self.of(topic), max(batch.seconds / LONG_SECONDS, batch.longest / LONG_STRETCH_SECONDS)
        if load > 1:
            self._sizes[topic] = max(LEAST, min(size, records // 2))
        elif load < ROOM and records >= size:
            self._sizes[topic] = min(MOST, size * (4 if load < ROOM / 2 else 2))
