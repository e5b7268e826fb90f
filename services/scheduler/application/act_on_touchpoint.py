"""Act on a touchpoint as a person does, with the version they last read."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

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
    """When a person wants it instead, and why. `force`: also in the past or after the deadline."""

    to: datetime
    reason: str | None = None
    force: bool = False

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
    version: int,
    wanted: NewTime,
    outcome: RecordedOutcome,
    calendars: CalendarRepository,
    now: datetime,
) -> StoredTouchpoint:
    """Move a planned one. One that has come due is settled as rescheduled and a new one replaces it.

    Raises WrongTime and ReasonMissing.
    """
    stored = await _find(touchpoint_id, version, calendars)
    before, content = stored.touchpoint, stored.content
    wanted.check(before, now)
    if before.status not in (Status.DUE, Status.OVERDUE):
        moved = transitions.move_by_hand(before, wanted.to, wanted.reason)
        note = wanted.note("moved by hand")
        update = TouchpointUpdate(moved, content, "moved", note, before.due_at, "person")
        return await _save(update, calendars, now)
    outcome = replace(outcome.later_than(before.outcome), notes=wanted.reason)
    settled = transitions.settle(before, outcome)
    following = follow_up(settled, wanted.to, outcome)._replace(content=content, move_reason=wanted.reason)
    note = wanted.note("rescheduled")
    scheduled = TouchpointUpdate(following, content, "scheduled", note, changed_by="person")
    acted_at = await calendars.acts.remember(before.id, following.id)
    await calendars.save([TouchpointUpdate(settled, content, None), scheduled], now)
    await calendars.publish_settled(settled, outcome, wanted.to)
    return StoredTouchpoint(following, content, acted_at + UNDO)


async def reassign(
    touchpoint_id: str, version: int, csm_id: str, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    """Give it to somebody whom the directory describes or an account names. Raises UnknownPerson."""
    stored = await _find(touchpoint_id, version, calendars)
    if csm_id not in await calendars.assignments.find_named({csm_id}):
        raise UnknownPerson(csm_id)
    return await _give(stored, csm_id, f"reassigned to {csm_id}", calendars, now)


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
    return await _give(stored, csm_id, f"claimed by {csm_id}", calendars, now)


async def _give(
    stored: StoredTouchpoint, csm_id: str, note: str, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    reassigned = transitions.reassign(stored.touchpoint, csm_id)
    former = stored.touchpoint.holder
    update = TouchpointUpdate(
        reassigned,
        stored.content,
        "moved",
        note,
        reassigned.due_at,
        "person",
        None if former == reassigned.holder else former,
    )
    return await _save(update, calendars, now)


async def cancel(
    touchpoint_id: str, version: int, reason: str, calendars: CalendarRepository, now: datetime
) -> StoredTouchpoint:
    stored = await _find(touchpoint_id, version, calendars)
    cancelled = transitions.cancel(stored.touchpoint, Cancellation(Closure.BY_HAND, reason))
    note = f"cancelled: {reason}"
    update = TouchpointUpdate(cancelled, stored.content, "cancelled", note, changed_by="person")
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
