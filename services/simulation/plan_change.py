"""A change of a part of a plan, and the part of a calendar that it concerns: all else of both stays as it is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from schemas.plans import PlanAdjusted, RhythmItem
from services.calendar.escalation import Problem, escalation_id
from services.calendar.reconciliation.context import StoredCalendar
from services.calendar.recurrence import Series
from services.calendar.touchpoint import Origin, Touchpoint

NO_TYPES: Final = frozenset[str]()


class PlanChange(NamedTuple):
    """A new plan; with `gone` only what is new or changed in it.

    `gone`: ids of one-offs that it does not contain any more; `types`: of the rhythms that are new, changed or gone.
    """

    plan: PlanAdjusted
    gone: Sequence[str] | None = None
    types: frozenset[str] = NO_TYPES

    def with_rhythms_of(self, whole: PlanAdjusted) -> "PlanChange":
        """With all rhythms of the whole plan that its rhythms fold into, or that fold into them."""
        types = join_folded(self.types, whole.rhythms)
        rhythms = tuple(each for each in whole.rhythms if each.touchpoint_type in types)
        return self._replace(plan=self.plan.model_copy(update={"rhythms": rhythms}), types=types)


def change_rhythms(plan: PlanAdjusted, types: Iterable[str]) -> PlanChange:
    """As if the rhythms of these types had changed."""
    return PlanChange(plan.model_copy(update={"touchpoints": ()}), (), frozenset(types)).with_rhythms_of(plan)


def list_one_offs(plan: PlanAdjusted) -> list[str]:
    """Their ids."""
    return [item.id for item in plan.touchpoints]


def merge(plan: PlanAdjusted, change: PlanChange) -> PlanAdjusted:
    """The whole plan after a change."""
    if change.gone is None:
        return change.plan
    new = change.plan
    left = {*change.gone, *(item.id for item in new.touchpoints)}
    kept = (each for each in plan.rhythms if each.touchpoint_type not in change.types)
    return new.model_copy(
        update={
            "rhythms": tuple(sorted((*kept, *new.rhythms), key=lambda each: each.touchpoint_type)),
            "touchpoints": (*(item for item in plan.touchpoints if item.id not in left), *new.touchpoints),
        }
    )


def join_folded(types: frozenset[str], rhythms: Sequence[RhythmItem]) -> frozenset[str]:
    """These types, and those that fold into one of them or take one of them in, and so on."""
    joined = types
    while True:
        near = {
            name
            for each in rhythms
            if each.touchpoint_type in joined or not joined.isdisjoint(each.folds_into)
            for name in (each.touchpoint_type, *each.folds_into)
        }
        if near <= joined:
            return joined
        joined |= near


def select_stored(
    account_id: str,
    calendar: Mapping[str, Touchpoint],
    series: Mapping[str, Series],
    last_due_at: Mapping[str, datetime],
    change: PlanChange,
) -> StoredCalendar:
    """What a change concerns of a calendar, with what the calendar escalated about it."""
    ids = [*(change.gone or ()), *(item.id for item in change.plan.touchpoints)]
    if change.types:
        ids += [
            each.id
            for each in calendar.values()
            if each.origin is Origin.RHYTHM and each.type in change.types
        ]
    if any(each.origin is Origin.CALENDAR for each in calendar.values()):
        ids += [
            escalation_id(account_id, problem, each)
            for each in ids
            for problem in (Problem.DEADLINE, Problem.GAP)
        ]
    touchpoints = tuple(calendar[each] for each in ids if each in calendar)
    return StoredCalendar(
        touchpoints, {name: series[name] for name in change.types if name in series}, last_due_at
    )
