"""A policy as a document for people: every section, with conditions in words and what a rule leaves out filled in."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import product
from typing import Final

from services.cadence.expressions.format import format_expression
from services.cadence.expressions.tree import (
    And,
    Compare,
    Const,
    Membership,
    Name,
    Node,
    Not,
    Or,
    names,
)
from services.cadence.policy import (
    Adjustment,
    Blackout,
    Cap,
    Feedback,
    Limit,
    Location,
    PolicyContent,
    Rhythm,
    Step,
    Touchpoint,
    Trigger,
)

Json = dict[str, object]
_WORDS: Final = ("segment", "stage")


def policy_document(content: PolicyContent) -> Json:
    """Sections by name. `segments` and `stages` of a rule are those it can hold in; `when` is what else it asks."""
    catalogue = {each.type: each for each in content.touchpoints}
    names = tuple(
        tuple(dict.fromkeys(name for name, _ in named)) for named in (content.segments, content.stages)
    )
    told = _Teller(names, catalogue)
    damping = content.damping
    return {
        "health": {"red_below": content.health.red_below, "yellow_below": content.health.yellow_below},
        "segments": _named(content, "segment"),
        "stages": _named(content, "stage"),
        "rhythms": [told.rhythm(each) for each in content.rhythms],
        "adjustments": [told.move(each) for each in content.adjustments],
        "feedback": {
            "ladder": damping.ladder,
            "spacing": span(damping.spacing),
            "lasts": span(damping.lasts),
            "at_the_end": damping.at_the_end,
            "rules": [told.move(each) for each in content.feedback],
        },
        "triggers": [told.trigger(each) for each in content.triggers],
        "steps": [told.step(each) for each in content.steps],
        "limits": [_limit(each) for each in content.limits],
        "blackouts": [told.blackout(each) for each in content.blackouts],
        "touchpoints": [_touchpoint(each) for each in content.touchpoints],
    }


def span(length: timedelta | None) -> str | None:
    """As it is written in a policy: `14d`, `36h`."""
    if length is None:
        return None
    hours = int(length.total_seconds() // 3600)
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"


class _Teller:
    """Rules as objects: what they do not say themselves comes from the catalogue, or from where they can hold."""

    def __init__(self, names: Sequence[tuple[str, ...]], catalogue: Mapping[str, Touchpoint]) -> None:
        self._names = names
        self._catalogue = catalogue

    def rhythm(self, each: Rhythm) -> Json:
        return {
            **self._asks(each),
            "every_days": each.every_days,
            "within": each.within,
            "urgency": each.urgency,
            "precedence": each.precedence,
            "any_contact": each.any_contact,
            "fallback": each.fallback,
        }

    def trigger(self, each: Trigger) -> Json:
        return {
            **self._asks(each),
            "on": each.on,
            "unless": None if each.unless is None else format_expression(each.unless),
            "after": span(each.after),
            "within": span(each.within),
            "deadline": span(each.deadline),
            "cooldown": span(each.cooldown),
            "cap": None if each.cap is None else _cap(each.cap),
        }

    def step(self, each: Step) -> Json:
        return {
            **self._asks(each),
            "anchor": each.anchor,
            "days": each.days,
            "unless": None if each.unless is None else format_expression(each.unless),
            "within": span(each.within),
            "deadline": span(each.deadline),
        }

    def move(self, each: Adjustment | Feedback) -> Json:
        heard: Json = {"on": each.on} if isinstance(each, Feedback) else {}
        return {**self._holds(each), **heard, "touchpoints": each.touchpoints, "steps": each.steps}

    def blackout(self, each: Blackout) -> Json:
        first, last = (f"{month:02}-{day:02}" for month, day in (each.first, each.last))
        return {**self._holds(each), "from": first, "to": last, "touchpoints": each.touchpoints}

    def _asks(self, each: Rhythm | Trigger | Step) -> Json:
        usual = self._catalogue[each.touchpoint]
        return {
            **self._holds(each),
            "touchpoint": each.touchpoint,
            "owner": each.owner or usual.owner,
            "channel": each.channel or usual.channel,
        }

    def _holds(self, each: Rhythm | Trigger | Step | Adjustment | Feedback | Blackout) -> Json:
        segments, stages = self._names
        pairs = [
            pair
            for pair in product(segments, stages)
            if _truth(each.when, dict(zip(_WORDS, pair, strict=True))) is not False
        ]
        held = [name for name in segments if any(name == segment for segment, _ in pairs)]
        at = [name for name in stages if any(name == stage for _, stage in pairs)]
        whole = len(pairs) == len(held) * len(at)
        return {
            "rule": each.rule,
            "segments": held,
            "stages": at,
            "when": _rest(each.when) if whole else format_expression(each.when),
            "because": each.because,
            **_at(each.place),
        }


def _truth(node: Node, known: Mapping[str, str]) -> bool | None:
    """What the condition comes to where only segment and stage are known; None: it depends on more."""
    match node:
        case Const(value=bool() as value):
            return value
        case Compare(op="==" | "!=" as op, left=Name(name=name), right=Const(value=value)) if name in known:
            return (known[name] == value) == (op == "==")
        case Membership(item=Name(name=name), values=values) if name in known:
            return known[name] in {each.value for each in values}
        case Not(item=item):
            inner = _truth(item, known)
            return None if inner is None else not inner
        case And(parts=parts):
            return _together(parts, known, decides=False)
        case Or(parts=parts):
            return _together(parts, known, decides=True)
        case _:
            return None


def _together(parts: Sequence[Node], known: Mapping[str, str], *, decides: bool) -> bool | None:
    """Of several: one that `decides` does so for all."""
    found = [_truth(each, known) for each in parts]
    if decides in found:
        return decides
    return None if None in found else not decides


def _rest(node: Node) -> str | None:
    """The condition without the parts that only tell segments and stages; None when nothing is left."""
    parts = _flat(node)
    left = [each for each in parts if not {*names(each)} <= {*_WORDS}]
    return format_expression(left[0] if len(left) == 1 else And(tuple(left), node.at)) if left else None


def _flat(node: Node) -> list[Node]:
    if isinstance(node, And):
        return [inner for part in node.parts for inner in _flat(part)]
    return [node]


def _named(content: PolicyContent, kind: str) -> list[Json]:
    return [
        {
            "name": name,
            "when": format_expression(when),
            **_at(content.places.get(f"{kind}/{index}", Location())),
        }
        for index, (name, when) in enumerate(content.segments if kind == "segment" else content.stages)
    ]


def _limit(each: Limit) -> Json:
    return {
        "rule": each.rule,
        **_cap(each.cap),
        "touchpoints": each.touchpoints,
        "because": each.because,
        **_at(each.place),
    }


def _cap(cap: Cap) -> Json:
    return {"at_most": cap.count, "per": span(cap.per)}


def _touchpoint(each: Touchpoint) -> Json:
    return {
        "type": each.type,
        "purpose": each.purpose,
        "aim": each.aim,
        "expects": each.expects,
        "agenda": each.agenda,
        "topic": each.topic,
        "owner": each.owner,
        "channel": each.channel,
        "minutes": each.minutes,
        "audience": each.audience,
        "never_skip": each.never_skip,
        **_at(each.place),
    }


def _at(place: Location) -> Json:
    return {"file": place.file, "line": place.line}
