"""Attendance of calls and meetings, now and after any of them."""

from bisect import bisect_right
from collections.abc import Set as AbstractSet

from services.cadence.account import Entries, Stamp
from services.cadence.account.retention import MET

_COUNTED = MET | {"missed", "declined"}
LAST = 8
"""How many of the newest meetings, mails or answers a rate is computed over."""


class Meetings:
    """The outcomes of an account's meetings in the order of their stamps, without rescheduled and cancelled ones."""

    __slots__ = ("_attended", "_stamps", "_streaks")

    def __init__(self, settled: Entries, types: AbstractSet[str]) -> None:
        self._stamps: list[Stamp] = []
        self._attended: list[int] = [0]
        self._streaks: list[int] = [0]
        for stamp, fields in settled.items():
            if fields.get("touchpoint_type") in types and fields.get("outcome") in _COUNTED:
                attended = fields.get("outcome") in MET
                self._stamps.append(stamp)
                self._attended.append(self._attended[-1] + attended)
                self._streaks.append(0 if attended else self._streaks[-1] + 1)

    def newest(self) -> Stamp | None:
        return self._stamps[-1] if self._stamps else None

    def declines(self, upto: Stamp | None = None) -> int:
        """How many were declined or missed in a row, from `upto` (None: the newest) backwards."""
        return self._streaks[self._index(upto)]

    def rate(self, upto: Stamp | None = None) -> float | None:
        """The share attended of the last eight up to `upto`; None until there are eight."""
        index = self._index(upto)
        return None if index < LAST else (self._attended[index] - self._attended[index - LAST]) / LAST

    def _index(self, upto: Stamp | None) -> int:
        return len(self._stamps) if upto is None else bisect_right(self._stamps, upto)
