"""A case: one rule for one account, what it is read against, its truth and the change that it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from services.cadence.account import Plain
from services.cadence.evaluation.state import EvaluationState
from services.cadence.explanation.basis import Basis
from services.cadence.explanation.smallest_change import Need, smallest_change
from services.cadence.expressions.trace import Trace, trace
from services.cadence.expressions.tree import names
from services.cadence.features.feature import Feature
from services.cadence.features.registry import features_in_scope
from services.cadence.policy import Feedback, Policy, Rule, Step, Trigger, condition_of


@dataclass(frozen=True)
class Case:
    """What is known of it is found when it is first asked for."""

    state: EvaluationState
    rule: Rule
    basis: Basis

    @cached_property
    def values(self) -> Mapping[str, Plain]:
        return {**self.state.view.values, **self.basis.values}

    @cached_property
    def truth(self) -> Trace:
        return trace(condition_of(self.rule), self.values)

    @cached_property
    def needs(self) -> tuple[Need, ...] | None:
        """What would have to change for the condition to be true; None: no such change is known.

        Only over the features that it reads, so that suggested values lie near what it compares with.
        """
        condition = condition_of(self.rule)
        read = {name: self.values.get(name) for name in names(condition)}
        return smallest_change(condition, read, self._features())

    def _features(self) -> Mapping[str, Feature]:
        """The features that the rule's condition may read."""
        if isinstance(self.rule, Trigger | Feedback):
            return _scope(self.state.policy, self.rule.on)
        of_program = isinstance(self.rule, Step) and self.rule.anchor == "program"
        return _scope(self.state.policy, "program.announced" if of_program else None)


@lru_cache(maxsize=256)
def _scope(policy: Policy, event: str | None) -> Mapping[str, Feature]:
    return features_in_scope(event, tuple(policy.catalogue))
