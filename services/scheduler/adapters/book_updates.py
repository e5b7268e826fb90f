"""What a levelled book changes of a stored touchpoint."""

from services.calendar.person_book import LevelledTouch
from services.calendar.person_relief import TouchRelief
from services.calendar.touchpoint import give_way, return_to_plan
from services.scheduler.application.ports import StoredTouchpoint, TouchpointUpdate


def move(stored: StoredTouchpoint, to: LevelledTouch) -> TouchpointUpdate:
    """It goes to its day; what had given way is back in the plan."""
    before = stored.touchpoint
    if before.gave_way:
        again = return_to_plan(before, to.due_at, to.reason)
        return TouchpointUpdate(again, stored.content, "scheduled", to.reason)
    touchpoint = before._replace(due_at=to.due_at, shift=to.reason, sequence=before.sequence + 1)
    return TouchpointUpdate(touchpoint, stored.content, "moved", to.reason, before.due_at, "plan")


def give_up(stored: StoredTouchpoint, relief: TouchRelief) -> TouchpointUpdate:
    """It gives way, with its reason."""
    cancelled = give_way(stored.touchpoint, relief.reason)
    note = None if cancelled.cancellation is None else cancelled.cancellation.note
    return TouchpointUpdate(cancelled, stored.content, "cancelled", note, changed_by="plan")
