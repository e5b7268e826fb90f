"""A compiled policy: its rules with their bits, its conditions as functions, and its hash."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from datetime import timedelta
from operator import attrgetter
from typing import TypeVar, cast

from schemas.times import USUAL_QUIET_HOURS
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
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.features.view import FeatureSettings
from services.cadence.policy.conditions import TRUE
from services.cadence.policy.model import (
    ANCHORS,
    PERSONS,
    Adjustment,
    Anchor,
    Blackout,
    Damping,
    Feedback,
    Limit,
    PolicyContent,
    Rhythm,
    Rule,
    Step,
    Touchpoint,
    Trigger,
)
from services.cadence.rates import USUAL_CURRENCY

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
"""A feature in the text of a reason."""
_MICROSECOND = timedelta(microseconds=1)
_ATTENDED = frozenset({"call", "meeting"})
_OF_CONTRACT = frozenset({
    "contract_status", "contract_state", "contract_signed", "contract_settled", "auto_renew", "term_days",
    "days_to_renewal", "days_to_notice",
})  # fmt: skip
_OF_ANCHOR: Mapping[Anchor, frozenset[str]] = {
    "renewal": _OF_CONTRACT,
    "notice": _OF_CONTRACT,
    "program": frozenset(EVENT_FEATURES["program.announced"]),
}
"""Of a renewal, a step reads that contract, not the one that leads."""
CONTRACT_ANCHORS = frozenset[Anchor]({"renewal", "notice"})
EventRule = TypeVar("EventRule", Trigger, Feedback)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The steps of one anchor: (bit, step, begin and end in microseconds from the anchor)."""

    steps: tuple[tuple[int, Step, int, int], ...]
    end: int
    bits: Bits


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A compiled policy, equal to itself alone. `rules` are sorted by name; a rule's index is its bit.

    `evaluate_conditions` returns the bits of rhythms, adjustments and blackouts; `entry_bits` and `feedback_bits` those
    of triggers and feedback for one entry of an event, `timelines` those of steps.
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
    rhythm_bits: int
    """Of rhythms and adjustments, which with preferences and feedback decide the rhythms of an account."""
    gives_way: bool
    """Preferences and feedback may move some rhythm."""
    feature_settings: FeatureSettings
    evaluate_conditions: ConditionFunction
    entry_bits: Mapping[str, Bits]
    feedback_bits: Mapping[str, Bits]
    entry_reads: Mapping[str, frozenset[str]]
    """Per event, the features in conditions and reasons of the rules on it."""
    reads: frozenset[str]
    read_by: Mapping[str, tuple[str, ...]]
    """Per rule, the features it reads, in the order they first appear."""
    day_counts: Mapping[str, tuple[int, ...] | None]
    longest_within: Mapping[str, int]
    """Per event, in microseconds: how far back an entry may be and still matter to a trigger."""


def compile_policy(content: PolicyContent) -> Policy:
    """Compile the content of a policy, whose conditions have passed `expressions.checker.check`."""
    rules = tuple(sorted(content.rules, key=attrgetter("rule")))
    rhythms = tuple((bit, rule) for bit, rule in enumerate(rules) if isinstance(rule, Rhythm))
    adjustments = tuple((bit, rule) for bit, rule in enumerate(rules) if isinstance(rule, Adjustment))
    blackouts = tuple((bit, rule) for bit, rule in enumerate(rules) if isinstance(rule, Blackout))
    triggers, feedback = _by_event(rules, Trigger), _by_event(rules, Feedback)
    only = content.only_segment
    segments = content.segments if only is None else ((only, TRUE),)
    lasting = [(bit, rule.when) for bit, rule in (*rhythms, *adjustments, *blackouts)]
    return Policy(
        hash=policy_hash(content),
        content=content,
        catalogue={touchpoint.type: touchpoint for touchpoint in content.touchpoints},
        rules=rules,
        bits={rule.rule: bit for bit, rule in enumerate(rules)},
        rhythms=rhythms,
        adjustments=adjustments,
        blackouts=blackouts,
        triggers=triggers,
        feedback=feedback,
        timelines=dict(_timelines(content, rules)),
        limits=content.limits,
        rhythm_bits=sum(1 << bit for bit, _ in (*rhythms, *adjustments)),
        gives_way=any(rhythm.within is not None for rhythm in content.rhythms),
        feature_settings=_feature_settings(content),
        evaluate_conditions=compile_conditions(content.health, segments, content.stages, lasting),
        entry_bits=_entry_bits(content, triggers),
        feedback_bits=_entry_bits(content, feedback),
        entry_reads=_entry_reads(rules),
        reads=frozenset(_reads(content)),
        read_by={rule.rule: tuple(dict.fromkeys(names(condition_of(rule)))) for rule in rules},
        day_counts=day_counts(conditions(content)),
        longest_within={
            event: max(rule.within for _, rule in on) // _MICROSECOND for event, on in triggers.items()
        },
    )


def _by_event(rules: Sequence[Rule], kind: type[EventRule]) -> dict[str, tuple[tuple[int, EventRule], ...]]:
    own = [(bit, rule) for bit, rule in enumerate(rules) if isinstance(rule, kind)]
    events = sorted({rule.on for _, rule in own})
    return {event: tuple((bit, rule) for bit, rule in own if rule.on == event) for event in events}


def _entry_bits(
    content: PolicyContent, rules: Mapping[str, Sequence[tuple[int, Trigger | Feedback]]]
) -> dict[str, Bits]:
    return {
        event: compile_bits(
            content.health, [(bit, condition_of(rule)) for bit, rule in on], frozenset(EVENT_FEATURES[event])
        )
        for event, on in rules.items()
    }


