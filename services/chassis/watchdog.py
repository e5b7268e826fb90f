"""Detects fetching that stopped silently after a broker error: records follow, but the position does not move."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka import TopicPartition

PATIENCE = 15.0  # real seconds in which a partition with records to fetch must move
Offsets = Mapping[TopicPartition, int]
Position = tuple[int, float]  # an offset, and since when (monotonic seconds) it has not changed


@dataclass(slots=True)
class Watchdog:
    """Remembers since when the position of each partition has not moved."""

    _waiting: dict[TopicPartition, Position] = field(default_factory=dict[TopicPartition, Position])

    def stuck(self, positions: Offsets, ends: Offsets, now: float) -> list[TopicPartition]:
        """The partitions whose fetch position has not moved for `PATIENCE` seconds though records follow it.

        `positions` are those that should move: neither halted nor busy with a batch. `now` is monotonic seconds.
        """
        behind = {tp: position for tp, position in positions.items() if ends.get(tp, position) > position}
        before = self._waiting
        self._waiting = {
            tp: before[tp] if tp in before and before[tp][0] == position else (position, now)
            for tp, position in behind.items()
        }
        return sorted(tp for tp, (_, since) in self._waiting.items() if now - since >= PATIENCE)

    def forget(self) -> None:
        self._waiting = {}
