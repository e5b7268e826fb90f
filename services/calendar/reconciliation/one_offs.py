"""Changes the one-offs of an account, found by their ids: a new window moves open ones, closed ones stay."""

from datetime import timedelta

from schemas.plans import OneOffItem
from schemas.times import format_instant
from services.calendar.avoid import NEVER, Availability
from services.calendar.open_hours import is_open_at, open_stretch, working_hours
from services.calendar.plan import content_of, latest_of, window_end
from services.calendar.reconciliation.context import CalendarChange, ChangeKind, ReconcileContext
from services.calendar.reconciliation.timing import time_one_off
from services.calendar.reconciliation.yielding import keep_yielded
from services.calendar.touchpoint import (
    OPEN,
    Cancellation,
    Closure,
    Origin,
    Status,
    Touchpoint,
    plan_again,
)
from services.calendar.touchpoint_windows import has_window, with_window
from services.calendar.windows import LATE, LevelWindow, one_off_window


def change_one_offs(context: ReconcileContext) -> list[CalendarChange]:
    stored = {
        touchpoint.id: touchpoint
        for touchpoint in context.stored.touchpoints
        if touchpoint.origin is not Origin.RHYTHM
    }
    items = {item.id: item for item in context.plan.touchpoints}
    changes = [_change(item, stored.get(item.id), context) for item in items.values()]
    return changes + [
        _remove(touchpoint, context)
        for touchpoint in stored.values()
        if touchpoint.origin is Origin.ONE_OFF and touchpoint.id not in items and touchpoint.status in OPEN
    ]


def _change(item: OneOffItem, stored: Touchpoint | None, context: ReconcileContext) -> CalendarChange:
    if stored is None:
        return _create(item, context)
    if stored.origin is not Origin.ONE_OFF:
        return CalendarChange.keep(stored, "a person or the calendar planned it")
    if stored.gave_way and _is_same_window(stored, _make(item, context)):
        return keep_yielded(stored, item)
    if stored.status is Status.CANCELLED and stored.is_withdrawn:
        return _create_again(item, stored, context)
    if context.has_come_due(stored):
        return CalendarChange.keep(stored, "it has come due or is closed")
    fresh = _make(item, context)
    free = context.availability(item)
    if _stays_with_colleague(stored, fresh, free):
        return _keep_covered(stored, item)
    dates = _choose_dates(stored, fresh, free)
    responsible = stored if stored.pinned else fresh
    target = stored._replace(
        due_at=dates.due_at, start_at=dates.start_at, end_at=dates.end_at, deadline=dates.deadline,
        shift=dates.shift, owner=responsible.owner, csm_id=responsible.csm_id, minutes=fresh.minutes,
        content=fresh.content,
    )  # fmt: skip
    window = _window(item, fresh)
    if not has_window(target, window):
        target = with_window(target, window)
    return CalendarChange.between(
        stored, target, dates.shift or "its window or its owner in the plan changed"
    )


def _stays_with_colleague(stored: Touchpoint, fresh: Touchpoint, free: Availability) -> bool:
    """While its own person is away, or, if their weeks were full, while its window is the same."""
    is_with_colleague = (stored.is_covered and _is_owed(fresh, free)) or (
        stored.is_shared and _is_same_window(stored, fresh)
    )
    return is_with_colleague and not free.is_avoided(stored.due_at)


def _is_owed(fresh: Touchpoint, free: Availability) -> bool:
    """Whether its own person cannot do it, or not in time."""
    return not free.is_available(fresh.due_at) or (fresh.shift or "").startswith(LATE)


def _keep_covered(stored: Touchpoint, item: OneOffItem) -> CalendarChange:
    """With the colleague; what its own person can only do late has its own deadline again."""
    reason = "a colleague leads it"
    return CalendarChange.between(stored, stored._replace(deadline=item.deadline), reason)


def _create(item: OneOffItem, context: ReconcileContext) -> CalendarChange:
    refusal = _refuse(item, context)
    if refusal is None:
        return CalendarChange.create(_make(item, context), "the plan contains it")
    return CalendarChange.refuse(_make(item, context), refusal)


def _create_again(item: OneOffItem, stored: Touchpoint, context: ReconcileContext) -> CalendarChange:
    refusal = _refuse(item, context)
    if refusal is not None:
        return CalendarChange.keep(stored, refusal.text)
    again = plan_again(stored, _make(item, context))
    return CalendarChange(ChangeKind.MOVE, again, "the plan contains it again")


