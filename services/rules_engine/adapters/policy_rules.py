"""Rules of a policy file: rhythms, triggers and timelines, read into the draft of a policy."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, cast

import yaml

from services.rules_engine.adapters.policy_yaml import Sheet
from services.rules_engine.domain.compile import Health, Named
from services.rules_engine.domain.language.tree import Const, Node
from services.rules_engine.domain.policy import PRECEDENCES, Rhythm, Step, Touchpoint, Trigger
from services.rules_engine.domain.vocabulary.registry import CHANNELS, ENTRY_WORDS, OWNERS, Word, scope

_LED = ("owner", "channel")
_RULE = re.compile(r"[a-z][a-z0-9-]{0,63}")
_SLOT = re.compile(r"\{([^{}]*)\}")
_STEP_SLOTS = ("contract_id", "renews_on")
_WEEK = timedelta(days=7)


@dataclass(slots=True)
class Draft:
    """What has been read of a policy, over all its files."""

    health: Health | None = None
    segments: list[Named] = field(default_factory=list[Named])
    stages: list[Named] = field(default_factory=list[Named])
    touchpoints: dict[str, Touchpoint] = field(default_factory=dict[str, Touchpoint])
    rhythms: list[Rhythm] = field(default_factory=list[Rhythm])
    triggers: list[Trigger] = field(default_factory=list[Trigger])
    steps: list[Step] = field(default_factory=list[Step])
    rules: dict[str, str] = field(default_factory=dict[str, str])
    seen: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class _Rule:
    """What rules of every kind have in common."""

    rule: str
    touchpoint: str
    because: str
    when: Node
    unless: Node | None
    owner: str | None
    channel: str | None
    nodes: Mapping[str, yaml.Node]


def _rule(
    sheet: Sheet, node: yaml.Node, draft: Draft, keys: tuple[str, ...], words: Mapping[str, Word]
) -> _Rule | None:
    """`keys`: the kind's own, required unless they end in `?`."""
    own = [key.rstrip("?") for key in keys]
    required = ("rule", "touchpoint", "because", *(key for key in keys if not key.endswith("?")))
    found = sheet.mapping(node, "rule", ("rule", "touchpoint", "because", "when", *own, *_LED), required)
    if not set(required) <= found.keys():
        return None
    name = sheet.text(found["rule"], "rule")
    if not _RULE.fullmatch(name):
        sheet.fault(found["rule"], name, "a rule is named in lower case, digits and dashes")
    if name in draft.rules:
        sheet.fault(found["rule"], name, f"this rule stands already in {draft.rules[name]}")
    draft.rules[name] = sheet.file
    because = sheet.text(found["because"], f"{name}.because")
    for slot in _SLOT.findall(because):
        if slot not in words and slot not in _STEP_SLOTS:
            sheet.fault(found["because"], f"{name}.because", f"unknown field {slot!r} in braces")
    conditions = {
        key: sheet.condition(found[key], f"{name}.{key}", words) for key in ("when", "unless") if key in found
    }
    return _Rule(
        name,
        sheet.choice(found["touchpoint"], f"{name}.touchpoint", draft.touchpoints),
        because,
        conditions.get("when", Const(value=True, at=0)),
        conditions.get("unless"),
        sheet.choice(found["owner"], f"{name}.owner", OWNERS) if "owner" in found else None,
        sheet.choice(found["channel"], f"{name}.channel", CHANNELS) if "channel" in found else None,
        found,
    )


def read_rhythms(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    for each in sheet.items(node, "rhythms"):
        keys = ("every", "urgency?", "precedence?", "any_contact?")
        rule = _rule(sheet, each, draft, keys, scope())
        if rule is None:
            continue
        every = sheet.span(rule.nodes["every"], f"{rule.rule}.every")
        if every < timedelta(days=1) or every % timedelta(days=1):
            sheet.fault(rule.nodes["every"], f"{rule.rule}.every", "a rhythm is a whole number of days")
        urgency = _chosen(sheet, rule, "urgency", ("spread", "soon"))
        draft.rhythms.append(
            Rhythm(
                rule.rule,
                rule.touchpoint,
                every.days,
                rule.when,
                rule.because,
                cast("Literal['soon', 'spread']", urgency),
                _chosen(sheet, rule, "precedence", PRECEDENCES),
                rule.owner,
                rule.channel,
                _chosen(sheet, rule, "any_contact", ("false", "true")) == "true",
            )
        )


def _chosen(sheet: Sheet, rule: _Rule, key: str, known: tuple[str, ...]) -> str:
    """A choice that may be left out: then the first."""
    return sheet.choice(rule.nodes[key], f"{rule.rule}.{key}", known) if key in rule.nodes else known[0]


def _span(sheet: Sheet, rule: _Rule, key: str) -> timedelta | None:
    return sheet.span(rule.nodes[key], f"{rule.rule}.{key}") if key in rule.nodes else None


def read_triggers(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    for each in sheet.items(node, "triggers"):
        found = {key.value: value for key, value in each.value} if isinstance(each, yaml.MappingNode) else {}
        event = sheet.choice(found["on"], "on", ENTRY_WORDS) if "on" in found else ""
        words = scope(event if event in ENTRY_WORDS else None)
        keys = ("on", "within", "unless?", "deadline?", "cooldown?")
        rule = _rule(sheet, each, draft, keys, words)
        if rule is None or event not in ENTRY_WORDS:
            continue
        draft.triggers.append(
            Trigger(
                rule.rule,
                event,
                rule.touchpoint,
                rule.when,
                rule.because,
                _span(sheet, rule, "within") or _WEEK,
                rule.unless,
                _span(sheet, rule, "deadline"),
                _span(sheet, rule, "cooldown"),
                rule.owner,
                rule.channel,
            )
        )


def read_timelines(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    for each in sheet.items(node, "timelines"):
        found = sheet.mapping(each, "timeline", ("anchor", "steps"), ("anchor", "steps"))
        if len(found) == 2:
            sheet.choice(found["anchor"], "anchor", ("renewal",))
            _steps(sheet, found["steps"], draft)


def _steps(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    rules: list[tuple[int, _Rule]] = []
    for each in sheet.items(node, "steps"):
        rule = _rule(sheet, each, draft, ("at", "unless?", "within?", "deadline?"), scope())
        if rule is not None:
            rules.append((sheet.span(rule.nodes["at"], f"{rule.rule}.at").days, rule))
    days = sorted(at for at, _ in rules)
    for at, rule in rules:
        later = next((day for day in days if day > at), None)
        until_next = _WEEK if later is None else timedelta(days=later - at)
        draft.steps.append(
            Step(
                rule.rule,
                rule.touchpoint,
                at,
                _span(sheet, rule, "within") or until_next,
                rule.when,
                rule.because,
                rule.unless,
                _span(sheet, rule, "deadline"),
                rule.owner,
                rule.channel,
            )
        )
