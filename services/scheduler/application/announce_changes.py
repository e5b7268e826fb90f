"""Announce what plans changed, as the difference to what readers of events know.

What comes due, what becomes overdue and what a person does is announced at once; the rest when the account is quiet, and
a far occurrence of a rhythm only when it is near.
Quiet is a matter of the real clock: it is about senders that correct themselves within seconds, and a service clock
may run fast or stand still.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from services.scheduler.application.ports import TouchpointUpdate, UnannouncedChange
from services.scheduler.domain.announcing import choose_event

QUIET: Final = timedelta(seconds=3)
"""Real time without a change of the account's calendar, after which its changes are announced."""
LONGEST_WAIT: Final = timedelta(seconds=30)
"""Real time after the first change, after which they are announced however often the calendar changes."""
BATCH: Final = 50
"""Accounts in one transaction."""


class AnnouncementQueue(Protocol):
    """Changes that readers of events do not know yet; claims skip what another transaction has locked."""

    async def claim(
        self, real_now: datetime, now: datetime, limit: int
    ) -> tuple[int, Sequence[UnannouncedChange]]:
        """How many accounts are quiet or have something near, up to the limit, and their changes, which are taken."""
        ...

    async def publish(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None: ...


async def announce_changes(announcements: AnnouncementQueue, real_now: datetime, now: datetime) -> int:
    """Announce the changes of some accounts that are quiet, or of which something has come near; how many accounts."""
    claimed, changes = await announcements.claim(real_now, now, BATCH)
    await announcements.publish([describe_change(change) for change in changes], now)
    return claimed


def describe_change(change: UnannouncedChange) -> TouchpointUpdate:
    """The update whose event brings readers up to date; without a kind when they need none."""
    touchpoint = change.stored.touchpoint
    kind = choose_event(change.known, touchpoint)
    note = change.note if touchpoint.cancellation is None else touchpoint.cancellation.note
    is_move = kind == "moved"
    return TouchpointUpdate(
        touchpoint,
        change.stored.content,
        kind,
        note,
        previous_due_at=change.known.due_at if is_move else None,
        changed_by="plan" if is_move or kind == "cancelled" else None,
        previous_owner=change.known.find_previous_owner(touchpoint) if is_move else None,
    )


def correct_kinds(
    updates: Sequence[TouchpointUpdate], changes: Sequence[UnannouncedChange]
) -> list[TouchpointUpdate]:
    """The updates that are announced at once, where readers know less than what was stored before."""
    corrected = {change.stored.touchpoint.id: describe_change(change) for change in changes}
    return [
        replace(
            corrected[update.touchpoint.id],
            note=update.note,
            changed_by=update.changed_by,
            actor_id=update.actor_id,
        )
        if update.touchpoint.id in corrected
        else update
        for update in updates
    ]
