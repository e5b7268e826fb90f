"""Attendance of calls and meetings, now and after any of them."""

from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from services.cadence.account import Stamp
from services.cadence.account.identity import Thing
from services.cadence.account.retention import MET

_COUNTED = MET | {"missed", "declined"}
LAST = 8
"""How many of the newest meetings, mails or answers a rate is computed over."""


class Meetings:
    """The outcomes of an account's meetings, oldest first, without rescheduled and cancelled ones."""

    __slots__ = ("_attended", "_meetings", "_streaks")

    def __init__(self, settled: Iterable[Thing], types: AbstractSet[str]) -> None:
        self._meetings: list[Thing] = []
        self._attended: list[int] = [0]
        self._streaks: list[int] = [0]
        for thing in settled:
            fields = thing.fields
            if fields.get("touchpoint_type") in types and fields.get("outcome") in _COUNTED:
                attended = fields.get("outcome") in MET
                self._meetings.append(thing)
                self._attended.append(self._attended[-1] + attended)
                self._streaks.append(0 if attended else self._streaks[-1] + 1)

    def newest(self) -> Stamp | None:
        return self._meetings[-1].stamp if self._meetings else None

    def declines(self, upto: Thing | None = None) -> int:
        """How many were declined or missed in a row, from `upto` (None: the newest) backwards."""
        return self._streaks[self._index(upto)]

    def rate(self, upto: Thing | None = None) -> float | None:
        """The share attended of the last eight up to `upto`; None until there are eight."""
        index = self._index(upto)
        return None if index < LAST else (self._attended[index] - self._attended[index - LAST]) / LAST

    def _index(self, upto: Thing | None) -> int:
        return len(self._meetings) if upto is None else bisect_right(self._meetings, upto)
