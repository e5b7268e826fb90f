"""What is open and has nobody goes to whoever leads it now: also what has come due, or has a date that a person set."""

from collections.abc import Collection, Iterator, Sequence

from services.calendar.assignment import LINES
from services.calendar.reconciliation.context import CalendarChange, ReconcileContext
from services.calendar.touchpoint import OPEN, Origin, Status, Touchpoint

REASON = "there is somebody now who leads it"


def is_unowned(touchpoint: Touchpoint, gone: Collection[str]) -> bool:
    """Whether it is open, waits for a person to lead it, and does not get one from the plan.

    `gone`: people of pools and of sales whom the directory no longer describes; what a person gave them stays theirs.
    """
    if touchpoint.status not in OPEN or not touchpoint.is_led_by_person:
        return False
    is_from_plan = touchpoint.origin in (Origin.RHYTHM, Origin.ONE_OFF)
    if touchpoint.status is Status.PLANNED and is_from_plan and not touchpoint.pinned:
        return False
    was_chosen = touchpoint.owner in LINES and not touchpoint.pinned
    return touchpoint.csm_id is None or (was_chosen and touchpoint.csm_id in gone)


def give_to_leads(changes: Sequence[CalendarChange], context: ReconcileContext) -> Iterator[CalendarChange]:
    """These changes, and those that give an open touchpoint of the calendar a person."""
    if not context.leads.by_owner:
        yield from changes
        return
    stored = {touchpoint.id: touchpoint for touchpoint in context.stored.touchpoints}
    for change in changes:
        before = stored.pop(change.touchpoint.id, None)
        yield change if before is None else _give(before, change, context)
    for touchpoint in stored.values():
        if is_unowned(touchpoint, context.leads.gone):
            yield _give(touchpoint, CalendarChange.keep(touchpoint, "a person planned it"), context)


def _give(before: Touchpoint, change: CalendarChange, context: ReconcileContext) -> CalendarChange:
    person, gone = context.leads.by_owner.get(change.touchpoint.owner), context.leads.gone
    if person is None or not is_unowned(change.touchpoint, gone) or not is_unowned(before, gone):
        return change
    given = change.touchpoint._replace(csm_id=person, sequence=before.sequence)
    return CalendarChange.between(before, given, REASON)
