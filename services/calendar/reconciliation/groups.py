"""Gives the open touchpoints of a reconciled calendar their groups."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from schemas.standing import TouchpointContent
from services.calendar.grouping import Member, find_groups
from services.calendar.reconciliation.context import CalendarChange, ChangeKind, StoredCalendar
from services.calendar.recurrence import Series
from services.calendar.touchpoint import OPEN, Origin, Touchpoint

REASON = "it belongs together with others"


def group_changes(
    changes: Sequence[CalendarChange], stored: StoredCalendar, series: Sequence[Series]
) -> Iterator[CalendarChange]:
    """These changes with the groups of their touchpoints, and changes of those that only get another group."""
    changed = {change.touchpoint.id for change in changes}
    others = [touchpoint for touchpoint in stored.touchpoints if touchpoint.id not in changed]
    everything = [*(change.touchpoint for change in changes), *others]
    if not any(map(_matters, everything)):
        yield from changes
        return
    contents = {rhythm.type: rhythm.content for rhythm in (*stored.series.values(), *series)}
    groups = find_groups(_members(everything, contents))
    yield from (_with_group(change, groups) for change in changes)
    kept = (_with_group(CalendarChange.keep(touchpoint, REASON), groups) for touchpoint in others)
    yield from (change for change in kept if change.kind is not ChangeKind.KEEP)


def _matters(touchpoint: Touchpoint) -> bool:
    """Whether groups have to be looked for: occurrences alone have none."""
    is_open = touchpoint.status in OPEN
    return is_open and (touchpoint.origin is not Origin.RHYTHM or touchpoint.group is not None)


def _members(
    touchpoints: Sequence[Touchpoint], contents: Mapping[str, TouchpointContent]
) -> Iterator[Member]:
    for touchpoint in touchpoints:
        content = touchpoint.content or contents.get(touchpoint.type)
        if content is not None:
            yield Member(touchpoint, content)


def _with_group(change: CalendarChange, groups: Mapping[str, str]) -> CalendarChange:
    touchpoint = change.touchpoint
    group = groups.get(touchpoint.id)
    if touchpoint.status not in OPEN or touchpoint.group == group:
        return change
    kind = ChangeKind.REFRESH if change.kind is ChangeKind.KEEP else change.kind
    return replace(change, kind=kind, touchpoint=touchpoint._replace(group=group))
