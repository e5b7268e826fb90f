"""Act: what a person does to a touchpoint, on the version they last read."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from services.scheduler.application.ports import Found, Kept, Ledger
from services.scheduler.application.settle import follow_up
from services.scheduler.domain.touchpoint import (
    Closure,
    Face,
    Outcome,
    Status,
    Touchpoint,
    Verdict,
    cancelled,
    moved_by_hand,
    reassigned,
    settled,
)


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


Change = Callable[[Touchpoint], Touchpoint]


async def plan_by_hand(touchpoint: Touchpoint, face: Face, ledger: Ledger, now: datetime) -> Found:
    """Plan it once; without a person of its own it falls to the account's CSM."""
    accounts = await ledger.lock([touchpoint.account_id])
    if touchpoint.csm_id is None and touchpoint.led_by_a_person:
        touchpoint = replace(touchpoint, csm_id=accounts[touchpoint.account_id].csm_id)
    held = (await ledger.find([touchpoint.id])).get(touchpoint.id)
    if held is not None:
        return held
    await ledger.keep([Kept(touchpoint, face, "scheduled", "planned by hand")], now)
    return Found(touchpoint, face)


async def settle_by_hand(
    touchpoint_id: str, version: int, outcome: Outcome, ledger: Ledger, now: datetime
) -> Found:
    """Close it with what a person says, and tell the rules engine in the same transaction."""
    found = await _current(touchpoint_id, version, ledger)
    after = settled(found.touchpoint, outcome)
    await ledger.keep([Kept(after, found.face, None)], now)
    await ledger.tell_settled(after, outcome, None)
    return Found(after, found.face)


async def reschedule(
    touchpoint_id: str, version: int, to: datetime, outcome: Outcome, ledger: Ledger, now: datetime
) -> Found:
    """Move a planned one. One that has come due is settled as rescheduled and lives on in a new one."""
    found = await _current(touchpoint_id, version, ledger)
    before = found.touchpoint
    if before.status not in (Status.DUE, Status.OVERDUE):
        after = moved_by_hand(before, to)
        kept = Kept(after, found.face, "moved", "moved by hand", before.due_at)
        await ledger.keep([kept], now)
        return Found(after, found.face)
    done = settled(before, outcome)
    following = replace(follow_up(done, to, outcome), face=found.face)
    await ledger.keep(
        [Kept(done, found.face, None), Kept(following, found.face, "scheduled", "rescheduled")], now
    )
    await ledger.tell_settled(done, outcome, to)
    return Found(following, found.face)


async def reassign(touchpoint_id: str, version: int, csm_id: str, ledger: Ledger, now: datetime) -> Found:
    found = await _current(touchpoint_id, version, ledger)
    after = reassigned(found.touchpoint, csm_id)
    await ledger.keep([Kept(after, found.face, "moved", f"reassigned to {csm_id}", after.due_at)], now)
    return Found(after, found.face)


async def cancel(touchpoint_id: str, version: int, reason: str, ledger: Ledger, now: datetime) -> Found:
    found = await _current(touchpoint_id, version, ledger)
    after = cancelled(found.touchpoint, Verdict(Closure.BY_HAND, reason))
    await ledger.keep([Kept(after, found.face, "cancelled", f"cancelled: {reason}")], now)
    return Found(after, found.face)


async def _current(touchpoint_id: str, version: int, ledger: Ledger) -> Found:
    found = (await ledger.find([touchpoint_id])).get(touchpoint_id)
    if found is None:
        raise NoSuchTouchpoint(touchpoint_id)
    if found.touchpoint.sequence != version:
        raise StaleVersion(found.touchpoint, version)
    return found
