"""When a one-off is due and until when: people's work in people's hours, before the date that it protects."""

from datetime import datetime, time
from typing import NamedTuple

from schemas.plans import OneOffItem
from schemas.times import format_instant
from services.calendar.avoid import NEVER, Availability, describe_move, describe_period
from services.calendar.open_hours import (
    OpenHours,
    from_wall,
    last_open_before,
    next_open,
    next_usual,
    open_stretch,
    working_hours,
)
from services.calendar.plan import latest_of
from services.calendar.reconciliation.context import ReconcileContext
from services.calendar.touchpoint import PEOPLE
from services.calendar.windows import LATE, MOVED_EARLY
from services.calendar.working_time import name_reasons


class Timing(NamedTuple):
    """`shift`: why it is not due when it would be if nothing had to be avoided; None: it is."""

    due_at: datetime
    deadline: datetime | None
    shift: str | None


def time_one_off(item: OneOffItem, context: ReconcileContext) -> Timing:
    """Its times. What people owe ends with the last of their hours before its deadline.

    Where none of them are left, it reaches the next day they work, unless the date that it protects comes first: then
    it is done before its window.
    """
    free, now = context.availability(item), context.now
    due_at, shift = _choose_time(item, free, now)
    if item.owner not in PEOPLE:
        return Timing(due_at, item.deadline, shift)
    hours = free.opening or context.hours.of_csm(item.csm_id)
    start, protected = max(item.window.from_, now), _find_protected(item, hours)
    limit = min(latest_of(item), protected)
    is_limited = item.deadline is not None or protected < latest_of(item)
    opens_at = next_open(start, hours)
    if opens_at < limit:
        ends_at = last_open_before(limit, working_hours(hours)) if is_limited else None
        return Timing(due_at, ends_at, shift)
    reasons = name_reasons(start, opens_at, hours)
    if opens_at < protected:
        planned = Timing(due_at, limit, shift)
        return _reach_next_day(planned, free, opens_at, hours, (protected, reasons))
    closes_at = last_open_before(min(start, protected), hours)
    if closes_at is not None and closes_at > now:
        begins_at = max(open_stretch(closes_at, hours)[0], now)
        if free.period_at(begins_at) is None:
            return Timing(begins_at, closes_at, f"{MOVED_EARLY}: {reasons}")
    if free.opening is None and due_at < limit:
        return Timing(due_at, limit if is_limited else None, shift)
    late = Timing(opens_at, item.deadline, f"{LATE}nothing is open before the date it protects: {reasons}")
    return late._replace(due_at=due_at) if free.opening is None else _do_late(late, free)


def _reach_next_day(
    planned: Timing, free: Availability, opens_at: datetime, hours: OpenHours, bounds: tuple[datetime, str]
) -> Timing:
    """Until the end of the hours that come next; what the customer sees is due in them.

    `bounds`: the date that it protects, at which they end for it, and why nothing is open before them.
    """
    latest, (protected, reasons) = planned.deadline, bounds
    if free.opening is None:
        return planned._replace(deadline=_end_of_hours(opens_at, hours, protected))
    named = "" if latest is None else f", {format_instant(latest)}"
    late = _do_late(
        Timing(opens_at, latest, f"{LATE}nothing is open before its deadline{named}: {reasons}"), free
    )
    if late.due_at >= NEVER:
        return late
    return late._replace(deadline=_end_of_hours(late.due_at, hours, protected))


def _end_of_hours(moment: datetime, hours: OpenHours, protected: datetime) -> datetime:
    """When the working hours end around that moment, whatever stands in a calendar; a date to come before ends them."""
    ends_at = open_stretch(moment, working_hours(hours))[1]
    return min(ends_at, protected) if moment < protected else ends_at


def _do_late(planned: Timing, free: Availability) -> Timing:
    """The first moment from the planned one on that is outside all times to avoid."""
    late_at = free.first_available(planned.due_at)
    if late_at < NEVER:
        return planned._replace(due_at=late_at)
    endless = (period for period in free.periods if period.to is None)
    period = next(endless, None)
    cause = "no open hours" if period is None else describe_period(period)
    return planned._replace(due_at=NEVER, shift=f"held until further notice: {cause}")


def _find_protected(item: OneOffItem, hours: OpenHours) -> datetime:
    """The start of the first day after its window opens that it is to come before: for notice, or the end of a term."""
    about = item.about
    days = () if about is None else (about.notice_on, about.renews_on)
    opens_on = item.window.from_.date()
    ahead = [day for day in days if day is not None and day > opens_on]
    return from_wall(datetime.combine(min(ahead), time()), hours.zone) if ahead else NEVER


def _choose_time(item: OneOffItem, availability: Availability, now: datetime) -> tuple[datetime, str | None]:
    """When the one-off is due, and why not when it would be if nothing had to be avoided."""
    due_at = _first_usual(item, availability.opening, now)
    period = availability.period_at(due_at)
    if period is None:
        return due_at, None
    after = availability.first_available(due_at)
    if after >= NEVER:
        return NEVER, f"held until further notice: {describe_period(period)}"
    before = None if availability.is_paused(due_at) else availability.available_before(due_at, now)
    if before is not None and after > latest_of(item) and due_at - before <= after - due_at:
        return before, describe_move(period, before=True)
    return after, describe_move(period, before=False)


def _first_usual(item: OneOffItem, opening: OpenHours | None, now: datetime) -> datetime:
    """The earliest usually open moment of the window; when none is open in time, the start of the window."""
    start = max(item.window.from_, now)
    open_at = next_usual(start, opening)
    return open_at if open_at <= latest_of(item) else start
