"""Lets a calendar follow rules of time zones that changed: what is planned keeps its wall time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from schemas.zones import ZONE_NAMES, TimeZone, find_zone
from services.calendar.open_hours import from_wall
from services.calendar.reconciliation import reconcile
from services.calendar.reconciliation.context import (
    CalendarChange,
    ChangeKind,
    ReconcileContext,
    Reconciliation,
    StoredCalendar,
)
from services.calendar.recurrence import Series
from services.calendar.stretches import find_offsets
from services.calendar.touchpoint import PEOPLE, Origin, Status, Touchpoint

Rules = Sequence[Sequence[int]]
"""(second since 1970, seconds from UTC): what the clocks show from then on, in order; the last one is the end of what is
known."""
YEARS_AHEAD = 3
SECOND = 1_000_000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RuleChange:
    """`former`: by name of the zones that a release of `tzdata` changed, their rules before it."""

    release: str
    former: Mapping[str, Rules]

    def keep_wall(self, moment: datetime, zone: TimeZone) -> datetime:
        """The moment at which the clock shows what it was to show at that moment."""
        rules = self.former.get(zone.key)
        second = moment.timestamp()
        before = [offset for start, offset in rules or () if start <= second]
        if not before:
            return moment
        wall = moment.replace(tzinfo=None) + timedelta(seconds=before[-1])
        return moment if moment.astimezone(zone).replace(tzinfo=None) == wall else from_wall(wall, zone)

    def describe(self, zone: TimeZone) -> str:
        return f"the rules of {zone.key} changed with tzdata {self.release}"


def read_rules(now: datetime) -> dict[str, Rules]:
    """The rules of all zones of the release in force, from this year on."""
    begin = datetime(now.year, 1, 1, tzinfo=UTC)
    until = datetime(now.year + YEARS_AHEAD, 1, 1, tzinfo=UTC)
    return {name: _rules_of(find_zone(name), begin, until) for name in sorted(ZONE_NAMES)}


def _rules_of(zone: TimeZone, begin: datetime, until: datetime) -> Rules:
    found = find_offsets(zone, begin, until, _DAY)
    rules = [[start // SECOND, offset // SECOND] for start, _, offset in found]
    return [*rules, [int(until.timestamp()), rules[-1][1]]]


def find_changed(former: Mapping[str, Rules], rules: Mapping[str, Rules]) -> dict[str, Rules]:
    """The former rules of the zones whose clocks show another time at some moment that both know."""
    return {name: former[name] for name in former.keys() & rules.keys() if _differ(former[name], rules[name])}


def _differ(one: Rules, other: Rules) -> bool:
    first = max(one[0][0], other[0][0])
    moments = {first, *(start for rules in (one, other) for start, _ in rules if start > first)}
    last = min(one[-1][0], other[-1][0])
    return any(_offset_at(one, at) != _offset_at(other, at) for at in moments if at < last)


def _offset_at(rules: Rules, second: int) -> int:
    return next(offset for start, offset in reversed(rules) if start <= second)


def reconcile_after(context: ReconcileContext, change: RuleChange | None) -> Reconciliation:
    """As `reconcile`, on a calendar whose planned touchpoints keep their wall times; those that move say why."""
    if change is None:
        return reconcile(context)

    def zone_of(owned: Touchpoint | Series) -> TimeZone:
        is_by_person = owned.owner in PEOPLE
        return context.hours.of_csm(owned.csm_id).zone if is_by_person else context.hours.zone

    touchpoints = tuple(_rezone(touchpoint, change, zone_of) for touchpoint in context.stored.touchpoints)
    series = {
        name: _rezone_series(each, change, zone_of(each)) for name, each in context.stored.series.items()
    }
    rezoned = StoredCalendar(touchpoints, series, context.stored.last_due_at)
    result = reconcile(replace(context, stored=rezoned))
    return replace(result, changes=tuple(_with_reasons(result, context.stored, rezoned, change, zone_of)))


ZoneOf = Callable[[Touchpoint | Series], TimeZone]


def _rezone(touchpoint: Touchpoint, change: RuleChange, zone_of: ZoneOf) -> Touchpoint:
    """The window of a one-off is that of its plan: it stays."""
    zone = zone_of(touchpoint)
    if touchpoint.status is not Status.PLANNED or zone.key not in change.former:
        return touchpoint
    due_at = change.keep_wall(touchpoint.due_at, zone)
    if touchpoint.origin is Origin.ONE_OFF and not touchpoint.pinned:
        return touchpoint._replace(due_at=due_at)
    deadline = touchpoint.deadline
    return touchpoint._replace(
        due_at=due_at,
        start_at=change.keep_wall(touchpoint.start_at, zone),
        end_at=change.keep_wall(touchpoint.end_at, zone),
        deadline=None if deadline is None else change.keep_wall(deadline, zone),
    )


def _rezone_series(series: Series, change: RuleChange, zone: TimeZone) -> Series:
    if zone.key not in change.former:
        return series
    until = None if series.until is None else change.keep_wall(series.until, zone)
    left_out = tuple(change.keep_wall(moment, zone) for moment in series.left_out)
    return replace(series, anchor=change.keep_wall(series.anchor, zone), until=until, left_out=left_out)


def _with_reasons(
    result: Reconciliation,
    stored: StoredCalendar,
    rezoned: StoredCalendar,
    change: RuleChange,
    zone_of: ZoneOf,
) -> Iterator[CalendarChange]:
    """The changes from the calendar as it is stored, those without another cause with that of the rules."""
    before = {touchpoint.id: touchpoint for touchpoint in stored.touchpoints}
    shifted = {touchpoint.id: touchpoint for touchpoint in rezoned.touchpoints}
    for each in result.changes:
        former, target = before.get(each.touchpoint.id), each.touchpoint
        shifted.pop(target.id, None)
        if former is None or each.kind in {ChangeKind.CREATE, ChangeKind.CANCEL}:
            yield each
            continue
        is_by_rules = each.kind is ChangeKind.KEEP or (
            former.due_at != target.due_at and target.shift is None
        )
        reason = change.describe(zone_of(former)) if is_by_rules else each.reason
        yield CalendarChange.between(former, target._replace(sequence=former.sequence), reason)
    for touchpoint in shifted.values():
        former = before[touchpoint.id]
        if former != touchpoint:
            yield CalendarChange.between(former, touchpoint, change.describe(zone_of(former)))