def _entry_reads(rules: Sequence[Rule]) -> dict[str, frozenset[str]]:
    reads = defaultdict[str, frozenset[str]](frozenset)
    for rule in rules:
        if isinstance(rule, Trigger | Feedback):
            reads[rule.on] |= {*names(condition_of(rule)), *PLACEHOLDER.findall(rule.because)}
    return dict(reads)


def _timelines(content: PolicyContent, rules: Sequence[Rule]) -> Iterator[tuple[Anchor, Timeline]]:
    steps = [(bit, rule) for bit, rule in enumerate(rules) if isinstance(rule, Step)]
    for anchor in ANCHORS:
        own = [(bit, step, step.days * DAY) for bit, step in steps if step.anchor == anchor]
        timed = [(bit, step, begin, begin + step.within // _MICROSECOND) for bit, step, begin in own]
        if timed:
            trees = [(bit, condition_of(step)) for bit, step, *_ in timed]
            function = compile_bits(content.health, trees, anchor_features(anchor))
            by_day = tuple(sorted(timed, key=lambda step: (step[2], step[0])))
            yield anchor, Timeline(by_day, max(end for *_, end in timed), function)


def anchor_features(anchor: Anchor) -> frozenset[str]:
    """Features that a step reads of its anchor, before those of the account."""
    return _OF_ANCHOR.get(anchor, frozenset())


def own_features(rule: Rule) -> frozenset[str]:
    """Features that a rule reads of its event or its program, and not of the account."""
    if isinstance(rule, Trigger | Feedback):
        return frozenset(EVENT_FEATURES[rule.on])
    return anchor_features("program") if isinstance(rule, Step) and rule.anchor == "program" else frozenset()


def condition_of(rule: Rule) -> Node:
    """`when`, and not `unless` where the rule has one."""
    unless = rule.unless if isinstance(rule, Trigger | Step) else None
    return rule.when if unless is None else And((rule.when, Not(unless, unless.at)), rule.when.at)


def conditions(content: PolicyContent) -> Iterable[Node]:
    """Every condition of a policy."""
    yield from (tree for _, tree in (*content.segments, *content.stages))
    yield from map(condition_of, content.rules)


def _reads(content: PolicyContent) -> Iterable[str]:
    """Features read of the account itself."""
    for _, tree in (*content.segments, *content.stages):
        yield from names(tree)
    for rule in content.rules:
        yield from set(names(condition_of(rule))) - own_features(rule)


def _feature_settings(content: PolicyContent) -> FeatureSettings:
    return FeatureSettings(
        frozenset(kind.type for kind in content.touchpoints if kind.channel in _ATTENDED),
        frozenset(_impersonal(content)),
        content.damping.round // _MICROSECOND,
        content.currency,
    )


def _impersonal(content: PolicyContent) -> Iterator[str]:
    one_offs: Sequence[Rhythm | Trigger | Step] = (*content.rhythms, *content.triggers, *content.steps)
    led = {rule.touchpoint for rule in one_offs if rule.owner in PERSONS}
    for kind in content.touchpoints:
        if kind.topic is None or kind.group or not (kind.owner in PERSONS or kind.type in led):
            yield kind.type


def policy_hash(content: PolicyContent) -> str:
    """sha256 (64 hex digits) of the content; spacing, comments, places and the order of rules do not count."""
    hashed: dict[str, object] = {
        "health": [content.health.red_below, content.health.yellow_below],
        "segments": [(name, source(tree)) for name, tree in content.segments],
        "stages": [(name, source(tree)) for name, tree in content.stages],
        "damping": [text for text in _fields(content.damping) if text != _USUAL_ROUND],
        "limits": sorted(map(_fields, content.limits)),
        "touchpoints": sorted(map(_fields, content.touchpoints)),
        "rules": sorted([type(rule).__name__, *_fields(rule)] for rule in content.rules),
    }
    if content.currency != USUAL_CURRENCY:
        hashed["currency"] = content.currency
    if content.only_segment is not None:
        hashed["model"] = content.model
    if content.quiet_hours != USUAL_QUIET_HOURS:
        hashed["quiet_hours"] = content.quiet_hours.model_dump()
    if content.send_window is not None:
        hashed["send_window"] = content.send_window.model_dump()
    if content.contact_budgets:
        hashed["contact_budgets"] = sorted(map(_fields, content.contact_budgets))
    if content.holidays:
        hashed["holidays"] = sorted(record.model_dump_json() for record in content.holidays)
    if content.texts:
        hashed["content"] = {name.path: text for name, text in content.texts.items()}
    return hashlib.sha256(json.dumps(hashed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _fields(value: object) -> list[str]:
    fields = cast("Mapping[str, object]", getattr(value, "__dataclass_fields__", {}))
    # A key that came later counts only where it is used: a policy without it keeps its hash.
    later: dict[str, object] = {
        "group": False, "rrule": None, "folds_into": (), "yields": None, "invite": None, "remind": (),
        "misfire": None, "grace": None, "send_window": None,
        "approve": False, "approve_within": None, "hand_off": None, "share": None,
    }  # fmt: skip
    if isinstance(value, Trigger | Step):
        later["precedence"] = "default"
    parts = [(name, getattr(value, name)) for name in sorted(fields) if name != "place"]
    return [f"{name}={_text(part)}" for name, part in parts if name not in later or part != later[name]]


def _text(value: object) -> str:
    if isinstance(value, timedelta):
        return repr(value.total_seconds())
    if is_dataclass(value):
        return ",".join(_fields(value)) if hasattr(value, "per") else source(cast("Node", value))
    return repr(value)


_USUAL_ROUND = f"round={_text(Damping().round)}"
