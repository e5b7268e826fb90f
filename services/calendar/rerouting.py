"""Who keeps a promise that its owner cannot keep: a colleague of the account's pool."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from schemas.plans import Avoid
from services.calendar.absences import Cover, find_nearest
from services.calendar.deputies import Deputy, sort_able
from services.calendar.escalation import name_person
from services.calendar.open_hours import call_hours
from services.calendar.promises import MINUTE, Promise, Risk
from services.calendar.touchpoint import Status
from services.calendar.windows import COVERED, LATE
from services.calendar.working_time import open_time


def is_reroutable(promise: Promise, risk: Risk) -> bool:
    """Whether somebody else may lead it: nothing is open for its owner, and no person chose the date or the owner.

    What is planned and only late for another reason is moved or escalated by the leveller.
    """
    touchpoint = promise.touchpoint
    if risk.cause not in ("away", "closed") or not touchpoint.is_led_by_person or touchpoint.pinned:
        return False
    return touchpoint.status is Status.DUE or (touchpoint.shift or "").startswith(LATE)


def find_reroute(
    promise: Promise, risk: Risk, deputies: Iterable[Deputy], periods: Sequence[Avoid], now: datetime
) -> Cover | None:
    """The deputy with the most room who can keep the promise, and when; None: nobody can.

    What has come due keeps its date. `periods`: times to avoid.
    """
    touchpoint = promise.touchpoint
    for deputy in sort_able(deputies):
        due_at = _find_time(promise, deputy, periods, now)
        if due_at is not None:
            taker = name_person(deputy.csm_id, deputy.hours)
            return Cover(touchpoint.id, deputy.csm_id, due_at, f"{COVERED}{taker}: {risk.detail}")
    return None


def _find_time(promise: Promise, deputy: Deputy, periods: Sequence[Avoid], now: datetime) -> datetime | None:
    touchpoint, promised_at = promise.touchpoint, promise.promised_at
    least = max(promise.minutes, MINUTE)
    if touchpoint.status is not Status.PLANNED:
        return touchpoint.due_at if open_time(now, promised_at, deputy.hours) >= least else None
    start = max(now, touchpoint.start_at)
    if start >= promised_at:
        return None
    hours = call_hours(deputy.hours, promise.minutes // MINUTE)
    due_at = find_nearest((start, promised_at), start, hours, periods)
    if due_at is None or open_time(due_at, promised_at, deputy.hours) < least:
        return None
    return due_at
