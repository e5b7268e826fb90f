"""Evaluate: the whole plan of an account at a moment.

What decides is computed at once and is small; the plan with its reasons is built when somebody reads it.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from schemas.plans import Plan
from services.cadence.account import Facts, moment
from services.cadence.account.codec import dumps
from services.cadence.account.issued import Issued
from services.cadence.evaluation.avoid import blackouts_of, pause_of
from services.cadence.evaluation.candidates import EvaluationState, Selection, Suppressed, keep_due
from services.cadence.evaluation.feedback import evaluate_feedback
from services.cadence.evaluation.plan_items import PlanOutline, build_plan
from services.cadence.evaluation.rhythms import NONE, Amounts, resolve_rhythms
from services.cadence.evaluation.timelines import select_steps
from services.cadence.evaluation.triggers import select_triggered
from services.cadence.features.compute import next_day, view_account
from services.cadence.features.view import AccountView
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio


@dataclass(slots=True, eq=False)
class Decision:
    """The outcome of an evaluation. `key` (16 bytes) is equal exactly when the effect of the plan is equal.

    Evidence and wording are not part of the key: a new event that changes nothing leads to no new plan. `plan` is built
    when it is first read, from the facts as they are then: read it before applying further events to them. `fired`: the
    bits of the rules whose conditions are true.
    """

    key: bytes
    segment: str
    stage: str
    color: str | None
    fired: int
    next_evaluation_at: datetime | None
    suppressed: tuple[Suppressed, ...]
    _build: Callable[[], Plan]
    _plan: Plan | None = None

    @property
    def plan(self) -> Plan:
        if self._plan is None:
            self._plan = self._build()
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
    view = view_account(facts, portfolio, now, policy.reads, meetings=policy.meetings)
    segment, stage, color, fired = policy.evaluate_conditions(view.values)
    view.values.update(segment=segment, stage=stage, color=color)
    feedback = evaluate_feedback(policy, facts, view)
    rhythms = resolve_rhythms(policy, fired & policy.rhythm_bits, _preferences(policy, view), feedback.levels)
    pause, blackouts = pause_of(facts, view.now), blackouts_of(policy, fired, view.now)
    issued_touchpoints = issued.read(policy.counted_types) if issued.touches else {}
    selection = Selection()
    keep_due(selection, issued_touchpoints, view.now)
    state = EvaluationState(policy, facts, portfolio, view, issued_touchpoints, pause, blackouts.all)
    select_triggered(state, selection)
    select_steps(state, selection)
    avoid = blackouts.ahead if pause is None else (pause, *blackouts.ahead)
    outline = PlanOutline(view, rhythms.chosen, feedback, selection.selected, selection.due, avoid)
    change_points = [
        *selection.change_points,
        *view.change_times,
        *feedback.change_points,
        *blackouts.change_points,
        *_day_counts(policy, view),
    ]
    if pause is not None and pause.end is not None:
        change_points.append(pause.end)
    return Decision(
        _key(policy, outline),
        segment,
        stage,
        color,
        fired | feedback.fired | selection.fired,
        _next_evaluation(change_points, view.now),
        (*rhythms.suppressed, *selection.suppressed),
        lambda: build_plan(policy, facts, outline),
    )


def _next_evaluation(change_points: Iterable[int], now: int) -> datetime | None:
    ahead = [at for at in change_points if at > now]
    return moment(min(ahead)) if ahead else None


def _preferences(policy: Policy, view: AccountView) -> Amounts:
    """The customer's preferred days by topic, where the policy lets them move a rhythm."""
    return tuple(sorted(view.preferred_days.items())) if view.preferred_days and policy.gives_way else NONE


def _day_counts(policy: Policy, view: AccountView) -> list[int]:
    """When the day counts that conditions read next reach a threshold."""
    upcoming: list[int] = []
    for name, counts in policy.day_counts.items():
        base = view.bases.get(name)
        at = None if base is None else next_day(base, view.now, counts)
        if at is not None:
            upcoming.append(at)
    return upcoming


def _key(policy: Policy, outline: PlanOutline) -> bytes:
    """The policy says what a bit means; the rest is what else can differ. All parts are plain values."""
    values, last_touch = outline.view.values, outline.view.last_touch
    parts = (
        policy.hash,
        values["segment"],
        values["stage"],
        values["color"],
        values["csm_id"],
        [
            (
                chosen.bit,
                chosen.every_days,
                chosen.channel,
                last_touch.get(None if chosen.rule.any_contact else chosen.rule.touchpoint),
            )
            for chosen in outline.rhythms
        ],
        [
            (candidate.bit, candidate.key, candidate.start, candidate.end, candidate.deadline)
            for candidate in outline.selected
        ],
        [(key, fields.get("due_at"), fields.get("deadline")) for key, fields in outline.due.items()],
        [(window.name, window.start, window.end, window.touchpoint_types) for window in outline.avoid],
    )
    return hashlib.blake2b(dumps(parts), digest_size=16).digest()
