"""Avoid: stretches of time in which nothing may come due, and the nearest moments outside them.

A stretch ends before its `end`. Several may overlap or touch; who looks for a way out leaves them all. An open
one (`end` is None) has no way out: what falls in it is held at `NEVER`, planned and never released.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.scheduler.domain.calendar import DAY, Hours, from_wall, next_open, step, to_wall

NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than any clock: what is held stands here until a plan says otherwise."""
PAUSE: Final = "pause"
"""The name of a stretch that somebody asked for: what it holds back comes after it, never before."""
SPOKEN: Final = 400
FARTHEST: Final = 800
"""Days looked through for an open moment outside all stretches."""


@dataclass(frozen=True, slots=True)
class Avoid:
    """A stretch of time to avoid. `types` empty: every touchpoint a customer hears of."""

    name: str
    start: datetime
    end: datetime | None
    types: tuple[str, ...] = ()
    text: str = ""

    @property
    def until(self) -> datetime:
        return NEVER if self.end is None else self.end

    @property
    def said(self) -> str:
        return f"{self.name}: {self.text}"[:SPOKEN] if self.text else self.name

    def covers(self, moment: datetime) -> bool:
        return self.start <= moment < self.until

    def concerns(self, touchpoint_type: str, topic: str | None) -> bool:
        return touchpoint_type in self.types if self.types else topic is not None


def concerning(avoid: Iterable[Avoid], touchpoint_type: str, topic: str | None) -> tuple[Avoid, ...]:
    return tuple(each for each in avoid if each.concerns(touchpoint_type, topic))


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a touchpoint may stand: outside `windows`, in open hours, by the wall clock of `info`."""

    windows: Sequence[Avoid]
    info: ZoneInfo
    opening: Hours | None

    def covering(self, moment: datetime) -> Avoid | None:
        """The stretch around that moment that lasts longest."""
        around = [each for each in self.windows if each.covers(moment)]
        return max(around, key=lambda each: each.until) if around else None

    def paused(self, moment: datetime) -> bool:
        return any(each.name == PAUSE and each.covers(moment) for each in self.windows)

    def pauses_until(self, end: datetime) -> bool:
        """Whether a pause is part of what ends at that moment."""
        return any(each.name == PAUSE and each.start < end == self.clear(each.start) for each in self.windows)

    def clear(self, moment: datetime) -> datetime:
        """The first moment not before that one that no stretch covers; NEVER when there is none."""
        while (window := self.covering(moment)) is not None:
            moment = window.until
        return moment

    def soonest(self, moment: datetime) -> datetime:
        """The first open moment not before that one outside all stretches; NEVER when there is none."""
        for _ in range(FARTHEST):
            outside = self.clear(moment)
            if outside >= NEVER:
                return NEVER
            at = next_open(outside, self.opening)
            moment = self.clear(at)
            if moment == at:
                return at
        return NEVER

    def later(self, like: datetime, moment: datetime) -> datetime:
        """As `soonest`, at the wall time of `like` when that is open within a week."""
        at = self.clear(moment)
        if at >= NEVER:
            return NEVER
        day = to_wall(at, self.info).date()
        clock = to_wall(like, self.info).time()
        for days in range(8):
            wished = from_wall(datetime.combine(day, clock) + days * DAY, self.info)
            if wished >= at and self.covering(wished) is None and self._is_open(wished):
                return wished
        return self.soonest(moment)

    def earlier(self, like: datetime, now: datetime) -> datetime | None:
        """The last open moment at the wall time of `like` before the stretches around it; None before now."""
        days = 0
        for _ in range(FARTHEST):
            days += 1
            at = step(like, -days, self.info)
            if at < now:
                return None
            window = self.covering(at)
            if window is None and self._is_open(at):
                return at
            if window is not None:
                days += max((at - window.start) // timedelta(days=1) - 1, 0)
        return None

    def _is_open(self, moment: datetime) -> bool:
        return next_open(moment, self.opening) == moment
