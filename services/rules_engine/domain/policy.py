"""The policy: who is led how, as values. Made by `make_policy`, which compiles it and gives it its hash."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from datetime import timedelta
from operator import attrgetter
from typing import Literal, cast

from services.rules_engine.domain.compile import (
    Bits,
    Health,
    Judge,
    Named,
    compile_bits,
    compile_judge,
    day_counts,
    source,
)
from services.rules_engine.domain.facts import DAY
from services.rules_engine.domain.language.tree import Every, Node, Not, names
from services.rules_engine.domain.vocabulary.registry import ENTRY_WORDS

_US = timedelta(microseconds=1)
STEP_WORDS = frozenset({"contract_status", "contract_signed", "auto_renew", "days_to_renewal"})
"""Words a step reads of its own contract, not of the one that renews next."""
Urgency = Literal["soon", "spread"]
PRECEDENCES = ("default", "preference", "floor", "escalation")
"""Weakest first. Of several rhythms of one touchpoint type the strongest stands; among equals the shortest."""


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """A kind of touchpoint. `topic` None: internal work. `audience`: the roles it is for; empty: everyone."""

    type: str
    topic: str | None
    owner: str
    channel: str
    purpose: str
    minutes: int
    audience: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rhythm:
    rule: str
    touchpoint: str
    every_days: int
    when: Node
    because: str
    urgency: Urgency = "spread"
    precedence: str = "default"
    owner: str | None = None
    channel: str | None = None
    any_contact: bool = False
    """A contact of any kind counts as the last one, not only one of this type."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """`within`: how long after its fact the touchpoint makes sense; `cooldown`: between two of its type."""

    rule: str
    on: str
    touchpoint: str
    when: Node
    because: str
    within: timedelta
    unless: Node | None = None
    deadline: timedelta | None = None
    cooldown: timedelta | None = None
    owner: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`days` from the anchor, negative before it. `within`: how long the step makes sense."""

    rule: str
    touchpoint: str
    days: int
    within: timedelta
    when: Node
    because: str
    unless: Node | None = None
    deadline: timedelta | None = None
    owner: str | None = None
    channel: str | None = None


Rule = Rhythm | Trigger | Step


