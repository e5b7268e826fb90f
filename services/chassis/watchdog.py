"""Fetching may silently stop after broker trouble. What lies on the broker and is not fetched shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.chassis.leases import Place

PATIENCE = 15.0  # real seconds in which a partition with records to fetch must move


@dataclass(slots=True)
class Watchdog:
    """Remembers since when each partition has stood still before its end."""

    _waiting: dict[Place, tuple[int, float]] = field(default_factory=dict[Place, tuple[int, float]])

    def stuck(self, positions: Mapping[Place, int], ends: Mapping[Place, int], now: float) -> list[Place]:
        """The partitions whose fetch position has not moved for `PATIENCE` seconds though records follow it.

        `positions` are those that should move: neither halted nor busy with a batch.
        """
        behind = {place: at for place, at in positions.items() if ends.get(place, at) > at}
        self._waiting = {
            place: held if (held := self._waiting.get(place)) is not None and held[0] == at else (at, now)
            for place, at in behind.items()
        }
        return sorted(place for place, (_, since) in self._waiting.items() if now - since >= PATIENCE)

    def forget(self) -> None:
        self._waiting.clear()
