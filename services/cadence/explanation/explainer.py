"""Explainer: why one rule fires or does not, or all rules for a type of touchpoint, for one account at one moment."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from schemas.plans import OneOffItem, RhythmItem
from services.cadence.account import moment
from services.cadence.account.codec import AccountState
from services.cadence.evaluation import evaluate_account
from services.cadence.explanation.basis import Basis, feedback_basis, step_basis, trigger_basis
from services.cadence.explanation.case import Case
from services.cadence.explanation.evidence import Evidence
from services.cadence.explanation.foundation import Foundation
from services.cadence.explanation.model import Event, Explanation, Remedy, Stopped
from services.cadence.explanation.reachability import undelivered, unreachable
from services.cadence.explanation.remedy import failing_clause, remedy_for
from services.cadence.explanation.rhythm_obstacles import adjustment_obstacle, feedback_obstacle
from services.cadence.expressions.checker import did_you_mean
from services.cadence.policy import Adjustment, Feedback, Policy, Rhythm, Rule, Step, Trigger
from services.cadence.portfolio import Portfolio

Item = RhythmItem | OneOffItem
_DISTANCE = {"event": 3, "clause": 2, "window": 1}
"""A rule stopped by something else is nearest to firing, then one whose window ended, then one that is not true."""


class NoSuchRule(Exception):
    """The policy has no rule of this name."""


class NoSuchTouchpoint(Exception):
    """The policy's catalogue has no touchpoint of this type, and none is in the plan."""


class Explainer:
    """Explains one account at one moment. The account is evaluated once, whatever is explained."""

    def __init__(
        self, policy: Policy, account_state: AccountState, portfolio: Portfolio, now: datetime
    ) -> None:
        facts, issued = account_state
        self.policy = policy
        self.decision = evaluate_account(policy, facts, issued, portfolio, now)
        self._state = self.decision.state
        self._evidence = Evidence(self._state)
        self._foundation = Foundation(self.decision)

    def explain_rule(self, name: str) -> Explanation:
        """Raises `NoSuchRule`."""
        bit = self.policy.bits.get(name)
        if bit is None:
            hint = did_you_mean(name, self.policy.bits)
            raise NoSuchRule(f"the policy has no rule {name!r}{hint}")
        return self._explain(self.policy.rules[bit])

    def explain_touchpoint(self, kind: str) -> Explanation:
        """The rule that fires or is nearest to firing, the rest under `others`. Raises `NoSuchTouchpoint`."""
        asking = [
            self._explain(rule)
            for rule in self.policy.rules
            if isinstance(rule, Rhythm | Trigger | Step) and rule.touchpoint == kind
        ]
        explanations = [*self._due_under_another_policy(kind), *sorted(asking, key=_distance)]
        if explanations:
            return replace(explanations[0], touchpoint_type=kind, others=tuple(explanations[1:]))
        if kind not in self.policy.catalogue:
            hint = did_you_mean(kind, self.policy.catalogue)
            raise NoSuchTouchpoint(f"the policy has no touchpoint {kind!r}{hint}")
        text = f"No rule of the policy asks for {kind.replace('_', ' ')}."
        return Explanation(None, "", kind, fires=False, text=text)

    def _due_under_another_policy(self, kind: str) -> Iterator[Explanation]:
        """What came due under a policy that is no longer in force stays in the plan until it is settled."""
        for item in self.decision.plan.touchpoints:
            if item.touchpoint_type == kind and item.reason.rule not in self.policy.bits:
                rule, text = item.reason.rule, item.reason.text
                yield Explanation(rule, "", kind, fires=True, text=text, events=self._events(rule))

    def _explain(self, rule: Rule) -> Explanation:
        item = self._item(rule)
        case = Case(self._state, rule, self._basis(rule, item))
        stopped = self._stopped(case, item)
        remedy = None if stopped is None else remedy_for(case, stopped)
        return Explanation(
            rule=rule.rule,
            kind=type(rule).__name__.lower(),
            touchpoint_type=rule.touchpoint if isinstance(rule, Rhythm | Trigger | Step) else None,
            fires=stopped is None,
            text=_text(rule, item, stopped, remedy),
            clauses=self._evidence.clauses(case),
            events=self._events(rule.rule, case),
            stopped_by=stopped,
            smallest_change=remedy,
            place=rule.place,
        )

    def _events(self, rule: str, case: Case | None = None) -> tuple[Event, ...]:
        """All behind what the rule plans; where it plans nothing, behind what it reads."""
        stamps = self._foundation.of_rule(rule)
        if case is not None and not stamps:
            stamps = self._foundation.behind_account(case.rule)
            stamps |= frozenset(filter(None, [case.basis.stamp]))
        return tuple(self._evidence.events(stamps))

    def _item(self, rule: Rule) -> Item | None:
        """The first item of the plan that this rule leads to."""
        plan = self.decision.plan
        items = plan.rhythms if isinstance(rule, Rhythm) else plan.touchpoints
        return next((item for item in items if item.reason.rule == rule.rule), None)

    def _basis(self, rule: Rule, item: Item | None) -> Basis:
        match rule:
            case Trigger():
                one_off = item if isinstance(item, OneOffItem) else None
                stopped = self.decision.stopped(rule.rule) is not None
                return trigger_basis(self._state, rule, one_off, stopped=stopped)
            case Feedback():
                return feedback_basis(self._state, rule)
            case Step():
                return step_basis(self._state, rule)
            case _:
                return Basis()

    def _stopped(self, case: Case, item: Item | None) -> Stopped | None:
        """The one cause; None when the rule fires."""
        rule, basis = case.rule, case.basis
        if item is not None:
            facts, verdicts = self._state.facts, self._state.issued.verdicts
            return unreachable(facts, item) or undelivered(facts, verdicts, item)
        suppressed = self.decision.stopped(rule.rule)
        if suppressed is not None:
            return Stopped(suppressed.cause, suppressed.reason, suppressed.by or None, suppressed.until)
        if basis.missing:
            return Stopped("event", basis.missing)
        if case.truth.holds is not True:
            return failing_clause(case)
        if basis.closes is not None and self._state.now >= basis.closes:
            return Stopped("window", f"its window ended at {moment(basis.closes):%Y-%m-%d %H:%M} UTC")
        match rule:
            case Adjustment():
                return adjustment_obstacle(self.decision, rule)
            case Feedback():
                return feedback_obstacle(self.decision, rule)
            case _:
                return None


def _text(rule: Rule, item: Item | None, stopped: Stopped | None, remedy: Remedy | None) -> str:
    if stopped is None or remedy is None:
        return rule.because if item is None else item.reason.text
    change = f"{remedy.text[:1].upper()}{remedy.text[1:]}"
    return f"{rule.rule} does not fire: {stopped.text.rstrip('.')}. {change}."


def _distance(explanation: Explanation) -> tuple[bool, int, int, str]:
    stopped, remedy = explanation.stopped_by, explanation.smallest_change
    cause = "" if stopped is None else stopped.cause
    needs = len(remedy.needs) if remedy is not None else 0
    return not explanation.fires, _DISTANCE.get(cause, 0), needs, explanation.rule or ""
