"""Policy files: one YAML file or one flat folder of them becomes a policy, or a list of everything wrong with it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal, cast

import yaml

from services.rules_engine.adapters.policy_yaml import PolicyRefused, Sheet
from services.rules_engine.domain.compile import Health, Named, compile_condition
from services.rules_engine.domain.language.tree import Const, Node
from services.rules_engine.domain.policy import (
    PRECEDENCES,
    Content,
    Policy,
    Rhythm,
    Step,
    Touchpoint,
    Trigger,
    make_policy,
)
from services.rules_engine.domain.vocabulary.registry import (
    CHANNELS,
    ENTRY_WORDS,
    OWNERS,
    ROLES,
    SEGMENTS,
    STAGES,
    TOPICS,
    Word,
    scope,
)

SHIPPED = Path(__file__).parents[1] / "policies"
SECTIONS = ("health", "segments", "stages", "touchpoints", "rhythms", "triggers", "timelines")
_LED = ("owner", "channel")
_RULE = re.compile(r"[a-z][a-z0-9-]{0,63}")
_SLOT = re.compile(r"\{([^{}]*)\}")
_ROLE = {"role": Word("role", "choice", "Role of a contact", values=ROLES, nullable=False)}
_STEP_SLOTS = ("contract_id", "renews_on")
_WEEK = timedelta(days=7)

__all__ = ["SHIPPED", "PolicyRefused", "load_policy", "load_policy_texts"]


@dataclass(slots=True)
class _Draft:
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


def load_policy(path: Path) -> Policy:
    """Read a policy file, or the `*.yaml` of a flat folder. Raises `PolicyRefused` with every mistake at once."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise PolicyRefused([f"{path}: no *.yaml file in this folder"])
    texts: dict[str, str] = {}
    for file in files:
        try:
            texts[str(file)] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyRefused([f"{file}: cannot be read: {error}"]) from error
    return load_policy_texts(texts)


def load_policy_texts(texts: Mapping[str, str]) -> Policy:
    """File name -> YAML text, read as one policy. Raises `PolicyRefused`."""
    draft, errors, parts = _Draft(), list[tuple[str, int, int, str]](), 0
    sheets: list[tuple[Sheet, dict[str, yaml.Node]]] = []
    for file, source in sorted(texts.items()):
        sheet = Sheet(file, source, errors)
        root = sheet.compose()
        if root is not None:
            sheets.append((sheet, sheet.mapping(root, "", SECTIONS)))
        elif not errors:
            errors.append((file, 1, 1, "the file says nothing"))
    # Sections in order, over all files: rules name touchpoints, wherever these are described.
    for section in SECTIONS:
        for sheet, found in sheets:
            if section in found:
                sheet.parts = parts
                _READERS[section](sheet, found[section], draft)
                parts = sheet.parts
    for section in ("health", "segments", "stages", "touchpoints"):
        if not errors and section not in {name for _, found in sheets for name in found}:
            errors.append((min(texts), 1, 1, f"section {section!r} is missing"))
    if errors or draft.health is None:
        raise PolicyRefused(
            f"{file}:{line}:{column}: {told}" for file, line, column, told in sorted(set(errors))
        )
    return make_policy(
        Content(
            draft.health,
            tuple(draft.segments),
            tuple(draft.stages),
            tuple(draft.touchpoints.values()),
            tuple(draft.rhythms),
            tuple(draft.triggers),
            tuple(draft.steps),
        )
    )


def _once(sheet: Sheet, node: yaml.Node, draft: _Draft, section: str) -> None:
    if section in draft.seen:
        sheet.fault(node, section, f"already said in {draft.seen[section]}")
    draft.seen[section] = sheet.file


def _health(sheet: Sheet, node: yaml.Node, draft: _Draft) -> None:
    _once(sheet, node, draft, "health")
    keys = ("red_below", "yellow_below")
    found = sheet.mapping(node, "health", keys, keys)
    red, yellow = (sheet.number(found[key], f"health.{key}") if key in found else 0.0 for key in keys)
    if len(found) == 2 and not 0 <= red <= yellow <= 100:
        sheet.fault(node, "health", "expected 0 <= red_below <= yellow_below <= 100")
    draft.health = Health(red, yellow)


