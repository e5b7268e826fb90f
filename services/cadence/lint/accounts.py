"""All accounts that may exist under a policy, by segment and stage, as constraints for the solver.

What the policy derives is known: a segment or stage is the first whose condition holds, and a colour that no event
names follows from the score. So are the least and greatest values of features.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from services.cadence.account import Plain
from services.cadence.expressions.analysis import Satisfiability, satisfiable
from services.cadence.expressions.compile import Named, source
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.ranges import domain_of
from services.cadence.expressions.search import Constraint
from services.cadence.expressions.tree import Const, Membership, Node, Or, names, walk
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.features.feature import SEGMENTS, Feature
from services.cadence.features.registry import features_in_scope
from services.cadence.lint.conditions import NO, YES, add_prefix, condition, conjunction, simplify
from services.cadence.policy import Feedback, Policy, Rule, Step, Trigger, condition_of
from services.cadence.policy.compiled import CONTRACT_ANCHORS, anchor_features, own_features

_STEPS = 4_000
"""Of one search; what takes more is tried on samples."""
_SAMPLES = 200
_WORK = 60_000
"""Queries, and constraints in them: a bound on the time of all."""
_SAMPLING_WORK = 100
OVERRIDE = "segment_override"
_RANGES: Mapping[str, str] = {
    **dict.fromkeys(("arr", "active_users", "seats", "seats_used", "response_hours"), ">= 0"),
    **dict.fromkeys(("seat_ratio", "limit_ratio", "usage_spike_ratio", "usage_change"), ">= 0"),
    **dict.fromkeys(("attendance_rate", "open_rate", "click_rate"), "between 0 and 1"),
    **dict.fromkeys(("requests_28d", "requests_prior_28d", "open_requests"), "between 0 and 48"),
    "arr_percentile": "between 0 and 99",
    "health_score": "between 0 and 100",
    "score_drop": "between -100 and 100",
    "nps_score": "between 0 and 10",
    "nps_trend": "between -10 and 10",
    "csat": "between 1 and 5",
    "declines_in_row": "between 0 and 32",
}
"""The values of features, by what events may contain and what is counted."""

_Constraints = tuple[Constraint, ...]
_Conditions = Sequence[str | Node]
"""Rules, by name, and other conditions."""


class Cohort(NamedTuple):
    """Accounts of one segment in one stage. `by_rule`: without an override of the segment; None: there are none."""

    segment: str
    stage: str
    constraints: _Constraints
    by_rule: _Constraints | None
    witness: Mapping[str, Plain] = {}

    @property
    def values(self) -> dict[str, str]:
        return {"segment": self.segment, "stage": self.stage}


class PossibleAccounts:
    """Queries over all accounts of a policy. Features of an event are kept apart as `<event>:<feature>`."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.features: dict[str, Feature] = dict(features_in_scope(types=tuple(policy.catalogue)))
        for event, own in EVENT_FEATURES.items():
            self.features |= {f"{event}:{name}": feature for name, feature in own.items()}
        self.features |= {f"renewal:{name}": self.features[name] for name in anchor_features("renewal")}
        self.conditions = {rule.rule: prepare(rule) for rule in policy.rules}
        self._work = _WORK
        self._cohorts_of: dict[str, tuple[Cohort, ...]] = {}
        self._results: dict[str, Satisfiability] = {}

    @property
    def is_exhausted(self) -> bool:
        """Whether the bound on work is reached, so that queries are not answered any more."""
        return self._work <= 0

    @cached_property
    def cohorts(self) -> tuple[Cohort, ...]:
        """Those that have accounts, as far as is known."""
        content, cohorts = self.policy.content, list[Cohort]()
        options = dict(_first_options(content.segments, {}))
        if content.only_segment is not None:
            # Any account may be of this segment; rules of the others are checked as for another model.
            options[content.only_segment] = ()
        by_condition = list(options.items())
        never = [(name, None) for name in SEGMENTS if name not in options]
        for segment, constraints in (*by_condition, *never):
            override = condition(f'{OVERRIDE} is not null and {OVERRIDE} == "{segment}"')
            by_rule = (
                None if constraints is None else ((condition(f"{OVERRIDE} is null"), True), *constraints)
            )
            either = Or((override, conjunction(*by_rule)), 0) if by_rule else override
            for stage, in_stage in _first_options(content.stages, {"segment": segment}):
                without_override = by_rule and (*by_rule, *in_stage)
                cohort = Cohort(segment, stage, ((either, True), *in_stage), without_override)
                result = self.satisfiable(cohort.constraints)
                if result.answer != "no":
                    cohorts.append(cohort._replace(witness=result.witness or {}))
        return tuple(cohorts)

    def cohorts_of(self, rule: str) -> tuple[Cohort, ...]:
        """Cohorts in which a rule can hold, as far as is known."""
        if rule not in self._cohorts_of:
            likely = [cohort for cohort in self.cohorts if self.simplified(rule, cohort) != NO]
            able = [cohort for cohort in likely if self.possible((rule,), cohorts=(cohort,))]
            self._cohorts_of[rule] = tuple(able)
        return self._cohorts_of[rule]

    def simplified(self, rule: str | Node, cohort: Cohort) -> Node:
        """A condition, or that of a rule, for the accounts of a cohort."""
        node = self.conditions[rule] if isinstance(rule, str) else rule
        return _simplify_for(node, cohort.segment, cohort.stage)

    def query(self, cohort: Cohort, hold: _Conditions = (), fail: _Conditions = ()) -> Satisfiability:
        """Whether an account of this cohort exists for which these rules or conditions hold, and those fail."""
        self._work -= 1
        if self.is_exhausted:
            return Satisfiability("unknown")
        constraints = [(self.simplified(rule, cohort), True) for rule in hold]
        constraints += [(self.simplified(rule, cohort), False) for rule in fail]
        if (NO, True) in constraints or (YES, False) in constraints:
            return Satisfiability("no")
        constraints = [pair for pair in constraints if not isinstance(pair[0], Const)]
        result = self.satisfiable(_with_related(constraints, cohort.constraints))
        witness = None if result.witness is None else {**cohort.values, **result.witness}
        return Satisfiability(result.answer, witness)

    def possible(
        self, hold: _Conditions, fail: _Conditions = (), cohorts: Iterable[Cohort] | None = None
    ) -> bool:
        """Whether such an account may exist in one of the cohorts; None: those of the rule that comes first."""
        cohorts = self.cohorts_of(str(hold[0])) if cohorts is None else cohorts
        return any(self.query(cohort, hold, fail).answer != "no" for cohort in cohorts)

    def implies(self, rule: str, others: Sequence[str]) -> bool:
        """Whether one of the others holds wherever the rule does; False where the rule never holds."""
        return bool(others and self.cohorts_of(rule)) and not self.possible((rule,), others)

    def example(self, *rules: str) -> Mapping[str, Plain] | None:
        """An account for which all these rules hold."""
        witnesses = (self.query(cohort, rules).witness for cohort in self.cohorts_of(rules[0]))
        return next((witness for witness in witnesses if witness is not None), None)

    def satisfiable(self, constraints: Sequence[Constraint]) -> Satisfiability:
        """Whether an account that meets all constraints exists, in any segment and stage."""
        key = "&".join(f"{wanted:d}{_text_of(node)}" for node, wanted in constraints)
        if key not in self._results:
            self._results[key] = self._satisfiable(constraints)
        return self._results[key]

    def _satisfiable(self, constraints: Sequence[Constraint]) -> Satisfiability:
        if self.is_exhausted and constraints:
            return Satisfiability("unknown")
        self._work -= len(constraints)
        laws = self._laws({name for node, _ in constraints for name in names(node)})
        tree = conjunction(*constraints, *laws)
        result = satisfiable(tree, self.features, steps=_STEPS)
        if result.answer != "unknown":
            return result
        self._work -= _SAMPLING_WORK * len(constraints)
        options, numbers = self.samples([tree], names(tree)), repeatable_numbers()
        for _ in range(_SAMPLES):
            sample = {name: values[next(numbers) % len(values)] for name, values in options.items()}
            if holds(tree, sample):
                return Satisfiability("yes", sample)
        return result

    def _laws(self, read: Iterable[str]) -> Iterator[Constraint]:
        """What is true of these features for every account."""
        for name in sorted(read):
            event, colon, feature = name.rpartition(":")
            if feature in _RANGES:
                or_null = f"{feature} is null or " if self.features[name].nullable else ""
                yield condition(f"{or_null}{feature} {_RANGES[feature]}", event + colon), True
            if feature == "color" and f"{event}{colon}health_score" in read:
                yield condition("color is not null or health_score is null", event + colon), True

    def may_have(self, values: Mapping[str, Plain]) -> bool:
        """Whether these values lie within what events may contain and what is counted."""
        return all(holds(law, values) for law, _ in self._laws(values))

    def samples(self, near: Iterable[Node], read: Iterable[str]) -> dict[str, tuple[Plain, ...]]:
        """Values to try for these features, near the constants of these conditions."""
        nodes = [node for tree in near for node in walk(tree)]
        constants = [node.value for node in nodes if isinstance(node, Const)]
        members = [member.value for node in nodes if isinstance(node, Membership) for member in node.values]
        return {name: domain_of(self.features[name]).samples((*constants, *members)) for name in read}

    def complete(self, cohort: Cohort, witness: Mapping[str, Plain]) -> dict[str, Plain]:
        """All features of an account of this cohort: those of the witness, the rest as where nothing is known."""
        known = {**cohort.witness, **witness, OVERRIDE: cohort.segment}
        defaults: Mapping[str, Plain] = {"truth": False, "number": 0}
        return {
            name: known.get(name, None if feature.nullable else defaults.get(feature.kind, ""))
            for name, feature in self.features.items()
            if ":" not in name
        }


