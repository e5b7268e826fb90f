"""Accounts: all that may exist under a policy, by segment and stage, as a solver sees them.

What the policy derives is known here: segments and stages are the first that hold, a colour without a word on it
follows from the score, and a score is no more than 100.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from services.cadence.account import DAY, Plain
from services.cadence.expressions.analysis import Satisfiability, satisfiable
from services.cadence.expressions.compile import source
from services.cadence.expressions.search import Constraint
from services.cadence.expressions.tree import And, Const, Node, Not, Or, names
from services.cadence.features.registry import EVENT_FEATURES, SEGMENTS, Feature, features_in_scope
from services.cadence.lint.sampling import sampled
from services.cadence.lint.trees import NO, YES, asked, compared, known, null, reduced, renamed
from services.cadence.policy import Feedback, Policy, Rule, Step, Trigger, condition_of
from services.cadence.policy.compiled import anchor_features, own_features

STEPS = 4_000
"""Of search in a condition; what takes more is tried on samples."""
WORK = 60_000
"""Questions, and parts of conditions looked at for them: a bound on time."""
_HARD = 100
HAND = "segment_override"
_PREFIX = re.compile(r"(?<![\w:])[a-z]+(?:\.[a-z]+)?:(?=[a-z])")
_RANGES: Mapping[str, tuple[float, float | None]] = {
    "arr": (0, None),
    "arr_percentile": (0, 99),
    "health_score": (0, 100),
    "score_drop": (-100, 100),
    "nps_score": (0, 10),
    "nps_trend": (-10, 10),
    "csat": (1, 5),
    "active_users": (0, None),
    "seats": (0, None),
    "seats_used": (0, None),
    "seat_ratio": (0, None),
    "limit_ratio": (0, None),
    "usage_spike_ratio": (0, None),
    "usage_change": (0, None),
    "attendance_rate": (0, 1),
    "open_rate": (0, 1),
    "click_rate": (0, 1),
    "declines_in_row": (0, 32),
    "requests_28d": (0, 48),
    "requests_prior_28d": (0, 48),
    "open_requests": (0, 48),
    "response_hours": (0, None),
}
"""Between what the values of a word lie, by what is accepted and counted."""


class World(NamedTuple):
    """Accounts of one segment in one stage: how they get there by the policy alone (None: never), and also by hand."""

    segment: str
    stage: str
    by_hand: tuple[Constraint, ...]
    by_rule: tuple[Constraint, ...] | None
    witness: Mapping[str, Plain]


class Accounts:
    """Questions about all accounts of a policy. Words of an event are kept apart as `<event>:<word>`."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.words: dict[str, Feature] = dict(features_in_scope(types=tuple(policy.catalogue)))
        for event, own in EVENT_FEATURES.items():
            self.words |= {f"{event}:{name}": word for name, word in own.items()}
        for name in anchor_features("renewal"):
            self.words[f"renewal:{name}"] = self.words[name]
        self.conditions = {each.rule: prepared(each) for each in policy.rules}
        self._reduced: dict[tuple[str, str, str], Node] = {}
        self._work = WORK
        self._met: dict[tuple[str, bool], Satisfiability] = {}
        self._alive: dict[str, tuple[World, ...]] = {}

    @cached_property
    def worlds(self) -> tuple[World, ...]:
        """Those that some account can be in."""
        options = list(self._firsts("segment", {}))
        by_hand = [(name, None) for name in SEGMENTS if name not in {option for option, _ in options}]
        made = [
            self._world(name, goals, stage)
            for name, goals in (*options, *by_hand)
            for stage in self._firsts("stage", {"segment": name})
        ]
        asked = [(world, self.meet([*world.by_hand])) for world in made]
        return tuple(
            world._replace(witness=verdict.witness or {})
            for world, verdict in asked
            if verdict.answer != "no"
        )

    def _firsts(self, what: str, held: Mapping[str, Plain]) -> Iterator[tuple[str, tuple[Constraint, ...]]]:
        """Each option with what makes it the first that holds."""
        content = self.policy.content
        before: tuple[Constraint, ...] = ()
        for name, tree in content.segments if what == "segment" else content.stages:
            left = reduced(tree, held)
            if left != NO:
                yield name, (*before, (left, True))
            before = (*before, (left, False))

    def _world(
        self, segment: str, goals: tuple[Constraint, ...] | None, stage: tuple[str, tuple[Constraint, ...]]
    ) -> World:
        set_by_hand = And((known(HAND), compared(HAND, "==", segment)), 0)
        if goals is None:
            return World(segment, stage[0], ((set_by_hand, True), *stage[1]), None, {})
        rule = ((null(HAND), True), *goals)
        either = Or((set_by_hand, asked(*rule)), 0)
        return World(segment, stage[0], ((either, True), *stage[1]), (*rule, *stage[1]), {})

    def reduced(self, rule: str, world: World) -> Node:
        """A rule's condition for accounts of this segment and stage."""
        key = (rule, world.segment, world.stage)
        if key not in self._reduced:
            self._reduced[key] = reduced(self.conditions[rule], _place(world))
        return self._reduced[key]

    def alive(self, rule: str) -> tuple[World, ...]:
        """Worlds in which a rule can hold, as far as is known."""
        if rule not in self._alive:
            found = (each for each in self.worlds if self.reduced(rule, each) != NO)
            self._alive[rule] = tuple(each for each in found if self.can(each, (rule,)).answer != "no")
        return self._alive[rule]

    def can(
        self,
        world: World,
        hold: Iterable[str] = (),
        fail: Iterable[str] = (),
        also: Iterable[Constraint] = (),
        *,
        by_rule: bool = False,
    ) -> Satisfiability:
        """Can these rules hold, those fail and this be so, of an account of this segment and stage?"""
        self._work -= 1
        if self.exhausted:
            return Satisfiability("unknown")
        goals = [(self.reduced(rule, world), True) for rule in hold]
        goals += [(self.reduced(rule, world), False) for rule in fail]
        goals += [(reduced(node, _place(world)), want) for node, want in also]
        if any((node == NO and want) or (node == YES and not want) for node, want in goals):
            return Satisfiability("no")
        goals = [each for each in goals if not isinstance(each[0], Const)]
        ground = world.by_rule if by_rule else world.by_hand
        if ground is None:
            return Satisfiability("no")
        verdict = self.meet(_linked(goals, ground) if goals else [*ground])
        if verdict.witness is None:
            return verdict
        return Satisfiability(verdict.answer, {**_place(world), **verdict.witness})

    def together(self, *rules: str) -> Mapping[str, Plain] | None:
        """An account for which all of these hold."""
        for world in self.alive(rules[0]):
            witness = self.can(world, rules).witness
            if witness is not None:
                return witness
        return None

    def meet(self, goals: list[Constraint], *, derived: bool = False) -> Satisfiability:
        """Can all this be so, whatever the segment and stage? `derived`: colours follow from scores."""
        said = "&".join(f"{want:d}{source(node)}" for node, want in goals)
        if (said, derived) not in self._met:
            self._met[said, derived] = self._meet(goals, derived=derived)
        return self._met[said, derived]

    def _meet(self, goals: list[Constraint], *, derived: bool) -> Satisfiability:
        if not goals:
            return Satisfiability("yes", {})
        if self.exhausted:
            return Satisfiability("unknown")
        self._work -= len(goals)
        read = {name for node, _ in goals for name in names(node)}
        tree = asked(*goals, *self._bounds(read, derived=derived))
        found = satisfiable(tree, self.words, steps=STEPS)
        if found.answer != "unknown":
            return found
        self._work -= _HARD * len(goals)
        witness = sampled(tree, self.words)
        return Satisfiability("unknown") if witness is None else Satisfiability("yes", witness)

    @property
    def exhausted(self) -> bool:
        """Is the work used up, so that further questions are not answered?"""
        return self._work <= 0

    def _bounds(self, read: set[str], *, derived: bool) -> Iterator[Constraint]:
        for name in sorted(read):
            low, high = _RANGES.get(unprefixed(name), (None, None))
            if low is not None:
                yield _between(name, self.words[name], low, high), True
        for event in ("", "health.scored:"):
            color, score = f"{event}color", f"{event}health_score"
            if color in read and score in read:
                derive = self._derived if derived else _told
                yield derive(color, score), True

    def _derived(self, color: str, score: str) -> Node:
        health = self.policy.content.health
        red = compared(score, "<", health.red_below)
        yellow = And((Not(red, 0), compared(score, "<", health.yellow_below)), 0)
        green = compared(score, ">=", max(health.yellow_below, health.red_below))
        return Or(
            (
                And((null(color), null(score)), 0),
                *(
                    And((known(color), known(score), compared(color, "==", name), tree), 0)
                    for name, tree in (("red", red), ("yellow", yellow), ("green", green))
                ),
            ),
            0,
        )

    def whole(self, world: World, witness: Mapping[str, Plain]) -> dict[str, Plain]:
        """Every word of an account of this world: those of the witness, the rest as where nothing is known."""
        blank: dict[str, Plain] = {}
        for name, word in self.words.items():
            if ":" not in name:
                blank[name] = None if word.nullable else {"truth": False, "number": 0}.get(word.kind, "")
        told = {**world.witness, **witness, HAND: world.segment}
        return {**blank, **{name: value for name, value in told.items() if name in blank}}


