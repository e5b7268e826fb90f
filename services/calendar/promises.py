"""Promises: touchpoints that are to be done by a moment, whether they will be, and what endangers them.

A promise is at risk when what is known now, if nothing changes, breaks it. Each has a moment at which to look again: no
promise is broken without a look at it while there is still time to act.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from schemas.times import format_instant
from schemas.touchpoints import RiskCause
from services.calendar.avoid import PAUSE
from services.calendar.escalation import name_person
from services.calendar.open_hours import OpenHours, next_open
from services.calendar.touchpoint import Closure, Origin, Status, Touchpoint
from services.calendar.windows import LATE
from services.calendar.working_time import find_absence, last_moment_with, name_reasons, open_time

LOOK_AHEAD: Final = timedelta(days=14)
"""How long before its moment a promise is looked at for the first time."""
LOOK_AGAIN: Final = timedelta(days=1)
"""The longest time between two looks at a promise that is near."""
MOST_LEFT: Final = timedelta(hours=4)
"""Half a working day: with less of it left, what came due and has no outcome is at risk."""
MINUTE: Final = timedelta(minutes=1)


class PromiseState(StrEnum):
    """`withdrawn`: the touchpoint is not to be done any more, or another one follows it."""

    OPEN = "open"
    AT_RISK = "at_risk"
    KEPT = "kept"
    BREACHED = "breached"
    WITHDRAWN = "withdrawn"


UNDECIDED: Final = frozenset({PromiseState.OPEN, PromiseState.AT_RISK})


class Risk(NamedTuple):
    """What will break a promise, and in plain English how."""

    cause: RiskCause
    detail: str

    @property
    def is_announced(self) -> bool:
        """Whoever pauses outreach knows what they hold back."""
        return self.cause != "paused"


@dataclass(frozen=True, slots=True)
class Promise:
    """An open touchpoint and the moment by which it is promised.

    `hours`: in which it can be done, None: at any time. `overload`: why its owner's weeks do not hold it, None: they do.
    `room_until`: until when they do if nothing of what is planned is done, None: longer than it is promised.
    """

    touchpoint: Touchpoint
    promised_at: datetime
    hours: OpenHours | None
    overload: str | None = None
    room_until: datetime | None = None

    @property
    def minutes(self) -> timedelta:
        """What it takes of a person's time."""
        return timedelta(minutes=self.touchpoint.minutes if self.touchpoint.is_led_by_person else 0)


def find_promised_at(touchpoint: Touchpoint) -> datetime | None:
    """By when it is promised; None: it is no promise.

    A deadline that was moved because nothing is open before it (`late: ...`) is not the one that was promised.
    """
    if touchpoint.origin is Origin.CALENDAR:
        return None
    if touchpoint.origin is not Origin.ONE_OFF or touchpoint.end_at <= touchpoint.start_at:
        return touchpoint.deadline
    if touchpoint.deadline is None:
        return touchpoint.end_at
    is_late = touchpoint.shift is not None and touchpoint.shift.startswith(LATE)
    return min(touchpoint.deadline, touchpoint.end_at) if is_late else touchpoint.deadline


def conclude_promise(touchpoint: Touchpoint, promised_at: datetime, now: datetime) -> PromiseState:
    """What became of it; OPEN while it can still be kept.

    A touchpoint counts as done when its outcome says so, also if that was reported later. An attempt that reached nobody
    is one; a message of Drumbeat that reached nobody promised nothing to anybody.
    """
    is_past = now >= promised_at
    match touchpoint.status:
        case Status.SETTLED:
            return _conclude_settled(touchpoint, promised_at)
        case Status.CANCELLED if touchpoint.gave_way:
            return PromiseState.BREACHED if is_past else PromiseState.OPEN
        case Status.CANCELLED:
            is_expired = (
                touchpoint.cancellation is not None and touchpoint.cancellation.closure is Closure.EXPIRED
            )
            return PromiseState.BREACHED if is_expired else PromiseState.WITHDRAWN
        case Status.PLANNED | Status.DUE | Status.OVERDUE:
            return PromiseState.BREACHED if is_past else PromiseState.OPEN


def _conclude_settled(touchpoint: Touchpoint, promised_at: datetime) -> PromiseState:
    outcome = touchpoint.outcome
    if outcome is None or outcome.kind in ("rescheduled", "cancelled"):
        return PromiseState.WITHDRAWN
    if outcome.kind == "missed" and not touchpoint.is_led_by_person:
        return PromiseState.WITHDRAWN
    return PromiseState.KEPT if outcome.time <= promised_at else PromiseState.BREACHED


