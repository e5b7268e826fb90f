"""What is decided about one account as the simulated days go on, and what of its plan that changes.

Where the scheduler is not followed exactly, a plan whose rhythms and times to avoid stay is not built again: only its
one-offs that are new or asked for otherwise are, and one that comes due or ends as it was to changes nothing.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from schemas.plans import Plan, PlanAdjusted
from schemas.standing import TouchpointContent
from services.cadence.account import DAY, micros
from services.cadence.account import moment as moment_of
from services.cadence.account.codec import AccountState
from services.cadence.evaluation import Decision, evaluate_account
from services.cadence.evaluation.avoid import Avoidance
from services.cadence.evaluation.candidates import Candidate, Selection, touchpoint_id
from services.cadence.evaluation.evaluate import find_next_evaluation
from services.cadence.evaluation.plan_items import build_plan
from services.cadence.evaluation.rhythms import ChosenRhythm
from services.calendar.touchpoint import Origin, Status, Touchpoint, release
from services.simulation.book import Period, Rules
from services.simulation.issuing import (
    find_contested,
    find_counted,
    find_sensitive,
    report_cancelled,
    report_due,
)
from services.simulation.plan_change import NO_TYPES, PlanChange


class _Decided(NamedTuple):
    """`rhythms` by type; `rest`, `avoid`: what all of them follow from as well; `asked`: by the key of a one-off what its
    item follows from; `due`: ids of those that came due and are still in the plan.
    """

    rhythms: Mapping[str, ChosenRhythm]
    rest: tuple[object, ...]
    avoid: tuple[Avoidance, ...]
    asked: Mapping[tuple[str, ...], tuple[object, ...]]
    due: frozenset[str]


class AccountDecisions:
    """`sensitive`: the types whose occurrences may change the plan when they come due. `evaluate_at`: None: not again."""

    def __init__(
        self, state: AccountState, rules: Rules, period: Period, decided: tuple[bytes, datetime | None] | None
    ) -> None:
        self._state, self._rules, self._period = state, rules, period
        self._account_id = state.facts.account_id
        self._counted = find_counted(rules.policy)
        self.key: bytes | None = None
        self.evaluate_at: datetime | None = period.now
        self.sensitive, self._contested = self._counted, NO_TYPES
        self.has_failed = False
        self._decided: _Decided | None = None
        self._ends: dict[str, datetime] = {}
        if decided is not None:
            self.key, self.evaluate_at = decided

    def evaluate(self, plan: PlanAdjusted | None, now: datetime) -> PlanChange | None:
        """What changes of that plan. An account that cannot be evaluated keeps it."""
        policy, portfolio = self._rules
        try:
            decision = evaluate_account(policy, self._state.facts, self._state.issued, portfolio, now)
            change = None if decision.key == self.key else self._find_change(decision, plan, now)
        except Exception:  # noqa: BLE001 - a policy that fails on one account must not hide what it does to the others
            self.has_failed, self.evaluate_at = True, None
            return None
        self.key = decision.key
        self.sensitive = find_sensitive(policy, decision)
        self._decided = _decided_by(decision)
        if self._period.is_exact(now):
            self.evaluate_at, self._ends = decision.next_evaluation_at, {}
            return change
        self._contested = find_contested(policy, decision)
        self.evaluate_at = find_next_evaluation(decision.state, decision.outline, self._period.end)
        self._ends = {
            self._id_of(each.key): moment_of(each.end) for each in decision.outline.selection.selected
        }
        return change

    def next_moments(self, calendar: Mapping[str, Touchpoint]) -> Iterator[datetime]:
        """When it is to be evaluated again: also where a one-off has not come due when its window ends."""
        if self.evaluate_at is not None:
            yield self.evaluate_at
        for one_off, end in self._ends.items():
            planned = calendar.get(one_off)
            if planned is not None and planned.status is Status.PLANNED and planned.due_at >= end:
                yield end

    def is_to_be_evaluated(self, calendar: Mapping[str, Touchpoint], now: datetime) -> bool:
        return any(at <= now for at in self.next_moments(calendar))

    @property
    def watched(self) -> frozenset[str]:
        """The types of which one that comes due may change the plan."""
        return self.sensitive | self._contested

    def report_due(self, planned: Touchpoint, content: TouchpointContent | None, now: datetime) -> None:
        """Tell the rules of what comes due now, as far as they count it."""
        is_single = planned.origin is Origin.ONE_OFF
        if content is None or not (is_single or planned.type in self._counted):
            return
        if report_due(self._state, release(planned, now), content) and self._may_change(planned, now):
            self.evaluate_at = now

    def report_cancelled(self, cancelled: Touchpoint, now: datetime) -> None:
        """Tell the rules of a one-off that was cancelled; others do not count."""
        if cancelled.origin is Origin.ONE_OFF and report_cancelled(self._state, cancelled, now):
            self.evaluate_at = now

    def _may_change(self, released: Touchpoint, now: datetime) -> bool:
        """Whether the plan may be another one because it came due."""
        if released.origin is Origin.ONE_OFF and self._period.is_exact(now):
            return True
        return released.type in self.watched

    def _find_change(self, decision: Decision, plan: PlanAdjusted | None, now: datetime) -> PlanChange:
        before, after = self._decided, _decided_by(decision)
        selection = decision.outline.selection
        is_whole = self._period.is_exact(now) or bool(selection.withdrawn)
        if before is None or self._rest_of(before, now) != self._rest_of(after, now):
            is_whole = True
        if plan is None or before is None or is_whole:
            return PlanChange(self._adjust(decision.plan, plan, now))
        rhythms = [each for kind, each in after.rhythms.items() if before.rhythms.get(kind) != each]
        asked = Selection()
        asked.selected = [
            each for each in selection.selected if before.asked.get(each.key) != after.asked[each.key]
        ]
        part = decision.outline._replace(rhythms=tuple(rhythms), selection=asked)
        gone = {self._id_of(key) for key in before.asked if key not in after.asked} | before.due
        types = frozenset(each.rule.touchpoint for each in rhythms) | (
            before.rhythms.keys() - after.rhythms.keys()
        )
        return PlanChange(
            self._adjust(build_plan(decision.state, part), plan, now), sorted(gone - after.due), types
        )

    def _adjust(self, plan: Plan, before: PlanAdjusted | None, now: datetime) -> PlanAdjusted:
        return PlanAdjusted.of_valid(
            **vars(plan), account_id=self._account_id, version=1 if before is None else before.version + 1,
            policy=self._rules.policy.hash, decided_at=now,
        )  # fmt: skip

    def _rest_of(self, decided: _Decided, now: datetime) -> tuple[object, ...]:
        """With the times to avoid that are not over anywhere at that moment, and begin before the simulation ends."""
        start, end = micros(now) - DAY, micros(self._period.end) + DAY
        ahead = [
            each for each in decided.avoid if (each.end is None or each.end > start) and each.start <= end
        ]
        return *decided.rest, ahead

    def _id_of(self, key: tuple[str, ...]) -> str:
        return touchpoint_id(self._account_id, key)


def _decided_by(decision: Decision) -> _Decided:
    state, outline = decision.state, decision.outline
    view = state.view
    rest = view.values["csm_id"], view.last_touch, state.preferred_channels
    return _Decided(
        {each.rule.touchpoint: each for each in outline.rhythms},
        rest,
        state.avoid,
        {each.key: _effect_of(each) for each in outline.selection.selected},
        frozenset(outline.selection.due),
    )


def _effect_of(candidate: Candidate) -> tuple[object, ...]:
    return candidate.bit, candidate.start, candidate.end, candidate.deadline, candidate.about
