"""Look at the promises of one person: what became of them, what endangers them, and when to look again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from schemas.touchpoints import RiskCause
from services.calendar.open_hours import OpenHours
from services.calendar.promises import (
    LOOK_AHEAD,
    Promise,
    PromiseState,
    Risk,
    conclude_promise,
    find_look_at,
    find_promised_at,
    find_risk,
)
from services.calendar.touchpoint import Touchpoint
from services.calendar.workload import Work, Workload, measure_workload


class KnownRisk(NamedTuple):
    """The risk as it was found: its cause, how, and when that cause was found."""

    cause: RiskCause
    detail: str
    since: datetime


@dataclass(frozen=True, slots=True)
class WatchedPromise:
    """A touchpoint that may be a promise. `hours`: in which it can be done, None: at any time.

    `known`: the risk at the last look. `no_room`: why the leveller finds no room for it in its owner's weeks.
    """

    touchpoint: Touchpoint
    hours: OpenHours | None
    known: KnownRisk | None = None
    no_room: str | None = None


class Review(NamedTuple):
    """What a look found. `promise`: None for what is none, or closed. `look_at`: None: there is nothing left to find."""

    state: PromiseState
    promised_at: datetime | None
    risk: KnownRisk | None
    look_at: datetime | None
    promise: Promise | None = None
    is_new: bool = False
    """Whether its cause is another one than at the last look."""

    @property
    def is_alarm(self) -> bool:
        """Whether people have to learn of the risk."""
        return self.is_new and self.risk is not None and Risk(*self.risk[:2]).is_announced


def review_promises(
    watched: Sequence[WatchedPromise], fixed: Sequence[Work], hours: OpenHours | None, now: datetime
) -> list[Review]:
    """A review of each promise of one person, in the same order. `hours`: theirs; None: nobody leads them.

    `fixed`: what else they have to do at fixed times.
    """
    found = [_begin(each, now) for each in watched]
    workload = None
    if hours is not None:
        promises = [promise for promise in found if isinstance(promise, Promise)]
        workload = measure_workload([*fixed, *_work_of(promises, now)], hours, now)
    return [
        promise if isinstance(promise, Review) else _review(each, _with_room(promise, workload), now)
        for each, promise in zip(watched, found, strict=True)
    ]


def _with_room(promise: Promise, workload: Workload | None) -> Promise:
    if workload is None:
        return promise
    overload = promise.overload or workload.overloads.get(promise.touchpoint.id)
    return replace(promise, overload=overload, room_until=workload.room_until.get(promise.touchpoint.id))


def _begin(watched: WatchedPromise, now: datetime) -> Promise | Review:
    """The promise, or the review of what is none or has an end."""
    promised_at = find_promised_at(watched.touchpoint)
    if promised_at is None:
        return Review(PromiseState.WITHDRAWN, None, None, None)
    state = conclude_promise(watched.touchpoint, promised_at, now)
    if state is not PromiseState.OPEN:
        risk = watched.known if state is PromiseState.BREACHED else None
        return Review(state, promised_at, risk, None)
    return Promise(watched.touchpoint, promised_at, watched.hours, watched.no_room)


def _work_of(promises: Sequence[Promise], now: datetime) -> list[Work]:
    """What people have to do; what is at risk for a reason of its own takes no time from others."""
    return [
        Work(promise.touchpoint.id, promise.minutes, promise.promised_at, is_promise=True)
        for promise in promises
        if promise.promised_at - LOOK_AHEAD <= now and _is_feasible(promise, now)
    ]


def _is_feasible(promise: Promise, now: datetime) -> bool:
    risk = find_risk(replace(promise, overload=None), now)
    return risk is None or risk.cause == "unsettled"


def _review(watched: WatchedPromise, promise: Promise, now: datetime) -> Review:
    look_at = find_look_at(promise, now)
    risk = find_risk(promise, now) if now >= promise.promised_at - LOOK_AHEAD else None
    if risk is None:
        return Review(PromiseState.OPEN, promise.promised_at, None, look_at, promise)
    is_new = watched.known is None or watched.known.cause != risk.cause
    since = now if is_new or watched.known is None else watched.known.since
    known = KnownRisk(risk.cause, risk.detail, since)
    return Review(PromiseState.AT_RISK, promise.promised_at, known, look_at, promise, is_new)