def find_risk(promise: Promise, now: datetime) -> Risk | None:
    """What will break the promise if nothing changes: of several causes the first to solve."""
    touchpoint, promised_at = promise.touchpoint, promise.promised_at
    if touchpoint.gave_way and touchpoint.cancellation is not None:
        return Risk("no_room", touchpoint.cancellation.text)
    if touchpoint.is_led_by_person and touchpoint.csm_id is None:
        return Risk("no_owner", "nobody leads it yet")
    if touchpoint.status is not Status.PLANNED:
        return _find_risk_of_due(promise, now)
    if touchpoint.due_at >= promised_at:
        return _explain_late(promise, now)
    start = max(now, touchpoint.due_at)
    if open_time(start, promised_at, promise.hours) < max(promise.minutes, MINUTE):
        return _explain_closed(promise, start)
    return None if promise.overload is None else Risk("no_room", promise.overload)


def _find_risk_of_due(promise: Promise, now: datetime) -> Risk | None:
    """Of what came due. That its time runs out without an outcome is one cause until its end."""
    absence = _find_absence(promise, now)
    left = open_time(now, promise.promised_at, promise.hours)
    if not left and absence is not None:
        return absence
    came_due_at = promise.touchpoint.released_at or promise.touchpoint.due_at
    if not open_time(came_due_at, promise.promised_at, promise.hours):
        return _explain_closed(promise, now)
    if left <= find_least_left(promise):
        return Risk("unsettled", "it has no outcome yet, and little of its open time is left")
    return None if promise.overload is None else Risk("no_room", promise.overload)


def find_least_left(promise: Promise) -> timedelta:
    """Of the open time until the promise, what has to be left of something that came due without an outcome.

    Half a working day, of less than a whole one the half; in any case what it takes.
    """
    touchpoint = promise.touchpoint
    came_due_at = touchpoint.released_at or touchpoint.due_at
    whole = open_time(came_due_at, promise.promised_at, promise.hours)
    return max(promise.minutes, min(MOST_LEFT, whole / 2))


def find_look_at(promise: Promise, now: datetime) -> datetime:
    """When to look at it again if nothing changes: before it is broken, and once it is."""
    promised_at = promise.promised_at
    if now < promised_at - LOOK_AHEAD:
        return promised_at - LOOK_AHEAD
    moments = [promised_at, now + LOOK_AGAIN]
    is_planned = promise.touchpoint.status is Status.PLANNED
    least = max(promise.minutes, MINUTE) if is_planned else find_least_left(promise)
    found = last_moment_with(least, now, promised_at, promise.hours) if least else None
    moments += [] if found is None else [found, found + MINUTE]
    if promise.room_until is not None:
        moments.append(promise.room_until + MINUTE)
    return min((moment for moment in moments if moment > now), default=now + LOOK_AGAIN)


def _explain_late(promise: Promise, now: datetime) -> Risk:
    """Why it is planned after its promise."""
    touchpoint = promise.touchpoint
    shift = touchpoint.shift or ""
    if shift.startswith((f"moved after {PAUSE}", f"held until further notice: {PAUSE}")):
        return Risk("paused", shift)
    start = max(now, touchpoint.start_at)
    if not open_time(start, promise.promised_at, promise.hours):
        return _explain_closed(promise, start)
    if shift and not touchpoint.is_levelled:
        return Risk("avoided", shift)
    return Risk("dated_late", f"it is planned for {format_instant(touchpoint.due_at)}, after its deadline")


def _explain_closed(promise: Promise, start: datetime) -> Risk:
    """Why too little is open from that moment on: its owner is away, or nobody works."""
    absence, hours = _find_absence(promise, start), promise.hours
    if absence is not None:
        return absence
    left = open_time(start, promise.promised_at, hours) // MINUTE
    if hours is None or left:
        return Risk("closed", f"{left} open minutes are left, and it takes {promise.touchpoint.minutes}")
    if not promise.touchpoint.is_led_by_person:
        return Risk("closed", "quiet hours cover the rest of its time")
    reasons = name_reasons(start, next_open(start, hours), hours)
    return Risk("closed", f"nothing is open before its deadline: {reasons}")


def _find_absence(promise: Promise, start: datetime) -> Risk | None:
    """The time off of its owner, where without it more would be open from that moment until the promise."""
    hours, promised_at = promise.hours, promise.promised_at
    if hours is None or not hours.away or not promise.touchpoint.is_led_by_person:
        return None
    without = open_time(start, promised_at, replace(hours, away=()))
    absence = find_absence(start, promised_at, hours)
    if absence is None or without <= open_time(start, promised_at, hours):
        return None
    person = name_person(promise.touchpoint.csm_id or "", hours)
    return Risk("away", f"{person} is away from {absence[0].isoformat()} to {absence[1].isoformat()}")
