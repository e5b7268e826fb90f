"""Act on a touchpoint as a person does, with the version they last read.

What belongs together is acted on together, unless the person wants `only` the one: each keeps its own outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from schemas.directory import PolicyRecord
from services.calendar import touchpoint as transitions
from services.calendar.touchpoint import (
    OPEN,
    Cancellation,
    Closure,
    RecordedOutcome,
    Status,
    Touchpoint,
)
from services.scheduler.application.assign_owners import find_lead
from services.scheduler.application.group_by_hand import find_company
from services.scheduler.application.ports import CalendarRepository, StoredTouchpoint, TouchpointUpdate
from services.scheduler.application.settle_touchpoint import follow_up

UNDO: Final = timedelta(minutes=10)
"""Real time for which an act can be undone."""


class NoSuchTouchpoint(Exception):
    def __init__(self, touchpoint_id: str) -> None:
        super().__init__(f"there is no touchpoint {touchpoint_id}")


class StaleVersion(Exception):
    def __init__(self, touchpoint: Touchpoint, version: int) -> None:
        super().__init__(
            f"touchpoint {touchpoint.id} is at version {touchpoint.sequence}, you acted on {version};"
            " read it again"
        )
        self.current = touchpoint.sequence


class UnknownPerson(Exception):
    def __init__(self, csm_id: str) -> None:
        super().__init__(
            f"csm_id: nobody is known as {csm_id[:200]!r}; check the id, or describe the person with csm.described"
        )


class ReasonMissing(Exception):
    def __init__(self) -> None:
        super().__init__("reason: a time that is forced needs a reason; say why")


@dataclass(frozen=True, slots=True)
class NewTime:
    """When a person wants it instead, why, and who they are. `force`: also in the past or after the deadline."""

    to: datetime
    reason: str | None = None
    force: bool = False
    actor_id: str | None = None

    def check(self, touchpoint: Touchpoint, now: datetime) -> None:
        """Raises ReasonMissing and WrongTime."""
        if not self.force:
            transitions.check_new_time(touchpoint, self.to, now)
        elif not (self.reason or "").strip():
            raise ReasonMissing

    def note(self, what: str) -> str:
        return what if self.reason is None else f"{what}: {self.reason}"


class AlreadyTaken(Exception):
    def __init__(self, touchpoint: Touchpoint) -> None:
        super().__init__(
            f"touchpoint {touchpoint.id} belongs to {touchpoint.csm_id}; only work that nobody has can be claimed,"
            " reassign it instead"
        )


class HandPlan(Protocol):
    """A touchpoint that a person wants to be planned."""

    @property
    def account_id(self) -> str: ...

    def complete(self, touchpoint_id: str, policy: PolicyRecord | None) -> StoredTouchpoint:
        """The touchpoint and its content; what is left out comes from the policy. Raises UnknownType."""
        ...


async def plan_by_hand(
    touchpoint_id: str, wanted: HandPlan, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    """Plan it once; without a person it goes to whoever leads such work of the account. Raises UnknownType."""
    accounts = await calendars.lock([wanted.account_id])
    stored = (await calendars.find([touchpoint_id])).get(touchpoint_id)
    if stored is not None:
        return stored
    planned = wanted.complete(touchpoint_id, await calendars.load_policy())
    touchpoint = planned.touchpoint
    if touchpoint.csm_id is None and touchpoint.is_led_by_person:
        account = accounts[touchpoint.account_id].owners
        lead = await find_lead(account, touchpoint.owner, touchpoint.minutes, calendars.assignments, now)
        touchpoint = touchpoint._replace(csm_id=lead)
    planned = StoredTouchpoint(touchpoint, planned.content)
    group, others = await find_company(planned, calendars, now)
    touchpoint = touchpoint._replace(group=group)
    update = TouchpointUpdate(touchpoint, planned.content, "scheduled", "planned by hand")
    await calendars.save([update, *others], now)
    return StoredTouchpoint(touchpoint, planned.content)


class Target(NamedTuple):
    """What a person acts on, as they last read it; `only`: not on those that belong together with it.

    `actor_id`: who they are, where the request names them.
    """

    touchpoint_id: str
    version: int
    only: bool = False
    actor_id: str | None = None


async def settle(
    target: Target, outcome: RecordedOutcome, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    """Settle it with the outcome that a person enters, and publish the outcome in the same transaction."""
    updates: list[TouchpointUpdate] = []
    for stored in await _find_together(target, calendars):
        own = _own_outcome(outcome, stored.touchpoint, target)
        settled = transitions.settle(stored.touchpoint, own)
        await calendars.publish_settled(settled, own, None)
        updates.append(TouchpointUpdate(settled, stored.content, None))
    return await _save(updates, calendars, now)


async def reschedule(
    target: Target, wanted: NewTime, outcome: RecordedOutcome, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    """Move a planned one. One that has come due is settled as rescheduled and a new one replaces it.

    Raises WrongTime and ReasonMissing.
    """
    moved: list[StoredTouchpoint] = []
    for stored in await _find_together(target, calendars):
        wanted.check(stored.touchpoint, now)
        if stored.touchpoint.status in (Status.DUE, Status.OVERDUE):
            own = _own_outcome(outcome, stored.touchpoint, target)
            moved.append(await _replace(stored, wanted, own, calendars, now))
        else:
            moved.append(await _move(stored, wanted, calendars, now))
    return _together(moved)


async def _move(
    stored: StoredTouchpoint, wanted: NewTime, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    before = stored.touchpoint
    moved = transitions.move_by_hand(before, wanted.to, wanted.reason)
    note = wanted.note("moved by hand")
    update = TouchpointUpdate(
        moved, stored.content, "moved", note, before.due_at, "person", actor_id=wanted.actor_id
    )
    return await _save([update], calendars, now)


async def _replace(
    stored: StoredTouchpoint,
    wanted: NewTime,
    outcome: RecordedOutcome,
    calendars: CalendarRepository,
    now: datetime,
) -> StoredTouchpoint:
    before, content = stored.touchpoint, stored.content
    outcome = replace(outcome, notes=wanted.reason)
    settled = transitions.settle(before, outcome)
    following = follow_up(settled, wanted.to, outcome)
    following = following._replace(content=content, move_reason=wanted.reason, group=before.group)
    note = wanted.note("rescheduled")
    scheduled = TouchpointUpdate(
        following, content, "scheduled", note, changed_by="person", actor_id=wanted.actor_id
    )
    acted_at = await calendars.acts.remember(before.id, following.id)
    await calendars.save([TouchpointUpdate(settled, content, None), scheduled], now)
    await calendars.publish_settled(settled, outcome, wanted.to)
    return StoredTouchpoint(following, content, acted_at + UNDO)


async def reassign(
    target: Target, csm_id: str, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    """Give it to somebody whom the directory describes or an account names. Raises UnknownPerson."""
    acted_on = await _find_together(target, calendars)
    if csm_id not in await calendars.assignments.find_named({csm_id}):
        raise UnknownPerson(csm_id)
    updates = [_give(stored, csm_id, f"reassigned to {csm_id}", target.actor_id) for stored in acted_on]
    return await _save(updates, calendars, now)


async def claim(
    target: Target, csm_id: str, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    """Give it to somebody while nobody whom the directory describes has it; to whom it may be given: see `reassign`.

    Raises UnknownPerson and AlreadyTaken.
    """
    acted_on = await _find_together(target, calendars)
    holder = acted_on[0].touchpoint.csm_id
    if csm_id not in await calendars.assignments.find_named({csm_id}):
        raise UnknownPerson(csm_id)
    if holder is not None and await calendars.assignments.find_known({holder}):
        raise AlreadyTaken(acted_on[0].touchpoint)
    updates = [_give(stored, csm_id, f"claimed by {csm_id}", csm_id) for stored in acted_on]
    return await _save(updates, calendars, now)


def _give(stored: StoredTouchpoint, csm_id: str, note: str, actor_id: str | None) -> TouchpointUpdate:
    reassigned = transitions.reassign(stored.touchpoint, csm_id)
    former = stored.touchpoint.holder
    changed = None if former == reassigned.holder else former
    return TouchpointUpdate(
        reassigned, stored.content, "moved", note, reassigned.due_at, "person", changed, actor_id
    )


async def cancel(
    target: Target, reason: str, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    updates: list[TouchpointUpdate] = []
    for stored in await _find_together(target, calendars):
        cancelled = transitions.cancel(stored.touchpoint, Cancellation(Closure.BY_HAND, reason))
        note = f"cancelled: {reason}"
        update = TouchpointUpdate(
            cancelled, stored.content, "cancelled", note, changed_by="person", actor_id=target.actor_id
        )
        updates.append(update)
    return await _save(updates, calendars, now)


async def _find_together(target: Target, calendars: CalendarRepository) -> list[StoredTouchpoint]:
    """The touchpoint, and after it the others of its group. Raises NoSuchTouchpoint and StaleVersion."""
    found = {stored.touchpoint.id: stored for stored in await calendars.find_together(target.touchpoint_id)}
    named = check_version(found.pop(target.touchpoint_id, None), target.touchpoint_id, target.version)
    if target.only:
        return [replace(named, touchpoint=named.touchpoint._replace(group=None))]
    return [named, *(other for other in found.values() if other.touchpoint.status in OPEN)]


def _own_outcome(outcome: RecordedOutcome, touchpoint: Touchpoint, target: Target) -> RecordedOutcome:
    """The outcome under an id of its own for each touchpoint of a group."""
    if touchpoint.id != target.touchpoint_id:
        outcome = replace(outcome, id=f"{outcome.id}:{touchpoint.id}")
    return outcome.later_than(touchpoint.outcome)


def check_version(stored: StoredTouchpoint | None, touchpoint_id: str, version: int) -> StoredTouchpoint:
    """The touchpoint, if it is as the person last read it. Raises NoSuchTouchpoint and StaleVersion."""
    if stored is None:
        raise NoSuchTouchpoint(touchpoint_id)
    if stored.touchpoint.sequence != version:
        raise StaleVersion(stored.touchpoint, version)
    return stored


async def _save(
    updates: Sequence[TouchpointUpdate], calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    """Store one touchpoint, or several that belong together; returns the first one."""
    stored: list[StoredTouchpoint] = []
    for update in updates:
        acted_at = await calendars.acts.remember(update.touchpoint.id, None)
        stored.append(StoredTouchpoint(update.touchpoint, update.content, acted_at + UNDO))
    await calendars.save(updates, now)
    return _together(stored)


def _together(acted_on: Sequence[StoredTouchpoint]) -> StoredTouchpoint:
    first, *others = acted_on
    return replace(first, together_with=tuple(other.touchpoint.id for other in others))
