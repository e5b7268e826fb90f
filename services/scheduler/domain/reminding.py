"""Which reminders of a touchpoint are sent, and when.

For each number of hours that the policy names there is one position in the calendar, the same for all types: everything
that is due before it has been looked at. It moves ahead with time, so a reminder needs no row of its own. What is
planned or moved to a time before the position is not met by it any more: its reminder goes with its announcement.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from services.calendar.touchpoint import Status, Touchpoint

HOUR: Final = timedelta(hours=1)
LAST_ID: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
"""Behind every touchpoint of its moment."""
Hours = int
"""How many hours before a touchpoint its reminder goes."""
HoursByType = Mapping[str, Sequence[Hours]]
"""The reminders of each type that has any, by the policy in force."""


class Position(NamedTuple):
    """A place in the order of the calendar: by due time, then by id."""

    due_at: datetime
    touchpoint_id: str

    def is_past(self, touchpoint: Touchpoint) -> bool:
        """Whether the touchpoint is before it."""
        return (touchpoint.due_at, touchpoint.id) <= self


@dataclass(frozen=True, slots=True)
class Reminder:
    """A touchpoint of which people are reminded, and which of its reminders it is."""

    touchpoint: Touchpoint
    hours: Hours


def start_position(hours: Hours, now: datetime) -> Position:
    """Where reminders that are new to the policy begin: what is nearer than half of the hours gets none."""
    return Position(now + hours * HOUR / 2, LAST_ID)


def end_position(hours: Hours, now: datetime) -> Position:
    """Up to where a pass looks: behind everything whose reminder has its time by now."""
    return Position(now + hours * HOUR, LAST_ID)


def is_reminded(touchpoint: Touchpoint, hours: Hours, of_type: Collection[Hours], now: datetime) -> bool:
    """Whether a reminder whose time has come still goes: what has begun is over, and a shorter one says the same."""
    left = touchpoint.due_at - now
    is_ahead = touchpoint.status is Status.PLANNED and left > timedelta()
    return is_ahead and not any(shorter < hours and left <= shorter * HOUR for shorter in of_type)


def find_immediate(
    touchpoint: Touchpoint, of_type: Collection[Hours], positions: Mapping[Hours, Position], now: datetime
) -> Reminder | None:
    """The reminder that goes at once, because the touchpoint was planned or moved to a time before its position.

    With less than half of its hours left a reminder would only repeat what was announced. Of several the last one goes.
    """
    if touchpoint.status is not Status.PLANNED:
        return None
    left = touchpoint.due_at - now
    missed = [
        hours
        for hours in of_type
        if hours in positions and positions[hours].is_past(touchpoint) and left >= hours * HOUR / 2
    ]
    return Reminder(touchpoint, min(missed)) if missed else None
