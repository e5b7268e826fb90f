"""Asking: one rule, or all that ask for a type of touchpoint, over one account at one moment."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from services.cadence.account import moment
from services.cadence.account.codec import AccountState
from services.cadence.evaluation import OneOffItem, RhythmItem, evaluate_account
from services.cadence.explanation.change_text import Case, change_of, clause_change, said_change
from services.cadence.explanation.conditions_read import Ground, Land, of_feedback, of_step, of_trigger
from services.cadence.explanation.evidence import Evidence
from services.cadence.explanation.model import Change, Clause, Stopped, Why
from services.cadence.explanation.reach import nobody
from services.cadence.explanation.rhythm_moves import adjustment_stop, feedback_stop
from services.cadence.expressions.checker import did_you_mean
from services.cadence.features.compute import view_account
from services.cadence.policy import (
    Adjustment,
    Blackout,
    Feedback,
    Policy,
    Rhythm,
    Rule,
    Step,
    Trigger,
)
from services.cadence.portfolio import Portfolio

Item = RhythmItem | OneOffItem
_US = timedelta(microseconds=1)
_KINDS: Mapping[type, str] = {
    Rhythm: "rhythm",
    Trigger: "trigger",
    Step: "step",
    Adjustment: "adjustment",
    Feedback: "feedback",
    Blackout: "blackout",
}
_NEARNESS = {"event": 3, "clause": 2, "window": 1}
"""What holds and is stopped by something else is nearer than what is too late, than what does not hold."""


class NoSuchRule(Exception):
    """The policy has no rule of this name."""


class NoSuchTouchpoint(Exception):
    """The policy's catalogue has no touchpoint of this type, and none stands in the plan."""


class Inquiry:
    """Questions about one account at one moment. The decision is made once, whatever is asked."""

    def __init__(
        self, policy: Policy, account_state: AccountState, portfolio: Portfolio, now: datetime
    ) -> None:
        self.policy = policy
        self.decision = evaluate_account(policy, account_state.facts, account_state.issued, portfolio, now)
        view = view_account(account_state.facts, portfolio, now, policy.reads, meetings=policy.meetings)
        _, _, _, self._held = policy.evaluate_conditions(view.values)
        place = {"segment": self.decision.segment, "stage": self.decision.stage, "color": self.decision.color}
        view.values.update(place)
        self._land = Land(policy, account_state.facts, portfolio, view)
        self._evidence = Evidence(policy, account_state.facts, view)

    def rule(self, name: str) -> Why:
        """Raises `NoSuchRule`."""
        bit = self.policy.bits.get(name)
        if bit is None:
            told = f"the policy has no rule {name!r}{did_you_mean(name, self.policy.bits)}"
            raise NoSuchRule(told)
        return self._why(self.policy.rules[bit])

    def touchpoint(self, kind: str) -> Why:
        """The rule that fires or is nearest to it, the rest under `others`. Raises `NoSuchTouchpoint`."""
        found = sorted(map(self._why, self._asking(kind)), key=_nearness)
        found = [*self._standing(kind), *found]
        if found:
            return replace(found[0], touchpoint_type=kind, others=tuple(found[1:]))
        if kind not in self.policy.catalogue:
            told = f"the policy has no touchpoint {kind!r}{did_you_mean(kind, self.policy.catalogue)}"
            raise NoSuchTouchpoint(told)
        return Why(
            None, "", kind, fires=False, text=f"No rule of the policy asks for {kind.replace('_', ' ')}."
        )

    def _asking(self, kind: str) -> Iterator[Rule]:
        for rule in self.policy.rules:
            if isinstance(rule, Rhythm | Trigger | Step) and rule.touchpoint == kind:
                yield rule

    def _standing(self, kind: str) -> Iterator[Why]:
        """What came due under a policy that is no longer in force stands until it is settled."""
        for item in self.decision.plan.touchpoints:
            if item.touchpoint_type == kind and item.reason.rule not in self.policy.bits:
                yield Why(item.reason.rule, "", kind, fires=True, text=item.reason.text)

    def _why(self, rule: Rule) -> Why:
        item = self._item(rule)
        ground = self._ground(rule, item)
        truth = self._evidence.truth(rule, ground.words)
        clauses = self._evidence.clauses(truth, ground.words, ground.stamp)
        case = Case(self._land, rule, ground, truth)
        stopped = self._stopped(case, item)
        if stopped is None:
            return self._answer(rule, clauses, item)
        change = said_change(case, stopped) if stopped.cause != "clause" else clause_change(case)
        if stopped.cause == "clause":
            stopped = change_of(stopped, case, change)
        return self._answer(rule, clauses, item, stopped, change)

    def _item(self, rule: Rule) -> Item | None:
        """What stands in the plan by this rule; of several what comes first."""
        plan = self.decision.plan
        items = plan.rhythms if isinstance(rule, Rhythm) else plan.touchpoints
        return next((item for item in items if item.reason.rule == rule.rule), None)

    def _ground(self, rule: Rule, item: Item | None) -> Ground:
        match rule:
            case Trigger():
                own = item if isinstance(item, OneOffItem) else None
                return of_trigger(self._land, rule, own, stopped=self.decision.stopped(rule.rule) is not None)
            case Feedback():
                return of_feedback(self._land, rule)
            case Step():
                return of_step(self._land, rule)
            case _:
                return Ground()

    def _stopped(self, case: Case, item: Item | None) -> Stopped | None:
        """The one cause; None when it fires."""
        rule, ground = case.rule, case.ground
        if item is not None:
            unheard = nobody(self._land.facts, item)
            return Stopped("opt_out", unheard) if unheard else None
        held_back = self.decision.stopped(rule.rule)
        if held_back is not None:
            return Stopped(held_back.cause, held_back.reason, held_back.by, held_back.until)
        if ground.missing:
            return Stopped("event", ground.missing)
        if case.truth.holds is not True:
            return Stopped("clause", "")
        if ground.closes is not None and self._land.view.now >= ground.closes:
            return Stopped("window", f"its time was over at {moment(ground.closes):%Y-%m-%d %H:%M} UTC")
        match rule:
            case Adjustment():
                return adjustment_stop(self._land, rule, self._held)
            case Feedback():
                return feedback_stop(self._land, rule)
            case _:
                return None

    def _answer(
        self,
        rule: Rule,
        clauses: tuple[Clause, ...],
        item: Item | None,
        stopped: Stopped | None = None,
        change: Change | None = None,
    ) -> Why:
        if stopped is None:
            text = item.reason.text if item is not None else rule.because
        else:
            text = f"{rule.rule} does not fire: {stopped.text.rstrip('.')}."
            text += f" {change.text[:1].upper()}{change.text[1:]}." if change is not None else ""
        return Why(
            rule=rule.rule,
            kind=_KINDS[type(rule)],
            touchpoint_type=rule.touchpoint if isinstance(rule, Rhythm | Trigger | Step) else None,
            fires=stopped is None,
            text=text,
            clauses=clauses,
            stopped_by=stopped,
            smallest_change=change,
            place=rule.place,
        )


def _nearness(why: Why) -> tuple[bool, int, int, str]:
    cause = "" if why.stopped_by is None else why.stopped_by.cause
    needs = len(why.smallest_change.needs) if why.smallest_change is not None else 0
    return not why.fires, _NEARNESS.get(cause, 0), needs, why.rule or ""
