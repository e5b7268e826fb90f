"""Calls and meetings: did the customer come, now and as of any one of them."""

from bisect import bisect_right
from collections.abc import Set as AbstractSet

from services.cadence.account import MET, Entries, Stamp

_COUNTED = MET | {"missed", "declined"}
LAST = 8


class Meetings:
    """How an account's meetings ended, in order of their marks; those rescheduled or cancelled do not count."""

    __slots__ = ("_came", "_marks", "_streaks")

    def __init__(self, settled: Entries, types: AbstractSet[str]) -> None:
        self._marks: list[Stamp] = []
        self._came: list[int] = [0]
        self._streaks: list[int] = [0]
        for stamp, fields in settled.items():
            if fields.get("touchpoint_type") in types and fields.get("outcome") in _COUNTED:
                came = fields.get("outcome") in MET
                self._marks.append(stamp)
                self._came.append(self._came[-1] + came)
                self._streaks.append(0 if came else self._streaks[-1] + 1)

    def newest(self) -> Stamp | None:
        return self._marks[-1] if self._marks else None

    def declines(self, upto: Stamp | None = None) -> int:
        """Declined or missed in a row, newest backwards from `upto` (None: the newest)."""
        return self._streaks[self._index(upto)]

    def rate(self, upto: Stamp | None = None) -> float | None:
        """Share attended of the last eight up to `upto`; None until there are eight."""
        index = self._index(upto)
        return None if index < LAST else (self._came[index] - self._came[index - LAST]) / LAST

    def _index(self, upto: Stamp | None) -> int:
        return len(self._marks) if upto is None else bisect_right(self._marks, upto)
