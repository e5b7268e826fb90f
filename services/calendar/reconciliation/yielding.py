"""What gave way because its owner's weeks had no room stays so, until there is room or the plan no longer contains it.

The leveller alone brings it back, as it alone knows the weeks of its owner; plan and leveller would undo each other else.
"""

from collections.abc import Collection, Iterator

from schemas.plans import OneOffItem, RhythmItem
from services.calendar.reconciliation.context import CalendarChange, ChangeKind, ReconcileContext
from services.calendar.reconciliation.occurrence_plan import continues
from services.calendar.touchpoint import Cancellation, Closure, Origin, Touchpoint

STAYS = "it gave way, and its owner's weeks decide when it comes back"


def keep_yielded(touchpoint: Touchpoint, item: RhythmItem | OneOffItem) -> CalendarChange:
    """The touchpoint as it is, of whoever leads it now: their weeks decide from now on."""
    if (item.owner, item.csm_id) == touchpoint.holder:
        return CalendarChange.keep(touchpoint, STAYS)
    return CalendarChange(
        ChangeKind.REFRESH, touchpoint._replace(owner=item.owner, csm_id=item.csm_id), STAYS
    )


def change_yielded(changed: Collection[str], context: ReconcileContext) -> Iterator[CalendarChange]:
    """The changes of what gave way, without touchpoints that have a change already."""
    yielded = [each for each in context.stored.touchpoints if each.gave_way and each.id not in changed]
    rhythms = {rhythm.touchpoint_type: rhythm for rhythm in reversed(context.plan.rhythms)} if yielded else {}
    for touchpoint in yielded:
        rhythm = rhythms.get(touchpoint.type) if touchpoint.origin is Origin.RHYTHM else None
        if rhythm is not None and _goes_on(rhythm, context):
            yield keep_yielded(touchpoint, rhythm)
        else:
            yield _forget(touchpoint, context)


def _goes_on(rhythm: RhythmItem, context: ReconcileContext) -> bool:
    """Whether the moments of the rhythm are those that it had."""
    series = context.stored.series.get(rhythm.touchpoint_type)
    return series is not None and continues(series, rhythm, context)


def _forget(touchpoint: Touchpoint, context: ReconcileContext) -> CalendarChange:
    """It does not come back: the plan would not contain it any more."""
    text = f"version {context.plan.version} of the plan no longer contains it"
    withdrawn = touchpoint._replace(cancellation=Cancellation(Closure.WITHDRAWN, text))
    return CalendarChange(ChangeKind.REFRESH, withdrawn, text)
