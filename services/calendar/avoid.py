"""Times to avoid, in which nothing may come due, and the nearest moments outside them.

A period ends before its `to`. Periods may overlap or touch. An open period (`to` is None) has no end: what falls
in it is due at `NEVER`, planned and never released.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.plans import Avoid
from schemas.zones import TimeZone, span_of_days
from services.calendar.closed_reasons import reason_at
from services.calendar.open_hours import (
    DAY,
    OpenHours,
    add_days,
    from_wall,
    is_open_at,
    last_open_before,
    next_open,
    next_usual,
    open_stretch,
    to_wall,
)

NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than any clock: what a period without an end holds back is due then, until the plan changes."""
PAUSE: Final = "pause"
"""The name of a pause of outreach: what it holds back comes after it, never before it."""
LONGEST_DESCRIPTION: Final = 400
FARTHEST_DAYS: Final = 800
"""How far to search for an open moment outside all periods."""


@dataclass(frozen=True, slots=True)
class ClosedTime:
    """Time between open hours that is open in other weeks; `name`: why not in this one, `public holiday Epiphany`."""

    name: str
    from_: datetime
    to: datetime
    text: str = ""


Period = Avoid | ClosedTime


def end_of(period: Period) -> datetime:
    return NEVER if period.to is None else period.to


def describe_move(period: Period, *, before: bool) -> str:
    """Why something is not due inside a period."""
    if isinstance(period, ClosedTime):
        return f"moved: {period.name}"
    return f"moved {'before' if before else 'after'} {describe_period(period)}"


def describe_period(period: Period) -> str:
    return f"{period.name}: {period.text}"[:LONGEST_DESCRIPTION] if period.text else period.name


def covers(period: Period, moment: datetime) -> bool:
    return period.from_ <= moment < end_of(period)


def periods_for(
    periods: Iterable[Avoid], touchpoint_type: str, topic: str | None, zones: tuple[TimeZone, ...]
) -> tuple[Avoid, ...]:
    """The periods that concern touchpoints of that type. `zones`: whose days the days of seasons are (`season_zones`)."""
    return tuple(_by_clocks(period, zones) for period in periods if concerns(period, touchpoint_type, topic))


def concerns(period: Avoid, touchpoint_type: str, topic: str | None) -> bool:
    """Whether touchpoints of that type are to avoid it."""
    return touchpoint_type in period.touchpoint_types if period.touchpoint_types else topic is not None


def _by_clocks(period: Avoid, zones: tuple[TimeZone, ...]) -> Avoid:
    """A season from the first to the last moment of its days in these zones; a pause stays as it is."""
    if period.first_on is None or period.last_on is None:
        return period
    start, end = span_of_days(period.first_on, period.last_on, zones)
    if (start, end) == (period.from_, period.to):
        return period
    return Avoid.of_valid(**{**vars(period), "from_": start, "to": end})


@dataclass(frozen=True, slots=True)
class Availability:
    """When a touchpoint may come due: outside `periods`, in open hours, by the wall clock of `zone`."""

    periods: Sequence[Avoid]
    zone: TimeZone
    opening: OpenHours | None

    @property
    def has_closures(self) -> bool:
        """Whether public holidays or time off close some of the hours: it is people who do it."""
        return self.opening is not None and self.opening.has_dated_closures

    def suits(self, moments: Iterable[datetime]) -> bool:
        """Whether nothing has to move, of what is at these moments in the usual hours."""
        return not self.periods and (not self.has_closures or all(map(self._is_open, moments)))

    def period_at(self, moment: datetime) -> Period | None:
        """The period around that moment that ends last, or the closed time around it."""
        around: list[Period] = [period for period in self.periods if covers(period, moment)]
        closed = self._closed_time_at(moment) if self.has_closures and moment < NEVER else None
        if closed is not None:
            around.append(closed)
        return max(around, key=end_of) if around else None

    def is_avoided(self, moment: datetime) -> bool:
        """Whether it is in a time to avoid, whoever leads it."""
        return any(covers(period, moment) for period in self.periods)

    def is_available(self, moment: datetime) -> bool:
        """Whether it is open and outside all periods."""
        return self.period_at(moment) is None and self._is_open(moment)

    def _closed_time_at(self, moment: datetime) -> ClosedTime | None:
        usual = next_usual(moment, self.opening)
        if self.opening is None or self._is_open(usual):
            return None
        opens_at = next_open(usual, self.opening)
        if opens_at <= usual:
            return None
        closed_at = last_open_before(usual, self.opening) or moment
        reason = reason_at(usual, self.opening) or "closed"
        return ClosedTime(reason, min(closed_at, moment), opens_at)

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

    def beside_busy_time(self, moment: datetime, now: datetime) -> datetime | None:
        """The available moment of the same day for what busy time is in the way of: the next one, else one before it.

        None: something else is in the way, or the day has none.
        """
        opening, period = self.opening, self.period_at(moment)
        if opening is None or opening.busy is None or not isinstance(period, ClosedTime):
            return None
        day, after = to_wall(moment, self.zone).date(), self.first_available(max(moment, now))
        if after < NEVER and to_wall(after, self.zone).date() == day:
            return after
        closes_at = last_open_before(moment, opening)
        opens_at = moment if closes_at is None else open_stretch(closes_at, opening)[0]
        is_free = opens_at >= now and self.is_available(opens_at)
        return opens_at if is_free and to_wall(opens_at, self.zone).date() == day else None

    def _is_open(self, moment: datetime) -> bool:
        return is_open_at(moment, self.opening)