def prepared(rule: Rule) -> Node:
    """The condition of a rule, the words it reads of its event kept apart from those of the account."""
    own = own_features(rule)
    prefix = rule.on if isinstance(rule, Trigger | Feedback) else "program.announced"
    if isinstance(rule, Step) and rule.anchor == "renewal":
        own, prefix = anchor_features("renewal"), "renewal"
    return renamed(condition_of(rule), lambda name: f"{prefix}:{name}" if name in own else name)


def unprefixed(text: str) -> str:
    """A word, or a condition, as its author wrote it."""
    return _PREFIX.sub("", text)


def window_of(step: Step) -> Iterator[Constraint]:
    """What is so of an account while a step's window is open, where a word counts from its anchor."""
    word = {"start": "days_since_start", "go_live": "days_since_go_live", "renewal": "days_to_renewal"}.get(
        step.anchor
    )
    if word is None:
        return
    days = int(-(-step.within.total_seconds() * 1_000_000 // DAY))
    first, last = step.days - 1, step.days + days + 1
    if step.anchor == "renewal":
        first, last = -last, -first
    yield known(word), True
    yield compared(word, ">=", first), True
    yield compared(word, "<=", last), True


def _place(world: World) -> dict[str, Plain]:
    return {"segment": world.segment, "stage": world.stage}


def _told(color: str, score: str) -> Node:
    """Any colour may be told; without one it follows from the score."""
    return Or((known(color), null(score)), 0)


def _between(name: str, word: Feature, low: float, high: float | None) -> Node:
    held = [compared(name, ">=", low)] + ([] if high is None else [compared(name, "<=", high)])
    inside = And(tuple(held), 0)
    return Or((null(name), inside), 0) if word.nullable else inside


def _linked(goals: list[Constraint], ground: Iterable[Constraint]) -> list[Constraint]:
    """The goals, and of the ground what shares words with them; the rest can be met whatever they say."""
    read = {name for node, _ in goals for name in names(node)}
    left = list(ground)
    while True:
        near = [each for each in left if not read.isdisjoint(names(each[0]))]
        if not near:
            return goals
        left = [each for each in left if read.isdisjoint(names(each[0]))]
        goals = [*goals, *near]
        read |= {name for node, _ in near for name in names(node)}
