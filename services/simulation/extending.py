"""The next occurrences of the rhythms of an account: when they are needed, and those that follow from a rhythm alone.

The slot that comes next is kept: a rhythm by a rule is searched from a year before, and is asked for at every look.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.plans import RhythmItem
from services.calendar.reconciliation.context import AccountHours
from services.calendar.reconciliation.rhythms import make_occurrence
from services.calendar.recurrence import Series, Slot, horizon_of
from services.calendar.touchpoint import Touchpoint
from services.simulation.book import Period
from services.simulation.calendar import LAST


@dataclass(slots=True)
class _Upcoming:
    """The slot after those of a series, and the slots after it."""

    series: Series
    slot: Slot
    further: Iterator[Slot]


class UpcomingSlots:
    """The slots that come next of the rhythms of one account, whose hours do not change."""

    def __init__(self, account_id: str, period: Period) -> None:
        self._account_id, self._period, self._end = account_id, period, period.end
        self._found: dict[str, _Upcoming] = {}

    def extends_at(self, series: Series, hours: AccountHours) -> datetime:
        """When the series needs its next occurrence; LAST: not in this period."""
        following = self._find(series, hours).slot.nominal
        extend_at = following - horizon_of(series.owner)
        is_needed = following <= self._end or self._period.is_exact(extend_at)
        return extend_at if is_needed else LAST

    def needs_more(self, series: Series, hours: AccountHours, moment: datetime) -> bool:
        """Whether an occurrence is missing up to the horizon of that moment."""
        return self._find(series, hours).slot.nominal <= self._limit_of(series, moment)

    def extend(
        self, series: Series, rhythm: RhythmItem, hours: AccountHours, moment: datetime
    ) -> tuple[list[Touchpoint], Series]:
        """The occurrences up to the horizon of that moment, and the series with them. `rhythm`: that of the plan."""
        upcoming, limit = self._find(series, hours), self._limit_of(series, moment)
        is_named = rhythm.csm_id == series.csm_id
        named = rhythm if is_named else rhythm.model_copy(update={"csm_id": series.csm_id})
        made: list[Touchpoint] = []
        number, until = series.last_number, series.until
        while upcoming.slot.nominal <= limit:
            number, until = number + 1, upcoming.slot.nominal
            made.append(make_occurrence(self._account_id, named, upcoming.slot, number))
            upcoming.slot = next(upcoming.further)
        if made:
            upcoming.series = series = replace(series, until=until, last_number=number)
        return made, series

    def _limit_of(self, series: Series, moment: datetime) -> datetime:
        """Up to which nominal moment its occurrences have to exist."""
        limit = moment + horizon_of(series.owner)
        return limit if self._period.is_exact(moment) else min(limit, self._end)

    def _find(self, series: Series, hours: AccountHours) -> _Upcoming:
        found = self._found.get(series.type)
        if found is not None and found.series is series:
            return found
        if found is None or _moments_of(found.series) != _moments_of(series):
            slots = series.slots(*hours.opening_of(series), series.until)
            found = self._found[series.type] = _Upcoming(series, next(slots), slots)
        found.series = series
        return found


def _moments_of(series: Series) -> tuple[object, ...]:
    """What decides which slots come next."""
    content = series.content
    return (
        series.anchor, series.until, series.every_days, series.rrule, series.owner, series.csm_id,
        content.topic, content.channel, content.quiet_hours,
    )  # fmt: skip