def _segments(sheet: Sheet, node: yaml.Node, draft: _Draft) -> None:
    _once(sheet, node, draft, "segments")
    words = {name: word for name, word in scope().items() if name not in {"segment", "stage"}}
    draft.segments = _first_match(sheet, node, "segment", SEGMENTS, words)


def _stages(sheet: Sheet, node: yaml.Node, draft: _Draft) -> None:
    _once(sheet, node, draft, "stages")
    words = {name: word for name, word in scope().items() if name != "stage"}
    draft.stages = _first_match(sheet, node, "stage", STAGES, words)


def _first_match(
    sheet: Sheet, node: yaml.Node, key: str, known: Iterable[str], words: Mapping[str, Word]
) -> list[Named]:
    made: list[Named] = []
    for each in sheet.items(node, f"{key}s"):
        found = sheet.mapping(each, key, (key, "when"), (key, "when"))
        if len(found) == 2:
            name = sheet.choice(found[key], key, known)
            made.append((name, sheet.condition(found["when"], f"{name}.when", words)))
    if made and not (isinstance(made[-1][1], Const) and made[-1][1].value is True) and not sheet.errors:
        sheet.fault(node, f"{key}s", f"the last {key} takes what is left: give it `when: true`")
    if not made:
        sheet.fault(node, f"{key}s", f"at least one {key} is needed")
    return made


def _touchpoints(sheet: Sheet, node: yaml.Node, draft: _Draft) -> None:
    required = ("topic", "owner", "channel", "purpose", "minutes")
    for name, each in sheet.mapping(node, "touchpoints", None).items():
        found = sheet.mapping(each, name, (*required, "audience"), required)
        if name in draft.touchpoints:
            sheet.fault(each, name, "this touchpoint is described twice")
        if not set(required) <= found.keys():
            draft.touchpoints[name] = Touchpoint(name, None, "", "", "", 0)
            continue
        topic = sheet.choice(found["topic"], f"{name}.topic", (*TOPICS, "internal"))
        draft.touchpoints[name] = Touchpoint(
            name,
            None if topic == "internal" else topic,
            sheet.choice(found["owner"], f"{name}.owner", OWNERS),
            sheet.choice(found["channel"], f"{name}.channel", CHANNELS),
            sheet.text(found["purpose"], f"{name}.purpose"),
            int(sheet.number(found["minutes"], f"{name}.minutes")),
            _audience(sheet, found.get("audience"), name),
        )


def _audience(sheet: Sheet, node: yaml.Node | None, name: str) -> tuple[str, ...]:
    if node is None:
        return ()
    invited = compile_condition(sheet.condition(node, f"{name}.audience", _ROLE))
    return tuple(role for role in ROLES if invited({"role": role}))


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
    sheet: Sheet, node: yaml.Node, draft: _Draft, keys: tuple[str, ...], words: Mapping[str, Word]
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


def _rhythms(sheet: Sheet, node: yaml.Node, draft: _Draft) -> None:
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


def _triggers(sheet: Sheet, node: yaml.Node, draft: _Draft) -> None:
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


def _timelines(sheet: Sheet, node: yaml.Node, draft: _Draft) -> None:
    for each in sheet.items(node, "timelines"):
        found = sheet.mapping(each, "timeline", ("anchor", "steps"), ("anchor", "steps"))
        if len(found) == 2:
            sheet.choice(found["anchor"], "anchor", ("renewal",))
            _steps(sheet, found["steps"], draft)


def _steps(sheet: Sheet, node: yaml.Node, draft: _Draft) -> None:
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


_READERS = {
    "health": _health,
    "segments": _segments,
    "stages": _stages,
    "touchpoints": _touchpoints,
    "rhythms": _rhythms,
    "triggers": _triggers,
    "timelines": _timelines,
}
