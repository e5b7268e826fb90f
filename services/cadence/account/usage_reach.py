"""How far new usage reports reach: of which reports they may change what is read of them and of the weeks before them."""

from collections.abc import Iterable
from typing import NamedTuple

from services.cadence.account.stamps import DAY, micros, plain
from services.cadence.account.state import FactEvent
from services.cadence.account.usage import DAYS_KEPT, PERIODS_KEPT, SHORT, SOURCES_KEPT, Usage

LOOKS_BACK = 56 * DAY
"""From the end of a report, at most: two windows of 28 days."""


class UsageReach(NamedTuple):
    """Reports that end after `since` or before `until`, in microseconds since 1970, may read differently."""

    since: int
    until: int

    def covers(self, end: int) -> bool:
        return end > self.since or end < self.until


EVERYTHING = UsageReach(-1, 0)


def usage_reach(usage: Usage, events: Iterable[FactEvent]) -> UsageReach:
    """Of events that are not applied yet.

    Rates are compared over windows that end with a report, so a report changes what ends after its own start; it may
    complete the day before it, and the days that its end lets go of are missed in the windows that reach back to them.
    """
    reports = [event for event in events if event.type == "usage.reported"]
    if not reports:
        return UsageReach(1 << 62, 0)
    if len(usage.sources) + len(reports) > SOURCES_KEPT:
        return EVERYTHING
    reaches = [_reach_of(usage, event, len(reports)) for event in reports]
    return UsageReach(min(each.since for each in reaches), max(each.until for each in reaches))


def _reach_of(usage: Usage, event: FactEvent, count: int) -> UsageReach:
    start, end = plain(event.fields.get("period_start")), plain(event.fields.get("period_end"))
    if not isinstance(start, int) or not isinstance(end, int):
        return UsageReach(1 << 62, 0)
    source = usage.sources.get(event.provenance.source)
    days = {} if source is None else source["d"]
    day, since = (end - 1) // DAY, start
    if len(days.get(str(day), ())) + count > PERIODS_KEPT:
        return EVERYTHING
    joined = [int(other) for other, stored in days.items() if SHORT in stored]
    since = min([since, day * DAY, *(other * DAY for other in joined if other >= max(map(int, days)))])
    return UsageReach(since, _let_go_until(usage, min(end, micros(event.provenance.time))))


def _let_go_until(usage: Usage, newest: int) -> int:
    """The end of the windows that reach back to a day which makes room when the newest period ends then."""
    if usage.newest is None or newest <= usage.newest:
        return 0
    oldest = newest // DAY - DAYS_KEPT
    gone = [day for source in usage.sources.values() for other in source["d"] if (day := int(other)) < oldest]
    return (max(gone) + 1) * DAY + LOOKS_BACK if gone else 0
