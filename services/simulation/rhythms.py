"""Of which rhythms further occurrences follow without a reconciliation, and when the rhythms of plans are the same."""

from schemas.plans import PlanAdjusted
from services.calendar.avoid import concerns
from services.calendar.escalation import Problem, problem_of
from services.calendar.reconciliation.context import AccountHours
from services.calendar.recurrence import Series
from services.calendar.touchpoint import Origin, Touchpoint


def is_regular(series: Series, plan: PlanAdjusted, hours: AccountHours) -> bool:
    """Whether nothing is closed on dates or to be avoided, and it neither folds into other rhythms nor takes them in."""
    opening = hours.opening_of(series)[1]
    if opening is not None and opening.has_dated_closures:
        return False
    types = {rhythm.touchpoint_type for rhythm in plan.rhythms}
    is_folded = any(
        series.type in rhythm.folds_into
        or (rhythm.touchpoint_type == series.type and not types.isdisjoint(rhythm.folds_into))
        for rhythm in plan.rhythms
    )
    return not is_folded and not any(
        concerns(period, series.type, series.content.topic) for period in plan.avoid
    )


def belongs_to_rhythms(touchpoint: Touchpoint) -> bool:
    """Whether it changes with the rhythms of a plan only."""
    return touchpoint.origin is Origin.RHYTHM or problem_of(touchpoint) is Problem.GAP


def describe_rhythms(plan: PlanAdjusted) -> object:
    """What decides when the occurrences of rhythms are, and how firmly they stand."""
    rhythms = [
        (
            rhythm.touchpoint_type, rhythm.every_days, rhythm.rrule, rhythm.owner, rhythm.csm_id, rhythm.minutes,
            rhythm.topic, rhythm.channel, rhythm.never_skip, rhythm.precedence, rhythm.priority, rhythm.folds_into,
        )
        for rhythm in plan.rhythms
    ]  # fmt: skip
    return rhythms, plan.avoid, plan.quiet_hours
