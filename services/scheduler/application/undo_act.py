"""Undo the last act by hand on a touchpoint, shortly after it and if nothing happened since."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from schemas.touchpoints import Kind
from services.calendar.touchpoint import (
    Cancellation,
    Closure,
    Origin,
    RecordedOutcome,
    Status,
    Touchpoint,
    cancel,
    restore,
)
from services.scheduler.application.act_on_touchpoint import UNDO, check_version
from services.scheduler.application.ports import (
    CalendarRepository,
    StoredTouchpoint,
    TouchpointUpdate,
    UndoableAct,
)

INSTANT = timedelta(microseconds=1)
RETURNS: Mapping[Status, Kind] = {
    Status.PLANNED: "scheduled",
    Status.DUE: "due",
    Status.OVERDUE: "overdue",
}
"""The event of what is open again after its cancellation is undone."""


class NothingToUndo(Exception):
    def __init__(self, touchpoint_id: str) -> None:
        super().__init__(
            f"nobody acted on touchpoint {touchpoint_id} within the last ten minutes, or something happened since;"
            " act on its current state"
        )


async def undo(
    touchpoint_id: str,
    version: int,
    outcome: RecordedOutcome,
    calendars: CalendarRepository,
    now: datetime,
    actor_id: str | None = None,
) -> StoredTouchpoint:
    """Bring a touchpoint back to what it was; the one that replaced it when it was rescheduled is cancelled.

    What was done to others with the same act is undone too, as far as nothing happened to them since.
    `outcome` (`reopened`) takes back what was reported. `actor_id`: who undoes it, where the request names them.
    Raises NoSuchTouchpoint, StaleVersion and NothingToUndo.
    """
    act = await calendars.acts.find(touchpoint_id, UNDO)
    acts = [] if act is None else [act, *await calendars.acts.find_together(act.former.touchpoint.id)]
    ids = {touchpoint_id, *(name for each in acts for name in _ids_of(each))}
    found = await calendars.find(ids)
    check_version(found.get(touchpoint_id), touchpoint_id, version)
    if act is None or not _is_undoable(act, found):
        raise NothingToUndo(touchpoint_id)
    restored: list[StoredTouchpoint] = []
    for each in acts:
        if each is act or _is_undoable(each, found):
            own = outcome if each is act else replace(outcome, id=f"{outcome.id}:{each.former.touchpoint.id}")
            restored.append(await _restore(each, found, own, calendars, now, actor_id))
    first, *others = restored
    return replace(first, together_with=tuple(other.touchpoint.id for other in others))


def _ids_of(act: UndoableAct) -> list[str]:
    return [act.former.touchpoint.id, *([act.follow_up] if act.follow_up else [])]


def _is_undoable(act: UndoableAct, found: Mapping[str, StoredTouchpoint]) -> bool:
    """Whether nothing happened since, neither to the touchpoint nor to the one that replaced it."""
    own = found.get(act.former.touchpoint.id)
    if own is None or own.touchpoint.sequence != act.sequence:
        return False
    following = found.get(act.follow_up or "")
    return following is None or (following.touchpoint.status, following.touchpoint.sequence) == (
        Status.PLANNED,
        1,
    )


async def _restore(
    act: UndoableAct,
    found: Mapping[str, StoredTouchpoint],
    outcome: RecordedOutcome,
    calendars: CalendarRepository,
    now: datetime,
    actor_id: str | None,
) -> StoredTouchpoint:
    before, former = found[act.former.touchpoint.id].touchpoint, act.former.touchpoint
    following = found.get(act.follow_up or "")
    counts = _take_back(before, former, outcome)
    restored = restore(before, former, counts)
    updates = [_describe(before, restored, act.former)]
    if following is not None:
        over = cancel(following.touchpoint, Cancellation(Closure.BY_HAND, "the rescheduling was undone"))
        note = "cancelled: the rescheduling was undone"
        updates.append(TouchpointUpdate(over, following.content, "cancelled", note, changed_by="person"))
    await calendars.save([replace(update, actor_id=actor_id) for update in updates], now)
    if counts is not None and counts is not former.outcome:
        await calendars.publish_settled(restored, counts, None)
    await calendars.acts.forget(restored.id)
    return StoredTouchpoint(restored, act.former.content)


def _take_back(before: Touchpoint, former: Touchpoint, outcome: RecordedOutcome) -> RecordedOutcome | None:
    """The outcome that counts from now on: later than the one that is undone, for every reader.

    The rules engine also has to learn that a one-off which was cancelled is not over.
    """
    is_over = before.outcome != former.outcome
    was_called_off = before.status is Status.CANCELLED and before.origin is Origin.ONE_OFF
    if not is_over and not was_called_off:
        return former.outcome
    kept = former.outcome or outcome
    kept = replace(kept, time=outcome.time + INSTANT, source=outcome.source, id=outcome.id)
    return kept.later_than(before.outcome)


def _describe(before: Touchpoint, restored: Touchpoint, former: StoredTouchpoint) -> TouchpointUpdate:
    if before.status is Status.SETTLED:
        return TouchpointUpdate(restored, former.content, None)
    if before.status is Status.CANCELLED:
        kind = RETURNS[restored.status]
        return TouchpointUpdate(
            restored, former.content, kind, "the cancellation was undone", changed_by="person"
        )
    previous = None if before.holder == restored.holder else before.holder
    return TouchpointUpdate(restored, former.content, "moved", "undone", before.due_at, "person", previous)
