"""Changes the open occurrences of a rhythm: kept, moved in their order, created or withdrawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.ids import derived_id
from schemas.plans import RhythmItem
from schemas.recurrence_text import interval_text
from services.calendar.avoid import Availability
from services.calendar.placing import LeftOutSlot, PlacedSlot
from services.calendar.plan import content_of
from services.calendar.reconciliation.context import CalendarChange, ChangeKind, ReconcileContext
from services.calendar.reconciliation.occurrence_plan import (
    OccurrencePlan,
    continues,
    plan_occurrences,
)
from services.calendar.recurrence import FormerMoments, Series, Slot, has_fixed_days
from services.calendar.touchpoint import (
    OPEN,
    PEOPLE,
    Cancellation,
    Closure,
    Origin,
    Status,
    Touchpoint,
    plan_again,
)
from services.calendar.touchpoint_windows import has_window
from services.calendar.windows import LevelWindow, occurrence_window


@dataclass(frozen=True, slots=True)
class RhythmChanges:
    changes: Sequence[CalendarChange]
    series: Series
    stretched: int


def open_occurrences(touchpoints: Iterable[Touchpoint]) -> dict[str, list[Touchpoint]]:
    """The open occurrences of rhythms by type, in the order of their numbers."""
    by_type: dict[str, list[Touchpoint]] = {}
    for touchpoint in touchpoints:
        if touchpoint.origin is Origin.RHYTHM and touchpoint.status in OPEN:
            by_type.setdefault(touchpoint.type, []).append(touchpoint)
    for occurrences in by_type.values():
        occurrences.sort(key=lambda occurrence: occurrence.number or 0)
    return by_type


def change_rhythm(
    rhythm: RhythmItem, occurrences: Sequence[Touchpoint], context: ReconcileContext
) -> RhythmChanges:
    fixed: list[Touchpoint] = []
    movable: list[Touchpoint] = []
    for occurrence in occurrences:
        is_fixed = (occurrence.pinned and occurrence.shift is None) or context.has_come_due(occurrence)
        (fixed if is_fixed else movable).append(occurrence)
    series = context.stored.series.get(rhythm.touchpoint_type)
    planned = plan_occurrences(rhythm, series, fixed, movable, context)
    changes = [
        CalendarChange.keep(occurrence, "it has come due, or a person set its date") for occurrence in fixed
    ]
    number = 0 if series is None else series.last_number
    owners, gone = _match(planned, movable)
    is_same = series is not None and continues(series, rhythm, context)
    withdrawn = iter(() if is_same else _withdrawn(rhythm.touchpoint_type, context))
    stretched = index = latest = 0
    free = context.availability(rhythm)
    for slot in _in_order(planned, series, movable):
        if not isinstance(slot, Slot):
            number += 1
            changes.append(_leave_out(context.plan.account_id, rhythm, slot, number))
            continue
        if index < len(owners):
            change = _move_to(owners[index], rhythm, slot, free)
            index += 1
        elif again := next((each for each in withdrawn if (each.number or 0) > latest), None):
            change = _create_again(again, rhythm, slot)
        else:
            number += 1
            change = _create(context.plan.account_id, rhythm, slot, number)
        changes.append(change)
        latest = change.touchpoint.number or latest
        stretched += slot.stretched and change.kind in (ChangeKind.CREATE, ChangeKind.MOVE)
    series = _series(rhythm, planned, number, context, _former(rhythm, series, movable, context))
    return RhythmChanges([*changes, *gone], series, stretched)


def _withdrawn(touchpoint_type: str, context: ReconcileContext) -> list[Touchpoint]:
    """The withdrawn occurrences of a rhythm that were not due yet, in the order of their numbers.

    A rhythm that starts again takes them up before it makes new ones: what flaps keeps its ids.
    """
    found = [
        touchpoint
        for touchpoint in context.stored.touchpoints
        if touchpoint.origin is Origin.RHYTHM
        and touchpoint.type == touchpoint_type
        and touchpoint.status is Status.CANCELLED
        and touchpoint.is_withdrawn
        and touchpoint.due_at > context.now
    ]
    return sorted(found, key=lambda touchpoint: touchpoint.number or 0)


def _former(
    rhythm: RhythmItem, series: Series | None, movable: Sequence[Touchpoint], context: ReconcileContext
) -> tuple[FormerMoments, ...]:
    """The moments that the rhythm may go back to: never those it has now."""
    if series is None:
        return ()
    starts = [occurrence.start_at for occurrence in movable]
    former = series.former if continues(series, rhythm, context) else series.leave(starts, context.now)
    return tuple(moments for moments in former if not moments.fit(rhythm))


def _in_order(
    planned: OccurrencePlan, series: Series | None, movable: Sequence[Touchpoint]
) -> Sequence[PlacedSlot]:
    """The slots, and between them the moments that are left out for the first time."""
    if not planned.left_out:
        return planned.slots
    former = {occurrence.start_at for occurrence in movable}
    if series is not None:
        former.update(series.left_out)
    new = [slot for slot in planned.left_out if slot.nominal not in former]
    return sorted([*planned.slots, *new], key=lambda slot: slot.nominal)


def _match(
    planned: OccurrencePlan, movable: Sequence[Touchpoint]
) -> tuple[list[Touchpoint], list[CalendarChange]]:
    """The occurrences that take the first slots, in their order, and the changes of the others.

    While no moment comes back, each keeps its own and those left out are cancelled; else all move up.
    """
    if planned.in_place:
        left_out = {slot.nominal: slot.reason for slot in planned.left_out}
        cancelled = [
            CalendarChange.cancel(occurrence, Closure.SUPPRESSED, left_out[occurrence.start_at])
            for occurrence in movable
            if occurrence.start_at in left_out
        ]
        return [occurrence for occurrence in movable if occurrence.start_at not in left_out], cancelled
    room = len(planned.slots)
    reason = "the new interval leaves it no room"
    over = [CalendarChange.cancel(occurrence, Closure.WITHDRAWN, reason) for occurrence in movable[room:]]
    return list(movable[:room]), over


def _series(
    rhythm: RhythmItem,
    planned: OccurrencePlan,
    number: int,
    context: ReconcileContext,
    former: tuple[FormerMoments, ...],
) -> Series:
    return Series(
        type=rhythm.touchpoint_type, every_days=rhythm.every_days, rrule=rhythm.rrule, anchor=planned.anchor,
        until=planned.until, last_number=number, active=True, content=content_of(rhythm, context.plan),
        owner=rhythm.owner, csm_id=rhythm.csm_id, minutes=rhythm.minutes,
        left_out=tuple(slot.nominal for slot in planned.left_out if slot.nominal > context.now),
        former=former, phase=planned.phase,
    )  # fmt: skip


def _create(account_id: str, rhythm: RhythmItem, slot: Slot, number: int) -> CalendarChange:
    occurrence = make_occurrence(account_id, rhythm, slot, number)
    return CalendarChange.create(occurrence, _why(rhythm, slot))


def _why(rhythm: RhythmItem, slot: Slot) -> str:
    return slot.reason or interval_text(rhythm.every_days, rhythm.rrule)


def _create_again(withdrawn: Touchpoint, rhythm: RhythmItem, slot: Slot) -> CalendarChange:
    target = make_occurrence(withdrawn.account_id, rhythm, slot, withdrawn.number or 0)
    again = plan_again(withdrawn, target)
    return CalendarChange(ChangeKind.MOVE, again, slot.reason or "the plan contains it again")


def _leave_out(account_id: str, rhythm: RhythmItem, slot: LeftOutSlot, number: int) -> CalendarChange:
    nominal = Slot(slot.nominal, slot.nominal, slot.nominal)
    occurrence = make_occurrence(account_id, rhythm, nominal, number)
    return CalendarChange.refuse(occurrence, Cancellation(Closure.SUPPRESSED, slot.reason))


def _move_to(
    occurrence: Touchpoint, rhythm: RhythmItem, slot: Slot, availability: Availability
) -> CalendarChange:
    if occurrence.is_levelled:
        slot = _levelled_slot(occurrence, slot, availability)
    window = _window(rhythm, slot)
    if occurrence.is_covered and _is_still_covered(occurrence, slot, window, availability):
        return CalendarChange.keep(occurrence, "a colleague leads it")
    if occurrence.is_shared and _stays_shared(occurrence, rhythm, slot, availability):
        return CalendarChange.keep(occurrence, "a colleague leads it")
    if _is_at(occurrence, rhythm, slot, window):  # the usual case, fifty times a plan
        return CalendarChange.keep(occurrence, "it is where the plan puts it")
    responsible = occurrence if occurrence.pinned else rhythm
    movable = None if occurrence.pinned else _new_window(rhythm, slot, window)
    target = occurrence._replace(
        due_at=slot.due_at, start_at=slot.nominal, end_at=slot.deadline, deadline=slot.owed_by,
        owner=responsible.owner, csm_id=responsible.csm_id, minutes=rhythm.minutes, shift=slot.reason,
        earliest_at=None if movable is None else movable.earliest_at,
        latest_at=None if movable is None else movable.latest_at,
        soft_days=0 if movable is None else movable.soft_days,
    )  # fmt: skip
    return CalendarChange.between(occurrence, target, _why(rhythm, slot))


def _window(rhythm: RhythmItem, slot: Slot) -> LevelWindow | None:
    """In which the occurrence may be levelled; None where the rhythm is for certain days, or answers a danger."""
    if has_fixed_days(rhythm) or rhythm.precedence == "escalation":
        return None
    return occurrence_window(slot.nominal, rhythm.every_days, never_skip=rhythm.never_skip)


def _levelled_slot(occurrence: Touchpoint, slot: Slot, availability: Availability) -> Slot:
    """The slot with the day that was chosen for its owner's weeks, while it is a day for that target.

    One that a person gave to somebody has no window any more, and keeps its day.
    """
    due_at, earliest_at, latest_at = occurrence.due_at, occurrence.earliest_at, occurrence.latest_at
    if occurrence.start_at != slot.nominal:
        return slot
    is_inside = earliest_at is None or latest_at is None or earliest_at <= due_at <= latest_at
    stays = is_inside and availability.is_available(due_at)
    return Slot(slot.nominal, due_at, slot.deadline, occurrence.shift) if stays else slot


def _is_still_covered(
    occurrence: Touchpoint, slot: Slot, window: LevelWindow | None, availability: Availability
) -> bool:
    """Whether its own person still has no day in its window, and the customer has time on the day that was chosen."""
    if window is None or occurrence.start_at != slot.nominal:
        return False
    is_owed = not window.earliest_at <= slot.due_at <= window.latest_at
    return is_owed and not availability.is_avoided(occurrence.due_at)


def _stays_shared(occurrence: Touchpoint, rhythm: RhythmItem, slot: Slot, availability: Availability) -> bool:
    """Who took it over keeps it for that target, while the customer has time on the day that was chosen."""
    is_same = occurrence.start_at == slot.nominal and occurrence.owner == rhythm.owner
    return is_same and not availability.is_avoided(occurrence.due_at)


def _is_at(occurrence: Touchpoint, rhythm: RhythmItem, slot: Slot, window: LevelWindow | None) -> bool:
    is_in_time = occurrence.due_at == slot.due_at and occurrence.start_at == slot.nominal
    if not is_in_time:
        return False
    same_end = occurrence.end_at == slot.deadline and occurrence.deadline == slot.owed_by
    same_owner = occurrence.owner == rhythm.owner and occurrence.csm_id == rhythm.csm_id
    same_work = occurrence.minutes == rhythm.minutes and occurrence.shift == slot.reason
    return same_end and same_owner and same_work and has_window(occurrence, window)


def make_occurrence(account_id: str, rhythm: RhythmItem | Series, slot: Slot, number: int) -> Touchpoint:
    """The planned occurrence of a rhythm with that number."""
    touchpoint_type = rhythm.type if isinstance(rhythm, Series) else rhythm.touchpoint_type
    window = None
    if not isinstance(rhythm, Series):
        window = _new_window(rhythm, slot, _window(rhythm, slot))
    return Touchpoint(
        id=derived_id("touchpoint", account_id, touchpoint_type, str(number)), account_id=account_id,
        type=touchpoint_type, origin=Origin.RHYTHM, due_at=slot.due_at, start_at=slot.nominal,
        end_at=slot.deadline, deadline=slot.owed_by, owner=rhythm.owner, csm_id=rhythm.csm_id,
        minutes=rhythm.minutes, number=number, shift=slot.reason,
        earliest_at=None if window is None else window.earliest_at,
        latest_at=None if window is None else window.latest_at,
        soft_days=0 if window is None else window.soft_days,
    )  # fmt: skip


def _new_window(rhythm: RhythmItem, slot: Slot, window: LevelWindow | None) -> LevelWindow | None:
    """The window that `with_window` gives to an occurrence whose date and owner are those of the plan."""
    is_movable = window is not None and rhythm.owner in PEOPLE and rhythm.csm_id is not None
    return window.around(slot.due_at) if window is not None and is_movable else None
