"""Plans when the occurrences of a rhythm are: those that can move and those to come.

Where nothing is to be avoided and nothing had to move, these are the slots of the rhythm itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile

from schemas.plans import RhythmItem
from services.calendar.avoid import Availability
from services.calendar.open_hours import DAY, add_days, next_open, next_usual, usual_of
from services.calendar.patterns import CLOSED, find_due
from services.calendar.placing import LeftOutSlot, SlotPlacer, describe_obstacle
from services.calendar.reconciliation.context import ReconcileContext
from services.calendar.reconciliation.folding import fold
from services.calendar.recurrence import (
    INSTANT,
    FormerMoments,
    Series,
    Slot,
    choose_anchor,
    find_phase,
    horizon_of,
    iterate_slots,
    slots_until,
)
from services.calendar.touchpoint import PEOPLE, Touchpoint


@dataclass(frozen=True, slots=True)
class OccurrencePlan:
    """Where the movable occurrences go, in their order, and after them the new ones.

    `in_place`: each slot still belongs to the occurrence that began with it. `phase`: of `Series`.
    """

    anchor: datetime
    until: datetime | None
    slots: Sequence[Slot]
    left_out: Sequence[LeftOutSlot] = ()
    in_place: bool = False
    phase: tuple[datetime, datetime] | None = None


def plan_occurrences(
    rhythm: RhythmItem,
    series: Series | None,
    fixed: Sequence[Touchpoint],
    movable: Sequence[Touchpoint],
    context: ReconcileContext,
) -> OccurrencePlan:
    """The plan for a rhythm whose `fixed` occurrences stay; a continued or resumed series keeps its nominal moments."""
    came_due = [occurrence.due_at for occurrence in fixed if context.has_come_due(occurrence)]
    contacts = (rhythm.last_touch_at, context.stored.last_due_at.get(rhythm.touchpoint_type), *came_due)
    last_contact = max((moment for moment in contacts if moment is not None), default=None)
    if series is not None and continues(series, rhythm, context):
        if series.until is None and movable:
            return _start_series(
                rhythm, series.moments_from(series.anchor - INSTANT, context.now), last_contact, context
            )
        return _continue_series(rhythm, series, movable, last_contact, context)
    if series is not None and _has_same_interval(series, rhythm):
        former = _moments_in_other_zone(series, movable, context)
    else:
        former = None if series is None else _find_former(series, rhythm, last_contact, context)
    return _start_series(rhythm, former, last_contact, context)


def continues(series: Series, rhythm: RhythmItem, context: ReconcileContext) -> bool:
    """Whether the occurrences of the series are those of the rhythm, by the same clock."""
    return _has_same_interval(series, rhythm) and series.is_by_clock_of(context.availability(rhythm).zone)


def _has_same_interval(series: Series, rhythm: RhythmItem) -> bool:
    same_kind = (series.owner in PEOPLE) == (rhythm.owner in PEOPLE)
    same_interval = (series.every_days, series.rrule) == (rhythm.every_days, rhythm.rrule)
    return series.active and same_interval and same_kind


def _moments_in_other_zone(
    series: Series, movable: Sequence[Touchpoint], context: ReconcileContext
) -> FormerMoments:
    """Those of the same days by the clock of another zone: who moves keeps their Wednesdays."""
    first = min((occurrence.start_at for occurrence in movable), default=None)
    after = series.until or context.now if first is None else first - DAY
    return series.moments_from(max(after, context.now), context.now)


def _find_former(
    series: Series, rhythm: RhythmItem, last_contact: datetime | None, context: ReconcileContext
) -> FormerMoments | None:
    """The moments that the rhythm goes back to as if it had never left: none has passed, and there was no contact."""
    free = context.availability(rhythm)
    for former in series.former:
        if former.fit(rhythm) and (last_contact is None or last_contact < former.left_at):
            slots = iterate_slots(
                former.anchor,
                former.every_days,
                free.zone,
                free.opening,
                after=former.after,
                rrule=former.rrule,
            )
            return former if next(slots).due_at > context.now else None
    return None


def _continue_series(
    rhythm: RhythmItem,
    series: Series,
    movable: Sequence[Touchpoint],
    last_contact: datetime | None,
    context: ReconcileContext,
) -> OccurrencePlan:
    """Each occurrence keeps its nominal moment; the horizon may need further ones.

    After a long standstill at most one moment of the past is made up for.
    """
    free = context.availability(rhythm)
    again = _slots_again(movable, series, free, context.now)
    floor = context.now - timedelta(days=series.every_days)
    after = floor if series.until is None else max(series.until, floor)
    limit = context.now + horizon_of(rhythm.owner)
    further = slots_until(series.slots(free.zone, free.opening, after), limit)
    passed = sum(slot.nominal <= context.now for slot in further)
    further = further[max(passed - 1, 0) :]
    until = further[-1].nominal if further else series.until
    hosts = context.hosts if series.phase is None else ()
    is_usual = not hosts and not series.left_out and all(slot.shift is None for slot in again)
    if is_usual and free.suits(slot.due_at for slot in (*again, *further)):
        return OccurrencePlan(series.anchor, until, again + further, phase=series.phase)
    back = [_slot_at(nominal, series, free) for nominal in series.left_out if nominal > context.now]
    wanted = {slot.nominal: slot for slot in (*back, *again, *further)}
    in_order, folded = fold([wanted[nominal] for nominal in sorted(wanted)], hosts, free.zone)
    coming = series.slots(free.zone, free.opening, until)
    placed, left_out = _place(in_order, coming, last_contact, _placer(rhythm, free, context))
    starts = {occurrence.start_at for occurrence in movable}
    latest = max(starts, default=context.now)
    in_place = all(slot.nominal in starts or slot.nominal > latest for slot in placed)
    return OccurrencePlan(series.anchor, until, placed, [*left_out, *folded], in_place, series.phase)


def _start_series(
    rhythm: RhythmItem, former: FormerMoments | None, last_contact: datetime | None, context: ReconcileContext
) -> OccurrencePlan:
    free = context.availability(rhythm)
    anchor = (
        choose_anchor(rhythm, context.plan.account_id, last_contact, context.now, free.opening, free.zone)
        if former is None
        else former.anchor
    )
    phase = None if former is not None else find_phase(rhythm, last_contact, context.now)
    if phase is not None and context.awaits_phases:
        return OccurrencePlan(anchor, None, (), phase=phase)
    limit = context.now + horizon_of(rhythm.owner)
    after = None if former is None else former.after
    slots = iterate_slots(anchor, rhythm.every_days, free.zone, free.opening, after=after, rrule=rhythm.rrule)
    made = slots_until(slots, limit)
    until = made[-1].nominal if made else after
    made, folded = fold(made, context.hosts if phase is None else (), free.zone)
    if free.suits(slot.due_at for slot in made):
        return OccurrencePlan(anchor, until, made, folded, phase=phase)
    coming = iterate_slots(
        anchor, rhythm.every_days, free.zone, free.opening, after=until, rrule=rhythm.rrule
    )
    placed, left_out = _place(made, coming, last_contact, _placer(rhythm, free, context))
    return OccurrencePlan(anchor, until, placed, [*left_out, *folded], phase=phase)


def _placer(rhythm: RhythmItem, availability: Availability, context: ReconcileContext) -> SlotPlacer:
    return SlotPlacer(availability, timedelta(days=rhythm.every_days), rhythm.never_skip, context.now)


def _place(
    wanted: Sequence[Slot], coming: Iterator[Slot], last: datetime | None, placer: SlotPlacer
) -> tuple[list[Slot], list[LeftOutSlot]]:
    """Placed with what comes beyond the horizon in mind, so that nothing has to be taken back later."""
    ahead = slots_to_consider(coming, placer.availability) if wanted else ()
    placed = placer.place([*wanted, *ahead], last)[: len(wanted)]
    return (
        [slot for slot in placed if isinstance(slot, Slot)],
        [slot for slot in placed if isinstance(slot, LeftOutSlot)],
    )


def slots_to_consider(coming: Iterator[Slot], availability: Availability) -> list[Slot]:
    """The slots that come next, up to the first outside all periods with an end."""
    ahead: list[Slot] = []
    for slot in coming:
        ahead.append(slot)
        period = availability.period_at(slot.due_at)
        if period is None or period.to is None:
            break
    return ahead


def _slots_again(
    movable: Sequence[Touchpoint], series: Series, free: Availability, now: datetime
) -> list[Slot]:
    """The slots of stored occurrences; what was in the way of their days before is determined anew."""
    usual = None if free.opening is None else usual_of(free.opening)
    if series.rrule is None:
        slots = [
            Slot(each.start_at, next_open(each.start_at, usual), each.end_at, _kept_shift(each))
            for each in movable
        ]
    else:
        starts = [each.start_at for each in movable]
        own = series.slots(free.zone, free.opening, min(starts) - INSTANT) if starts else iter(())
        by_rule = {slot.nominal: slot for slot in takewhile(lambda slot: slot.nominal <= max(starts), own)}
        slots = [_slot_by_rule(each, by_rule.get(each.start_at), free, now) for each in movable]
    return [_keep_ahead(slot, each, free, now) for slot, each in zip(slots, movable, strict=True)]


def _keep_ahead(slot: Slot, occurrence: Touchpoint, free: Availability, now: datetime) -> Slot:
    """The slot of an occurrence that stands ahead, at a time that is not over.

    One whose own time has passed stays where it stands. Where it cannot, its shift says why, so that it is placed anew
    from now on.
    """
    if slot.shift is not None or not slot.due_at < now < occurrence.due_at:
        return slot
    if free.is_available(occurrence.due_at):
        return replace(slot, due_at=occurrence.due_at)
    return replace(slot, shift=describe_obstacle(free, occurrence.due_at))


def _slot_by_rule(occurrence: Touchpoint, slot: Slot | None, free: Availability, now: datetime) -> Slot:
    """`slot`: what the rule gives that moment; None: it no longer gives it, so that it stands alone."""
    nominal, shift = occurrence.start_at, _kept_shift(occurrence)
    if slot is None:
        _, due_at, closed = find_due(nominal, free.zone, free.opening)
    else:
        due_at, closed = slot.due_at, slot.closed
    if due_at < now < nominal:
        due_at = next_usual(nominal, free.opening)
    return Slot(nominal, due_at, occurrence.end_at, shift, closed=closed)


def _kept_shift(occurrence: Touchpoint) -> str | None:
    """Why a stored occurrence is not due at its time, of what is not determined anew."""
    is_chosen = occurrence.is_levelled or occurrence.is_covered or occurrence.is_shared
    shift = None if is_chosen else occurrence.shift
    return None if shift is None or shift.startswith(CLOSED) else shift


def _slot_at(nominal: datetime, series: Series, free: Availability) -> Slot:
    """The slot of the series at that moment, as if nothing had to be avoided."""
    slot = next(series.slots(free.zone, free.opening, nominal - INSTANT))
    if slot.nominal == nominal:
        return slot
    return Slot(nominal, next_usual(nominal, free.opening), add_days(nominal, series.every_days, free.zone))