def _refuse(item: OneOffItem, context: ReconcileContext) -> Cancellation | None:
    """Why the one-off is not planned: its time has passed, or one of its type came due too recently."""
    latest = latest_of(item)
    if latest <= context.now:
        text = f"its time had passed at {format_instant(latest)} when it was first planned"
        return Cancellation(Closure.EXPIRED, text)
    last = context.stored.last_due_at.get(item.touchpoint_type)
    if item.spacing_days is None or last is None:
        return None
    if context.now - last >= timedelta(days=item.spacing_days):
        return None
    text = f"another {item.touchpoint_type} came due at {format_instant(last)}, less than {item.spacing_days} days before"
    return Cancellation(Closure.SUPPRESSED, text)


def _make(item: OneOffItem, context: ReconcileContext) -> Touchpoint:
    due_at, deadline, shift = time_one_off(item, context)
    touchpoint = Touchpoint(
        id=item.id, account_id=context.plan.account_id, type=item.touchpoint_type, origin=Origin.ONE_OFF,
        due_at=due_at, start_at=item.window.from_, end_at=window_end(item), deadline=deadline,
        owner=item.owner, csm_id=item.csm_id, minutes=item.minutes, content=content_of(item, context.plan), shift=shift,
    )  # fmt: skip
    return with_window(touchpoint, _window(item, touchpoint))


def _window(item: OneOffItem, fresh: Touchpoint) -> LevelWindow | None:
    """From its start to its end. What is urgent, and what is not placed as it would be, stays."""
    if item.precedence == "escalation" or fresh.shift is not None:
        return None
    latest = window_end(item) if fresh.deadline is None else min(window_end(item), fresh.deadline)
    return one_off_window(item.window.from_, latest)


def _may_stay(stored: Touchpoint, fresh: Touchpoint, availability: Availability) -> bool:
    if fresh.earliest_at is None or fresh.latest_at is None:
        return False
    is_within = fresh.earliest_at <= stored.due_at <= fresh.latest_at
    return is_within and availability.is_available(stored.due_at)


def _is_same_window(stored: Touchpoint, fresh: Touchpoint) -> bool:
    return (stored.start_at, stored.end_at, stored.deadline) == (
        fresh.start_at,
        fresh.end_at,
        fresh.deadline,
    )


def _is_still_good(stored: Touchpoint, fresh: Touchpoint, availability: Availability) -> bool:
    same_dates = _is_same_window(stored, fresh)
    is_free = availability.period_at(stored.due_at) is None
    is_open = is_open_at(stored.due_at, availability.opening)
    return same_dates and is_free and (is_open or stored.due_at == fresh.due_at)


def _choose_dates(stored: Touchpoint, fresh: Touchpoint, availability: Availability) -> Touchpoint:
    """The touchpoint whose dates count: a person's date, a day that is still good, or else those of the plan."""
    if stored.shift is None and stored.pinned:
        return stored
    if stored.shift is None and _is_still_good(stored, fresh, availability):
        return fresh._replace(due_at=stored.due_at, shift=None)
    if stored.is_levelled and _may_stay(stored, fresh, availability):
        return fresh._replace(due_at=stored.due_at, shift=stored.shift)
    return fresh


def _remove(stored: Touchpoint, context: ReconcileContext) -> CalendarChange:
    if stored.id in context.plan.withdrawn:
        return CalendarChange.cancel(stored, Closure.WITHDRAWN, "the answer that it followed was revised")
    if context.has_come_due(stored):
        return CalendarChange.keep(stored, "it has come due")
    latest = stored.end_at if stored.deadline is None else stored.deadline
    if stored.shift is not None and stored.shift.startswith(LATE) and stored.end_at <= context.now:
        return _keep_late(stored, context)
    if latest <= context.now and stored.pinned and stored.due_at > latest:
        return CalendarChange.keep(stored, "a person set a date after its deadline")
    if latest <= context.now:
        return CalendarChange.cancel(stored, Closure.EXPIRED, f"its time passed at {format_instant(latest)}")
    return context.withdraw(stored)


def _keep_late(stored: Touchpoint, context: ReconcileContext) -> CalendarChange:
    """What could not be done in its window, and the plan names no more: it waits for the end of what is to be avoided."""
    reason = "its window passed before anything was open; it is still to be done"
    free = context.availability_of(stored)
    if free is None or not free.is_avoided(stored.due_at):
        return CalendarChange.keep(stored, reason)
    due_at, deadline = free.first_available(stored.due_at), stored.deadline
    if due_at >= NEVER:
        passed = format_instant(stored.end_at)
        text = f"its time passed at {passed}, and what holds it back has no end"
        return CalendarChange.cancel(stored, Closure.EXPIRED, text)
    if deadline is not None and free.opening is not None:
        deadline = open_stretch(due_at, working_hours(free.opening))[1]
    return CalendarChange.between(stored, stored._replace(due_at=due_at, deadline=deadline), reason)
