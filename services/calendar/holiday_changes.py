"""What a release of public holidays moves back says which release it was."""

from dataclasses import replace

from services.calendar.closed_reasons import PUBLIC_HOLIDAY
from services.calendar.reconciliation.context import (
    CalendarChange,
    ChangeKind,
    Reconciliation,
    StoredCalendar,
)


def name_holidays(result: Reconciliation, stored: StoredCalendar, release: str) -> Reconciliation:
    """A calendar that was reconciled by the holidays of another release, whose name is the reason of what goes back.

    What a new holiday moves names that day already.
    """
    shifts = {touchpoint.id: touchpoint.shift for touchpoint in stored.touchpoints}

    def name(change: CalendarChange) -> CalendarChange:
        former = shifts.get(change.touchpoint.id) or ""
        is_back = change.kind is ChangeKind.MOVE and PUBLIC_HOLIDAY in former
        if not is_back or PUBLIC_HOLIDAY in (change.touchpoint.shift or ""):
            return change
        return replace(change, reason=f"public holidays changed with holidays {release}")

    return replace(result, changes=tuple(map(name, result.changes)))
