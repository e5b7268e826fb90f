"""How many records a batch may have: few of those that take long to handle, many of the others.

A transaction must not wait for its own process: the server ends one that is idle for ten seconds, and several batches
share the event loop. So the size of a topic's batches follows from the processor time of those before.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

LEAST: Final = 50  # records
FIRST: Final = 250
MOST: Final = 2000  # 500 halves the rate of light records, 5000 gains nothing (measured on two cores)
LONGEST_SECONDS: Final = (
    1.0  # processor time of the thread from a batch's begin to its end, of those beside it too
)
SHORT_SECONDS: Final = LONGEST_SECONDS / 3


class BatchSizes:
    """The sizes by topic."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}

    def of(self, topic: str) -> int:
        return self._sizes.get(topic, FIRST)

    @contextmanager
    def measure(self, topic: str, records: int) -> Generator[None]:
        """Adapt the size to a batch of so many records, which is handled inside."""
        began = time.thread_time()
        yield
        self.adapt(topic, records, time.thread_time() - began)

    def adapt(self, topic: str, records: int, seconds: float) -> None:
        size = self.of(topic)
        if seconds > LONGEST_SECONDS:
            self._sizes[topic] = max(LEAST, min(size, records // 2))
        elif seconds < SHORT_SECONDS and records >= size:
            self._sizes[topic] = min(MOST, size * 2)
