"""Reconciles the calendar of one account with its plan.

`reconcile` is level-triggered: it reads the whole plan and the whole calendar and returns what to change, so that a
lost, repeated or late plan heals by itself. What has come due is history and stays; what a person planned is theirs;
absence from the plan cancels only what has not come due, always with its reason.
"""

from collections.abc import Sequence
from dataclasses import replace

from schemas.plans import RhythmItem
from services.calendar.reconciliation.context import (
    CalendarChange,
    ReconcileContext,
    Reconciliation,
    StoredCalendar,
)
from services.calendar.reconciliation.escalations import ChangedRhythm, change_escalations
from services.calendar.reconciliation.folding import find_hosts, sort_hosts_first
from services.calendar.reconciliation.groups import group_changes
from services.calendar.reconciliation.one_offs import change_one_offs
from services.calendar.reconciliation.rhythms import change_rhythm, open_occurrences
from services.calendar.reconciliation.unowned import give_to_leads
from services.calendar.reconciliation.yielding import change_yielded
from services.calendar.recurrence import Series
from services.calendar.touchpoint import OPEN, Closure


def reconcile(context: ReconcileContext) -> Reconciliation:
    """Every change that brings the calendar to the plan; on a calendar already there, only kept touchpoints.

    A planned touchpoint whose time had come when the plan was decided counts as come due.
    """
    plan, stored = context.plan, context.stored
    changes: list[CalendarChange] = []
    series: list[Series] = []
    stretched = 0
    rhythms = {rhythm.touchpoint_type: rhythm for rhythm in reversed(plan.rhythms)}
    occurrences = open_occurrences(stored.touchpoints)
    changed_rhythms: list[ChangedRhythm] = []
    settled: list[tuple[RhythmItem, Sequence[CalendarChange]]] = []
    for rhythm in sort_hosts_first(rhythms.values()):
        hosts = find_hosts(rhythm, settled, context.hours.of_csm(rhythm.csm_id).zone)
        around = replace(context, hosts=hosts)
        changed = change_rhythm(rhythm, occurrences.get(rhythm.touchpoint_type, ()), around)
        changed_rhythms.append(ChangedRhythm(rhythm, changed.series.anchor, changed.changes))
        if changed.series.phase is None:
            settled.append((rhythm, changed.changes))
        changes += changed.changes
        series.append(changed.series)
        stretched += changed.stretched
    for stopped in stored.series.values():
        if stopped.active and stopped.type not in rhythms:
            still_open = occurrences.get(stopped.type, ())
            starts = [each.start_at for each in still_open if not context.has_come_due(each)]
            series.append(
                replace(stopped, active=False, phase=None, former=stopped.leave(starts, context.now))
            )
            changes += map(context.withdraw, still_open)
    one_offs = change_one_offs(context)
    changes += one_offs
    changes += change_escalations(changed_rhythms, one_offs, context)
    changes += change_yielded({change.touchpoint.id for change in changes}, context)
    owned = list(give_to_leads(changes, context))
    return Reconciliation(tuple(group_changes(owned, stored, series)), tuple(series), stretched)


def erase(stored: StoredCalendar) -> Reconciliation:
    """Cancel everything open, whoever planned it: the account is erased."""
    changes = [
        CalendarChange.cancel(touchpoint, Closure.ERASED, "the account was erased")
        for touchpoint in stored.touchpoints
        if touchpoint.status in OPEN
    ]
    series = tuple(replace(rhythm, active=False, phase=None) for rhythm in stored.series.values())
    return Reconciliation(tuple(changes), series)
