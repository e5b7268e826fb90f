"""Making a policy: checked content compiled, given its bits and its hash."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from datetime import timedelta
from operator import attrgetter
from typing import TypeVar, cast

from services.cadence.account import DAY
from services.cadence.expressions.compile import (
    Bits,
    ConditionFunction,
    compile_bits,
    compile_conditions,
    source,
)
from services.cadence.expressions.day_thresholds import day_counts
from services.cadence.expressions.tree import And, Node, Not, names
from services.cadence.features.registry import EVENT_FEATURES
from services.cadence.policy.model import (
    ANCHORS,
    Adjustment,
    Anchor,
    Blackout,
    Feedback,
    Limit,
    PolicyContent,
    Rhythm,
    Rule,
    Step,
    Touchpoint,
    Trigger,
)

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
"""A word that a reason speaks of."""
_US = timedelta(microseconds=1)
_PROGRAM = "program.announced"
_ATTENDED = frozenset({"call", "meeting"})
STEP_WORDS = frozenset({"contract_status", "contract_signed", "auto_renew", "days_to_renewal"})
"""Words a step towards a renewal reads of its own contract, not of the one that renews next."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The steps of one anchor: (bit, step, beginning and end from the anchor in microseconds)."""

    steps: tuple[tuple[int, Step, int, int], ...]
    end: int
    bits: Bits


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A compiled policy, equal to itself alone. `rules` in order of their names; a rule's index is its bit in `fired`.

    `judge` tells the bits of rhythms, adjustments and blackouts; `entry_bits` and `feedback_bits` those of triggers and
    of feedback, for one entry of an event; `timelines` those of steps.
    """

    hash: str
    content: PolicyContent
    catalogue: Mapping[str, Touchpoint]
    rules: tuple[Rule, ...]
    bits: Mapping[str, int]
    rhythms: tuple[tuple[int, Rhythm], ...]
    adjustments: tuple[tuple[int, Adjustment], ...]
    blackouts: tuple[tuple[int, Blackout], ...]
    triggers: Mapping[str, tuple[tuple[int, Trigger], ...]]
    feedback: Mapping[str, tuple[tuple[int, Feedback], ...]]
    timelines: Mapping[Anchor, Timeline]
    limits: tuple[Limit, ...]
    one_off_types: frozenset[str]
    counted_types: frozenset[str]
    """Those, and the types that contact budgets count."""
    rhythm_bits: int
    """Of rhythms and adjustments: what decides, with wishes and feedback, which rhythms stand."""
    gives_way: bool
    """Some rhythm may be moved by wishes and feedback."""
    meetings: frozenset[str]
    """Touchpoint types that a customer attends or does not."""
    evaluate_conditions: ConditionFunction
    entry_bits: Mapping[str, Bits]
    feedback_bits: Mapping[str, Bits]
    entry_reads: Mapping[str, frozenset[str]]
    """Per event the words that rules on it read or speak of."""
    reads: frozenset[str]
    read_by: Mapping[str, tuple[str, ...]]
    """Per rule the words it reads, in the order they first appear."""
    day_counts: Mapping[str, tuple[int, ...] | None]
    longest_within: Mapping[str, int]
    """Per event, in microseconds: how far back an entry may lie and still matter to a trigger."""


def compile_policy(content: PolicyContent) -> Policy:
    """Compile checked content. Conditions are trusted to be sound (`language.checker`)."""
    rules = tuple(sorted(_rules(content), key=attrgetter("rule")))
    bits = {rule.rule: index for index, rule in enumerate(rules)}
    rhythms = tuple((bits[each.rule], each) for each in rules if isinstance(each, Rhythm))
    adjustments = tuple((bits[each.rule], each) for each in rules if isinstance(each, Adjustment))
    blackouts = tuple((bits[each.rule], each) for each in rules if isinstance(each, Blackout))
    triggers = _by_event(rules, bits, Trigger)
    feedback = _by_event(rules, bits, Feedback)
    return Policy(
        hash=policy_hash(content),
        content=content,
        catalogue={each.type: each for each in content.touchpoints},
        rules=rules,
        bits=bits,
        rhythms=rhythms,
        adjustments=adjustments,
        blackouts=blackouts,
        triggers=triggers,
        feedback=feedback,
        timelines=_timelines(content, rules, bits),
        limits=content.limits,
        one_off_types=(
            one_offs := frozenset(each.touchpoint for each in (*content.triggers, *content.steps))
        ),
        counted_types=one_offs.union(*(each.touchpoints for each in content.limits)),
        rhythm_bits=sum(1 << bit for bit, _ in (*rhythms, *adjustments)),
        gives_way=any(each.within is not None for each in content.rhythms),
        meetings=frozenset(each.type for each in content.touchpoints if each.channel in _ATTENDED),
        evaluate_conditions=_judge(content, (*rhythms, *adjustments, *blackouts)),
        entry_bits={event: _entry_bits(content, event, found) for event, found in triggers.items()},
        feedback_bits={event: _entry_bits(content, event, found) for event, found in feedback.items()},
        entry_reads=_entry_reads(rules),
        reads=frozenset(_reads(content)),
        read_by={each.rule: tuple(dict.fromkeys(names(condition_of(each)))) for each in rules},
        day_counts=day_counts(conditions(content)),
        longest_within={
            event: max(each.within for _, each in found) // _US for event, found in triggers.items()
        },
    )


def _judge(
    content: PolicyContent, standing: Sequence[tuple[int, Rhythm | Adjustment | Blackout]]
) -> ConditionFunction:
    wishes = [(bit, each.when) for bit, each in standing]
    return compile_conditions(content.health, content.segments, content.stages, wishes)


def _rules(content: PolicyContent) -> Iterable[Rule]:
    yield from content.rhythms
    yield from content.triggers
    yield from content.steps
    yield from content.adjustments
    yield from content.feedback
    yield from content.blackouts


_Told = TypeVar("_Told", Trigger, Feedback)


def _by_event(
    rules: Sequence[Rule], bits: Mapping[str, int], kind: type[_Told]
) -> dict[str, tuple[tuple[int, _Told], ...]]:
    found = [each for each in rules if isinstance(each, kind)]
    return {
        event: tuple((bits[each.rule], each) for each in found if each.on == event)
        for event in sorted({each.on for each in found})
    }


def _entry_bits(content: PolicyContent, event: str, found: Sequence[tuple[int, Trigger | Feedback]]) -> Bits:
    wishes = [(bit, condition_of(each)) for bit, each in found]
    return compile_bits(content.health, wishes, frozenset(EVENT_FEATURES[event]))


def _entry_reads(rules: Sequence[Rule]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for each in rules:
        if isinstance(each, Trigger | Feedback):
            found.setdefault(each.on, set()).update(
                names(condition_of(each)), PLACEHOLDER.findall(each.because)
            )
    return {event: frozenset(words) for event, words in found.items()}


def _timelines(
    content: PolicyContent, rules: Sequence[Rule], bits: Mapping[str, int]
) -> dict[Anchor, Timeline]:
    made: dict[Anchor, Timeline] = {}
    steps = [each for each in rules if isinstance(each, Step)]
    for anchor in ANCHORS:
        own = tuple(
            (bits[each.rule], each, each.days * DAY, each.days * DAY + each.within // _US)
            for each in sorted(steps, key=lambda each: (each.days, each.rule))
            if each.anchor == anchor
        )
        if own:
            wishes = [(bit, condition_of(each)) for bit, each, _, _ in own]
            evaluate_conditions = compile_bits(content.health, wishes, anchor_features(anchor))
            made[anchor] = Timeline(own, max(end for _, _, _, end in own), evaluate_conditions)
    return made


def anchor_features(anchor: Anchor) -> frozenset[str]:
    """Words that a step reads of what it is anchored at, laid over those of the account."""
    match anchor:
        case "renewal":
            return STEP_WORDS
        case "program":
            return frozenset(EVENT_FEATURES[_PROGRAM])
        case _:
            return frozenset()


def own_features(rule: Rule) -> frozenset[str]:
    """Words that a rule reads of the entry or the program it stands on, and not of the account."""
    if isinstance(rule, Trigger | Feedback):
        return frozenset(EVENT_FEATURES[rule.on])
    return anchor_features("program") if isinstance(rule, Step) and rule.anchor == "program" else frozenset()


def condition_of(rule: Rule) -> Node:
    """`when`, and not `unless` where the kind of rule has one."""
    unless = rule.unless if isinstance(rule, Trigger | Step) else None
    if unless is None:
        return rule.when
    return And((rule.when, Not(unless, unless.at)), rule.when.at)


def conditions(content: PolicyContent) -> Iterable[Node]:
    """Every condition of a policy."""
    for _, tree in (*content.segments, *content.stages):
        yield tree
    for rule in _rules(content):
        yield condition_of(rule)


def _reads(content: PolicyContent) -> Iterable[str]:
    """Words read of the account itself; those an event lays over them are not."""
    for _, tree in (*content.segments, *content.stages):
        yield from names(tree)
    for rule in _rules(content):
        yield from set(names(condition_of(rule))) - own_features(rule)


def policy_hash(content: PolicyContent) -> str:
    """sha256 (hex) of what the policy says; spacing, comments, places and the order of rules do not count."""
    said: dict[str, object] = {
        "health": [content.health.red_below, content.health.yellow_below],
        "segments": [(name, source(tree)) for name, tree in content.segments],
        "stages": [(name, source(tree)) for name, tree in content.stages],
        "damping": _said(content.damping),
        "limits": sorted(_said(each) for each in content.limits),
        "touchpoints": sorted(_said(each) for each in content.touchpoints),
        "rules": sorted([type(each).__name__, *_said(each)] for each in _rules(content)),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _said(value: object) -> list[str]:
    fields = cast("Mapping[str, object]", getattr(value, "__dataclass_fields__", {}))
    return [f"{name}={_text(getattr(value, name))}" for name in sorted(fields) if name != "place"]


def _text(value: object) -> str:
    if isinstance(value, timedelta):
        return repr(value.total_seconds())
    if is_dataclass(value):
        return ",".join(_said(value)) if hasattr(value, "per") else source(cast("Node", value))
    return repr(value)