@dataclass(frozen=True, slots=True)
class Content:
    """What a policy file says. The order of rhythms, triggers and steps means nothing."""

    health: Health
    segments: tuple[Named, ...]
    stages: tuple[Named, ...]
    touchpoints: tuple[Touchpoint, ...]
    rhythms: tuple[Rhythm, ...]
    triggers: tuple[Trigger, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A compiled policy, equal to itself alone. `rules` in order of their names; a rule's index is its bit in `fired`."""

    hash: str
    content: Content
    catalogue: Mapping[str, Touchpoint]
    rules: tuple[Rule, ...]
    bits: Mapping[str, int]
    rhythms: tuple[tuple[int, Rhythm], ...]
    triggers: Mapping[str, tuple[tuple[int, Trigger], ...]]
    steps: tuple[tuple[int, Step, int, int], ...]
    """With their beginning and end from the anchor, in microseconds."""
    steps_end: int
    one_off_types: frozenset[str]
    judge: Judge
    entry_bits: Mapping[str, Bits]
    step_bits: Bits
    reads: frozenset[str]
    read_by: Mapping[str, tuple[str, ...]]
    """Per rule the words it reads, in the order they first appear."""
    day_counts: Mapping[str, tuple[int, ...] | None]
    longest_within: Mapping[str, int]
    """Per event, in microseconds: how far back an entry may lie and still matter."""


def make_policy(content: Content) -> Policy:
    """Compile checked content. Conditions are trusted to be sound (`language.checker`)."""
    rules: tuple[Rule, ...] = tuple(
        sorted((*content.rhythms, *content.triggers, *content.steps), key=attrgetter("rule"))
    )
    bits = {rule.rule: index for index, rule in enumerate(rules)}
    rhythms = tuple((bits[each.rule], each) for each in rules if isinstance(each, Rhythm))
    steps = _steps(rules, bits)
    triggers = _triggers(rules, bits)
    health = content.health
    return Policy(
        hash=policy_hash(content),
        content=content,
        catalogue={each.type: each for each in content.touchpoints},
        rules=rules,
        bits=bits,
        rhythms=rhythms,
        triggers=triggers,
        steps=steps,
        steps_end=max((end for _, _, _, end in steps), default=0),
        one_off_types=frozenset(each.touchpoint for each in (*content.triggers, *content.steps)),
        judge=compile_judge(
            health, content.segments, content.stages, [(bit, each.when) for bit, each in rhythms]
        ),
        entry_bits={
            event: compile_bits(
                health, [(bit, wish(each)) for bit, each in found], frozenset(ENTRY_WORDS[event])
            )
            for event, found in triggers.items()
        },
        step_bits=compile_bits(health, [(bit, wish(each)) for bit, each, _, _ in steps], STEP_WORDS),
        reads=frozenset(_reads(content, triggers)),
        read_by={each.rule: _read_by(each) for each in rules},
        day_counts=day_counts(_conditions(content)),
        longest_within={
            event: max(each.within for _, each in found) // _US for event, found in triggers.items()
        },
    )


def _steps(rules: Sequence[Rule], bits: Mapping[str, int]) -> tuple[tuple[int, Step, int, int], ...]:
    return tuple(
        (bits[each.rule], each, each.days * DAY, each.days * DAY + each.within // _US)
        for each in rules
        if isinstance(each, Step)
    )


def _triggers(rules: Sequence[Rule], bits: Mapping[str, int]) -> dict[str, tuple[tuple[int, Trigger], ...]]:
    found = [each for each in rules if isinstance(each, Trigger)]
    return {
        event: tuple((bits[each.rule], each) for each in found if each.on == event)
        for event in sorted({each.on for each in found})
    }


def wish(rule: Trigger | Step) -> Node:
    """`when`, and not `unless`."""
    if rule.unless is None:
        return rule.when
    return Every((rule.when, Not(rule.unless, rule.unless.at)), rule.when.at)


def _read_by(rule: Rule) -> tuple[str, ...]:
    trees = (rule.when,) if isinstance(rule, Rhythm) or rule.unless is None else (rule.when, rule.unless)
    return tuple(dict.fromkeys(name for tree in trees for name in names(tree)))


def _conditions(content: Content) -> Iterable[Node]:
    for _, tree in (*content.segments, *content.stages):
        yield tree
    for rhythm in content.rhythms:
        yield rhythm.when
    for rule in (*content.triggers, *content.steps):
        yield wish(rule)


def _reads(content: Content, triggers: Mapping[str, Sequence[tuple[int, Trigger]]]) -> Iterable[str]:
    """Words read of the account itself; those an event lays over them are not."""
    for event, found in triggers.items():
        for _, rule in found:
            yield from set(names(wish(rule))) - ENTRY_WORDS[event].keys()
    for tree in _conditions(replace(content, triggers=())):
        yield from names(tree)


def policy_hash(content: Content) -> str:
    """sha256 (hex) of what the policy says; spacing, comments and the order of rules do not count."""
    said = {
        "health": [content.health.red_below, content.health.yellow_below],
        "segments": [(name, source(tree)) for name, tree in content.segments],
        "stages": [(name, source(tree)) for name, tree in content.stages],
        "touchpoints": sorted(_said(each) for each in content.touchpoints),
        "rhythms": sorted(_said(each) for each in content.rhythms),
        "triggers": sorted(_said(each) for each in content.triggers),
        "steps": sorted(_said(each) for each in content.steps),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _said(value: Touchpoint | Rule) -> list[str]:
    return [f"{name}={_text(getattr(value, name))}" for name in sorted(value.__dataclass_fields__)]


def _text(value: object) -> str:
    if isinstance(value, timedelta):
        return repr(value.total_seconds())
    if is_dataclass(value):
        return source(cast("Node", value))
    return repr(value)
