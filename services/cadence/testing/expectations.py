"""Expectations of policy tests: what the plan has to hold at a moment, checked against the policy's own names."""

from collections.abc import Iterator
from typing import get_args

import yaml

from services.cadence.evaluation import SuppressionCause
from services.cadence.expressions.checker import did_you_mean
from services.cadence.features.registry import CHANNELS, COLORS, OWNERS, SEGMENTS, STAGES
from services.cadence.policy.values import span
from services.cadence.policy.yaml_source import shown
from services.cadence.testing.runner import (
    COUNT,
    PARTS,
    PRESENT,
    RHYTHM_KEYS,
    TOUCHPOINT_KEYS,
    Expected,
)
from services.cadence.testing.values import Desk, named, scalar

_PLACES = {"segment": SEGMENTS, "stage": STAGES, "color": (*COLORS, "none")}
_CAUSES: tuple[str, ...] = get_args(SuppressionCause)
_CHOICES = {
    "owner": OWNERS,
    "channel": CHANNELS,
    "urgency": ("soon", "spread"),
    "never_skip": ("true", "false"),
}
_MOMENTS = ("from", "to", "deadline")
_THERE = {"present": True, "absent": False}


def read_expected(desk: Desk, node: yaml.Node) -> Iterator[Expected]:
    """`expect`: what is not named is not looked at."""
    for part, value in desk.form(node, "expect", PARTS).items():
        if part in _PLACES:
            said = desk.sheet.choice(value, f"expect.{part}", _PLACES[part])
            yield Expected(part, "", {"is": said}, said, desk.place(value))
        elif part == "avoid":
            for each in desk.sheet.items(value, "expect.avoid"):
                known = ("pause", *(blackout.rule for _, blackout in desk.policy.blackouts))
                name = named(desk, each, "expect.avoid", known, "blackout of this policy, nor `pause`")
                yield Expected(part, name, {}, "", desk.place(each))
        else:
            for name, (key, each) in desk.sheet.pairs(value, f"expect.{part}").items():
                yield from _about(desk, part, key, name, each)


def _about(desk: Desk, part: str, key: yaml.Node, name: str, node: yaml.Node) -> Iterator[Expected]:
    where = f"expect.{part}.{name}"
    known = desk.policy.bits if part == "stopped" else desk.policy.catalogue
    if name not in known:
        what = "rule" if part == "stopped" else "touchpoint"
        hint = did_you_mean(name, known)
        desk.sheet.fault(key, f"expect.{part}", f"{shown(name)} is no {what} of this policy{hint}")
        return
    match part:
        case "stopped":
            cause = desk.sheet.choice(node, where, _CAUSES)
            yield Expected(part, name, {"cause": cause}, cause, desk.place(key))
        case "text":
            said = desk.sheet.text(node, where)
            yield Expected(part, name, {"text": said}, f"says {said!r}", desk.place(key))
        case _:
            yield Expected(part, name, _wanted(desk, part, where, node), _said(node), desk.place(key))


def _wanted(desk: Desk, part: str, where: str, node: yaml.Node) -> dict[str, object]:
    if isinstance(node, yaml.MappingNode):
        keys = RHYTHM_KEYS if part == "rhythms" else TOUCHPOINT_KEYS
        found = desk.form(node, where, keys)
        return {name: _attribute(desk, f"{where}.{name}", name, each) for name, each in found.items()}
    said = desk.sheet.text(node, where)
    if said in _THERE:
        return {PRESENT: _THERE[said]}
    if part == "rhythms":
        return {"every": _days(desk, node, where)}
    desk.sheet.fault(node, where, f"`present`, `absent` or a mapping is expected here, not {shown(said)}")
    return {}


def _attribute(desk: Desk, where: str, name: str, node: yaml.Node) -> object:
    if name in _MOMENTS:
        return desk.moment(node, where)
    if name in _CHOICES:
        said = desk.sheet.choice(node, where, _CHOICES[name])
        return said == "true" if name == "never_skip" else said
    if name == "every":
        return _days(desk, node, where)
    if name == "rule":
        return named(desk, node, where, desk.policy.bits, "rule of this policy")
    value = scalar(node)
    if name in {COUNT, "minutes"} and (not isinstance(value, int) or isinstance(value, bool)):
        desk.sheet.fault(node, where, "a whole number is expected here")
    return value


def _days(desk: Desk, node: yaml.Node, where: str) -> int | None:
    found = span(desk.sheet, node, where)
    return None if found is None else found.days


def _said(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return ", ".join(f"{key.value} {value.value}" for key, value in node.value)
    return str(node.value)
