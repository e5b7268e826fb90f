"""Act on a touchpoint as a person does, with the version they last read."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from schemas.directory import PolicyRecord
from services.scheduler.application.assign_owners import find_lead
from services.scheduler.application.ports import CalendarRepository, StoredTouchpoint, TouchpointUpdate
from services.scheduler.application.settle_touchpoint import follow_up
from services.scheduler.domain import touchpoint as transitions
from services.scheduler.domain.touchpoint import (
    Cancellation,
    Closure,
    RecordedOutcome,
    Status,
    Touchpoint,
)

UNDO: Final = timedelta(minutes=10)
"""Real time for which an act can be undone."""


class LastRead(NamedTuple):
    """What a person acts on: the version they last read, and who they are, where the request names them."""

    version: int
    actor_id: str | None = None


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
            f"csm_id: the directory has no person {csm_id[:200]!r}; describe them with csm.described, or check the id"
        )


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
    update = TouchpointUpdate(touchpoint, planned.content, "scheduled", "planned by hand")
    await calendars.save([update], now)
    return StoredTouchpoint(update.touchpoint, update.content)


async def settle(
    touchpoint_id: str, version: int, outcome: RecordedOutcome, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    """Settle it with the outcome that a person enters, and publish the outcome in the same transaction."""
    stored = await _find(touchpoint_id, version, calendars)
    outcome = outcome.later_than(stored.touchpoint.outcome)
    settled = transitions.settle(stored.touchpoint, outcome)
    await calendars.publish_settled(settled, outcome, None)
    return await _save(TouchpointUpdate(settled, stored.content, None), calendars, now)


async def reschedule(
    touchpoint_id: str,
    read: LastRead,
    to: datetime,
    outcome: RecordedOutcome,
    calendars: CalendarRepository,
    now: datetime,
) -> StoredTouchpoint:
    """Move a planned one. One that has come due is settled as rescheduled and a new one replaces it."""
    stored = await _find(touchpoint_id, read.version, calendars)
    before, content = stored.touchpoint, stored.content
    if before.status not in (Status.DUE, Status.OVERDUE):
        moved = transitions.move_by_hand(before, to)
        update = TouchpointUpdate(
            moved, content, "moved", "moved by hand", before.due_at, "person", actor_id=read.actor_id
        )
        return await _save(update, calendars, now)
    outcome = outcome.later_than(before.outcome)
    settled = transitions.settle(before, outcome)
    following = follow_up(settled, to, outcome)._replace(content=content)
    scheduled = TouchpointUpdate(
        following, content, "scheduled", "rescheduled", changed_by="person", actor_id=read.actor_id
    )
    acted_at = await calendars.acts.remember(before.id, following.id)
    await calendars.save([TouchpointUpdate(settled, content, None), scheduled], now)
    await calendars.publish_settled(settled, outcome, to)
    return StoredTouchpoint(following, content, acted_at + UNDO)


async def reassign(
    touchpoint_id: str, read: LastRead, csm_id: str, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    stored = await _find(touchpoint_id, read.version, calendars)
    change = _change_of_owner(stored, csm_id, f"reassigned to {csm_id}", read.actor_id)
    return await _save(change, calendars, now)


async def claim(
    touchpoint_id: str, version: int, csm_id: str, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    """Give it to somebody while no known person has it. Raises UnknownPerson and AlreadyTaken."""
    stored = await _find(touchpoint_id, version, calendars)
    holder = stored.touchpoint.csm_id
    known = await calendars.assignments.find_known({csm_id, holder or csm_id})
    if csm_id not in known:
        raise UnknownPerson(csm_id)
    if holder in known:
        raise AlreadyTaken(stored.touchpoint)
    return await _save(_change_of_owner(stored, csm_id, f"claimed by {csm_id}", csm_id), calendars, now)


def _change_of_owner(
    stored: StoredTouchpoint, csm_id: str, note: str, actor_id: str | None
) -> TouchpointUpdate:
    reassigned = transitions.reassign(stored.touchpoint, csm_id)
    former = stored.touchpoint.holder
    return TouchpointUpdate(
        reassigned,
        stored.content,
        "moved",
        note,
        reassigned.due_at,
        "person",
        None if former == reassigned.holder else former,
        actor_id,
    )


async def cancel(
    touchpoint_id: str, read: LastRead, reason: str, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    stored = await _find(touchpoint_id, read.version, calendars)
    cancelled = transitions.cancel(stored.touchpoint, Cancellation(Closure.BY_HAND, reason))
    note = f"cancelled: {reason}"
    update = TouchpointUpdate(
        cancelled, stored.content, "cancelled", note, changed_by="person", actor_id=read.actor_id
    )
    return await _save(update, calendars, now)


async def _find(touchpoint_id: str, version: int, calendars: CalendarRepository) -> StoredTouchpoint:
    stored = (await calendars.find([touchpoint_id])).get(touchpoint_id)
    return check_version(stored, touchpoint_id, version)


def check_version(stored: StoredTouchpoint | None, touchpoint_id: str, version: int) -> StoredTouchpoint:
    """The touchpoint, if it is as the person last read it. Raises NoSuchTouchpoint and StaleVersion."""
    if stored is None:
        raise NoSuchTouchpoint(touchpoint_id)
    if stored.touchpoint.sequence != version:
        raise StaleVersion(stored.touchpoint, version)
    return stored


async def _save(update: TouchpointUpdate, calendars: CalendarRepository, now: datetime) -> StoredTouchpoint:
    acted_at = await calendars.acts.remember(update.touchpoint.id, None)
    await calendars.save([update], now)
    return StoredTouchpoint(update.touchpoint, update.content, acted_at + UNDO)
