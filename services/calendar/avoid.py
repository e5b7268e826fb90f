"""Times to avoid, in which nothing may come due, and the nearest moments outside them.

A period ends before its `to`. Periods may overlap or touch. An open period (`to` is None) has no end: what falls
in it is due at `NEVER`, planned and never released.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.plans import Avoid
from schemas.zones import TimeZone
from services.calendar.open_hours import DAY, OpenHours, add_days, from_wall, next_open, to_wall

NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than any clock: what a period without an end holds back is due then, until the plan changes."""
PAUSE: Final = "pause"
"""The name of a pause of outreach: what it holds back comes after it, never before it."""
LONGEST_DESCRIPTION: Final = 400
FARTHEST_DAYS: Final = 800
"""How far to search for an open moment outside all periods."""


def end_of(period: Avoid) -> datetime:
    return NEVER if period.to is None else period.to


def describe_period(period: Avoid) -> str:
    return f"{period.name}: {period.text}"[:LONGEST_DESCRIPTION] if period.text else period.name


def covers(period: Avoid, moment: datetime) -> bool:
    return period.from_ <= moment < end_of(period)


def periods_for(periods: Iterable[Avoid], touchpoint_type: str, topic: str | None) -> tuple[Avoid, ...]:
    """The periods that concern touchpoints of that type; those without types concern all with a topic."""
    return tuple(
        period
        for period in periods
        if (touchpoint_type in period.touchpoint_types if period.touchpoint_types else topic is not None)
    )


@dataclass(frozen=True, slots=True)
class Availability:
    """When a touchpoint may come due: outside `periods`, in open hours, by the wall clock of `zone`."""

    periods: Sequence[Avoid]
    zone: TimeZone
    opening: OpenHours | None

    def period_at(self, moment: datetime) -> Avoid | None:
        """The period around that moment that ends last."""
        around = [period for period in self.periods if covers(period, moment)]
        return max(around, key=end_of) if around else None

    def is_available(self, moment: datetime) -> bool:
        """Whether it is open and outside all periods."""
        return self.period_at(moment) is None and self._is_open(moment)

    def is_paused(self, moment: datetime) -> bool:
        return any(period.name == PAUSE and covers(period, moment) for period in self.periods)

    def is_end_of_pause(self, end: datetime) -> bool:
        """Whether a pause is among the joined periods that end at that moment."""
        return any(
            period.name == PAUSE and period.from_ < end == self.first_outside(period.from_)
            for period in self.periods
        )

    def first_outside(self, moment: datetime) -> datetime:
        """The first moment not before that one outside all periods; NEVER when there is none."""
        while (period := self.period_at(moment)) is not None:
            moment = end_of(period)
        return moment

    def first_available(self, moment: datetime) -> datetime:
        """The first open moment not before that one outside all periods; NEVER when there is none."""
        for _ in range(FARTHEST_DAYS):
            outside = self.first_outside(moment)
            if outside >= NEVER:
                return NEVER
            open_at = next_open(outside, self.opening)
            moment = self.first_outside(open_at)
            if moment == open_at:
                return open_at
        return NEVER

    def available_after(self, like: datetime, moment: datetime) -> datetime:
        """As `first_available`, at the wall time of `like` when that is available within a week."""
        outside = self.first_outside(moment)
        if outside >= NEVER:
            return NEVER
        day = to_wall(outside, self.zone).date()
        clock = to_wall(like, self.zone).time()
        for days in range(8):
            candidate = from_wall(datetime.combine(day, clock) + days * DAY, self.zone)
            if candidate >= outside and self.period_at(candidate) is None and self._is_open(candidate):
                return candidate
        return self.first_available(moment)

    def available_before(self, like: datetime, now: datetime) -> datetime | None:
        """The last open moment at the wall time of `like` before the periods around it; None before `now`."""
        days = 0
        for _ in range(FARTHEST_DAYS):
            days += 1
            candidate = add_days(like, -days, self.zone)
            if candidate < now:
                return None
            period = self.period_at(candidate)
            if period is None and self._is_open(candidate):
                return candidate
            if period is not None:
                days += max((candidate - period.from_) // timedelta(days=1) - 1, 0)
        return None

    def _is_open(self, moment: datetime) -> bool:
        return next_open(moment, self.opening) == moment
