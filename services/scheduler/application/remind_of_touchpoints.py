"""Remind of touchpoints some hours before them, once for each touchpoint, number of hours and date.

A date that comes back after a move is reminded of anew, with the announcement of the move.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final, Protocol

from services.scheduler.application.ports import StoredTouchpoint
from services.scheduler.domain.reminding import (
    LAST_ID,
    Hours,
    HoursByType,
    Position,
    end_position,
    is_reminded,
)

BATCH: Final = 500
"""Touchpoints that one pass reminds of, for each number of hours."""
MOST_MISSED: Final = 5000
"""Touchpoints whose reminder one pass records as missed, for each number of hours."""


class ReminderQueue(Protocol):
    """The calendar in the order of time, read from positions on; inside one transaction."""

    async def load_hours(self) -> HoursByType: ...

    async def lock_positions(self, hours: Collection[Hours], now: datetime) -> Mapping[Hours, Position]:
        """The positions of these numbers of hours, made where there is none; all others are forgotten."""
        ...

    async def find_planned(
        self, after: Position, until: datetime, types: Collection[str], limit: int
    ) -> Sequence[Position]:
        """The planned touchpoints of these types after the position, until then at the latest, in order."""
        ...

    async def lock(self, ids: Collection[str]) -> Mapping[str, StoredTouchpoint]:
        """Those that no other transaction has locked."""
        ...

    async def publish(self, reminded: Sequence[StoredTouchpoint], hours: Hours, now: datetime) -> None:
        """The reminder of each, after what readers of events do not know of it yet."""
        ...

    async def record_missed(
        self, hours: Hours, after: Position, types: Collection[str], now: datetime, limit: int
    ) -> Sequence[Position]:
        """Record that nobody was reminded of what has begun after the position; the touchpoints, in order."""
        ...

    async def save_position(self, hours: Hours, position: Position) -> None: ...


@dataclass(frozen=True, slots=True)
class RemindersSent:
    """What a pass did. `has_more`: it stopped at the limit of a batch."""

    sent: int = 0
    missed: int = 0
    has_more: bool = False

    def counts(self) -> dict[str, int]:
        counts = {"reminded": self.sent, "reminder_missed": self.missed}
        return {kind: number for kind, number in counts.items() if number}


async def remind_of_touchpoints(queue: ReminderQueue, now: datetime) -> RemindersSent:
    """Remind of a batch for each number of hours; the rest waits for the next pass."""
    by_type = await queue.load_hours()
    positions = await queue.lock_positions({hours for own in by_type.values() for hours in own}, now)
    passes = [
        await _Pass(queue, by_type, hours, now).advance(position)
        for hours, position in sorted(positions.items(), reverse=True)
    ]
    return RemindersSent(
        sum(one.sent for one in passes),
        sum(one.missed for one in passes),
        any(one.has_more for one in passes),
    )


@dataclass(frozen=True, slots=True)
class _Pass:
    """The pass of one number of hours."""

    queue: ReminderQueue
    by_type: HoursByType
    hours: Hours
    now: datetime

    @property
    def types(self) -> list[str]:
        return sorted(name for name, own in self.by_type.items() if self.hours in own)

    async def advance(self, position: Position) -> RemindersSent:
        """Move the position ahead, past what was reminded of and past what has no reminder."""
        missed: Sequence[Position] = ()
        if position.due_at < self.now:
            missed = await self.queue.record_missed(self.hours, position, self.types, self.now, MOST_MISSED)
            position = Position(self.now, LAST_ID)
        if len(missed) == MOST_MISSED:
            await self.queue.save_position(self.hours, missed[-1])
            return RemindersSent(missed=len(missed), has_more=True)
        end = end_position(self.hours, self.now)
        if end <= position:
            return RemindersSent()
        reached, reminded = await self._find(position, end)
        if reminded:
            await self.queue.publish(reminded, self.hours, self.now)
        await self.queue.save_position(self.hours, reached)
        return RemindersSent(len(reminded), len(missed), has_more=reached != end and bool(reminded))

    async def _find(self, position: Position, end: Position) -> tuple[Position, Sequence[StoredTouchpoint]]:
        """Up to where this pass comes, and of what it reminds.

        What somebody changes at this moment is looked at again: the position waits before it.
        """
        found = await self.queue.find_planned(position, end.due_at, self.types, BATCH)
        locked = await self.queue.lock([place.touchpoint_id for place in found])
        free = list(takewhile(lambda place: place.touchpoint_id in locked, found))
        stored = [locked[place.touchpoint_id] for place in free]
        is_all = len(free) == len(found) < BATCH
        reached = end if is_all else free[-1] if free else position
        return reached, [
            one for one, place in zip(stored, free, strict=True) if self._is_reminded(one, place)
        ]

    def _is_reminded(self, stored: StoredTouchpoint, place: Position) -> bool:
        touchpoint = stored.touchpoint
        of_type = self.by_type[touchpoint.type]
        return touchpoint.due_at == place.due_at and is_reminded(touchpoint, self.hours, of_type, self.now)