_text_of = lru_cache(maxsize=32_768)(source)


@lru_cache(maxsize=32_768)
def _simplify_for(node: Node, segment: str, stage: str) -> Node:
    """Kept between policies: of two versions of one, nearly all conditions are the same."""
    return simplify(node, {"segment": segment, "stage": stage})


def repeatable_numbers() -> Iterator[int]:
    """Pseudorandom numbers, the same every time: MINSTD (Park, Miller and Stockmeyer, 1993)."""
    number = 1
    while True:
        number = number * 48_271 % (2**31 - 1)
        yield number


def prepare(rule: Rule) -> Node:
    """The condition of a rule, the features of its event kept apart from those of the account."""
    own = own_features(rule)
    prefix = rule.on if isinstance(rule, Trigger | Feedback) else "program.announced"
    if isinstance(rule, Step) and rule.anchor in CONTRACT_ANCHORS:
        own, prefix = anchor_features("renewal"), "renewal"
    return add_prefix(condition_of(rule), f"{prefix}:", own)


def _first_options(options: Sequence[Named], known: Mapping[str, str]) -> Iterator[tuple[str, _Constraints]]:
    """Each segment or stage, with the constraints that make it the first that holds."""
    before: _Constraints = ()
    for name, node in options:
        left = simplify(node, known)
        if left != NO:
            yield name, (*before, (left, True))
        before = (*before, (left, False))


def _with_related(constraints: list[Constraint], of_cohort: Sequence[Constraint]) -> Sequence[Constraint]:
    """The constraints, and those of the cohort that share features with them; the others can be met in any case."""
    if not constraints:
        return of_cohort
    read = {name for node, _ in constraints for name in names(node)}
    left = of_cohort
    while near := [pair for pair in left if not read.isdisjoint(names(pair[0]))]:
        left = [pair for pair in left if read.isdisjoint(names(pair[0]))]
        constraints = [*constraints, *near]
        read |= {name for node, _ in near for name in names(node)}
    return constraints
