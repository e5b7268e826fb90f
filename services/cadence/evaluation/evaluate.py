"""Evaluate: the whole plan of an account at a moment.

What decides is computed at once and is small; the plan with its reasons is built when somebody reads it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from schemas.plans import Plan
from services.cadence.account import DAY, Facts, micros, moment
from services.cadence.account.issued import Issued
from services.cadence.evaluation.avoid import HORIZON_DAYS
from services.cadence.evaluation.candidates import Selection, Suppressed, keep_due
from services.cadence.evaluation.feedback import evaluate_feedback
from services.cadence.evaluation.plan_items import PlanOutline, build_plan
from services.cadence.evaluation.plan_key import plan_key
from services.cadence.evaluation.rhythms import resolve_rhythms
from services.cadence.evaluation.state import EvaluationState
from services.cadence.evaluation.timelines import select_steps
from services.cadence.evaluation.triggers import select_triggered
from services.cadence.features.compute import next_day
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio


@dataclass(slots=True, eq=False)
class Decision:
    """The outcome of an evaluation. `key` (16 bytes) is equal exactly when the effect of the plan is equal.

    Neither evidence nor the hash of the policy is part of the key: a new event, or a policy, that changes nothing of the
    plan leads to no new plan. `plan` is built
    when it is first read, from the facts as they are then: read it before applying further events to them. `fired`: the
    bits of the rules whose conditions are true. `state` and `outline`: what it was decided from, for explanations.
    """

    key: bytes
    segment: str
    stage: str
    color: str | None
    fired: int
    next_evaluation_at: datetime | None
    suppressed: tuple[Suppressed, ...]
    state: EvaluationState
    outline: PlanOutline
    _plan: Plan | None = None

    @property
    def plan(self) -> Plan:
        if self._plan is None:
            self._plan = build_plan(self.state, self.outline)
        return self._plan

    def stopped(self, rule: str) -> Suppressed | None:
        """What suppressed a rule, None when nothing did; of several what ends soonest, else the newest."""
        matching = [item for item in self.suppressed if item.rule == rule]
        ends = [(item.until, item.reason, item) for item in matching if item.until is not None]
        if ends:
            return min(ends, key=lambda end: end[:2])[2]
        return matching[-1] if matching else None


def evaluate_account(
    policy: Policy, facts: Facts, issued: Issued, portfolio: Portfolio, now: datetime
) -> Decision:
    """The whole plan of an account at `now` (aware). Pure: equal arguments give an equal plan, to the byte.

    Costs some tens of microseconds; reading `plan` costs some hundreds more.
    """
    state = EvaluationState(policy, facts, issued, portfolio, now)
    feedback = evaluate_feedback(state)
    own_bits = state.fired & state.policy.rhythm_bits
    rhythms = resolve_rhythms(
        state.policy, own_bits, state.preferences, feedback.levels, state.preferred_channels
    )
    selection = Selection()
    keep_due(state, selection)
    select_triggered(state, selection)
    select_steps(state, selection)
    outline = PlanOutline(rhythms.chosen, feedback, selection)
    values = state.view.values
    return Decision(
        plan_key(state, outline),
        str(values["segment"]),
        str(values["stage"]),
        cast("str | None", values["color"]),
        state.fired | feedback.fired | selection.fired,
        find_next_evaluation(state, outline),
        (*rhythms.suppressed, *selection.suppressed),
        state,
        outline,
    )


def find_next_evaluation(
    state: EvaluationState, outline: PlanOutline, until: datetime | None = None
) -> datetime | None:
    """The next moment at which time alone may change the plan.

    `until`: only what matters up to then counts; neither that something is over and leaves the plan, nor times to avoid
    that begin later.
    """
    blackouts = state.blackouts
    change_points: list[int] = [
        *outline.selection.change_points,
        *state.view.change_times,
        *outline.feedback.change_points,
        *_day_counts(state),
    ]
    if until is None:
        change_points += [*outline.selection.ends, *blackouts.ends, *blackouts.listings]
    else:
        last = micros(until) - (HORIZON_DAYS - 1) * DAY
        change_points += [at for at in blackouts.listings if at <= last]
    if state.pause is not None and state.pause.end is not None:
        change_points.append(state.pause.end)
    ahead = [at for at in change_points if at > state.now]
    return moment(min(ahead)) if ahead else None


def _day_counts(state: EvaluationState) -> Iterator[int]:
    """When the day counts that conditions read next reach a threshold."""
    for name, counts in state.policy.day_counts.items():
        base = state.view.bases.get(name)
        at = None if base is None else next_day(base, state.now, counts)
        if at is not None:
            yield at
