"""Plan: the calendar of one account, brought to what its plan wishes.

`converge` is level-triggered: it reads the whole wish and the whole calendar and says what to change, so a
lost, doubled or late plan heals by itself. What has come due is history and is never met; what a person
planned is theirs; absence cancels only what has not come due, always with its reason.
"""

from dataclasses import replace
from datetime import datetime

from services.scheduler.domain.plan.one_offs import one_off_changes
from services.scheduler.domain.plan.rhythms import occurrences_by_type, rhythm_changes
from services.scheduler.domain.plan.wish import (
    Cancel,
    Change,
    Context,
    Convergence,
    Create,
    Held,
    Keep,
    Move,
    OneOff,
    Plan,
    Turn,
    withdraw,
)
from services.scheduler.domain.recurrence import Series
from services.scheduler.domain.touchpoint import OPEN, Closure, Verdict, cancelled

__all__ = [
    "Cancel",
    "Change",
    "Context",
    "Convergence",
    "Create",
    "Held",
    "Keep",
    "Move",
    "OneOff",
    "Plan",
    "applied",
    "converge",
    "erase",
]


def converge(plan: Plan, held: Held, context: Context, now: datetime) -> Convergence:
    """Every change that brings the calendar to the plan; on a calendar already there, only Keep.

    A planned touchpoint whose time had come when the plan was decided counts as come due.
    """
    turn = Turn(plan, held, context, now)
    changes: list[Change] = []
    series: list[Series] = []
    stretched = 0
    rhythms = {rhythm.type: rhythm for rhythm in reversed(plan.rhythms)}
    by_type = occurrences_by_type(held.touchpoints)
    for rhythm in rhythms.values():
        occurrences = by_type.get(rhythm.type, ())
        turned = rhythm_changes(rhythm, occurrences, turn)
        changes += turned.changes
        series.append(turned.series)
        stretched += turned.stretched
    for kept in held.series.values():
        if kept.active and kept.type not in rhythms:
            series.append(replace(kept, active=False))
            changes += [withdraw(each, turn) for each in by_type.get(kept.type, ())]
    changes += one_off_changes(plan.one_offs, turn)
    return Convergence(tuple(changes), tuple(series), stretched)


def erase(held: Held) -> Convergence:
    """Everything planned is cancelled, by whomever it was planned: the account is to be forgotten."""
    verdict = Verdict(Closure.ERASED, "the account was erased")
    changes = [
        Cancel(cancelled(each, verdict), verdict.text) for each in held.touchpoints if each.status in OPEN
    ]
    return Convergence(tuple(changes), tuple(replace(each, active=False) for each in held.series.values()))


def applied(held: Held, convergence: Convergence) -> Held:
    """The calendar after those changes."""
    after = {each.id: each for each in held.touchpoints}
    after |= {change.touchpoint.id: change.touchpoint for change in convergence.changes}
    series: dict[str, Series] = {**held.series, **{each.type: each for each in convergence.series}}
    return Held(tuple(after.values()), series, held.last_due)
