"""A policy as a document for people: every section, with conditions as text and what a rule leaves out filled in."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, timedelta
from itertools import product

from schemas.times import SendWindow
from services.cadence.expressions.compile import Named
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.tree import And, Node, Not, Or, flat_parts, names
from services.cadence.policy import model
from services.cadence.policy.model import PolicyContent, Rule

Json = dict[str, object]


def policy_document(content: PolicyContent) -> Json:
    """Sections by name. `segments` and `stages` of a rule are those it can hold in, `when` is what else has to hold."""

    def rules(section: Iterable[Rule]) -> list[Json]:
        return [_rule(rule, content) for rule in section]

    return {
        "health": {"red_below": content.health.red_below, "yellow_below": content.health.yellow_below},
        "model": content.model,
        "segments": _named("segment", content.segments, content),
        "stages": _named("stage", content.stages, content),
        "currency": content.currency,
        "quiet_hours": content.quiet_hours.model_dump(by_alias=True),
        "send_window": _send_window(content.send_window),
        "rhythms": rules(content.rhythms),
        "adjustments": rules(content.adjustments),
        "feedback": {**_fields(content.damping), "rules": rules(content.feedback)},
        "triggers": rules(content.triggers),
        "steps": rules(content.steps),
        "limits": [{**_fields(limit, "cap"), **_cap(limit.cap)} for limit in content.limits],
        "contact_budgets": [
            {**_fields(budget, "cap", "per"), "whose": budget.per, **_cap(budget.cap)}
            for budget in content.contact_budgets
        ],
        "blackouts": rules(content.blackouts),
        "holidays": [record.model_dump() for record in content.holidays],
        "touchpoints": [_fields(touchpoint) for touchpoint in content.touchpoints],
    }


def _named(kind: str, options: Iterable[Named], content: PolicyContent) -> list[Json]:
    places, nowhere = content.places, model.Location()
    return [
        {"name": name, "when": format_expression(when), **places.get(f"{kind}/{index}", nowhere)._asdict()}
        for index, (name, when) in enumerate(options)
    ]


def _rule(rule: Rule, content: PolicyContent) -> Json:
    options = [dict.fromkeys(name for name, _ in named) for named in (content.segments, content.stages)]
    pairs = [
        (segment, stage)
        for segment, stage in product(*options)
        if _truth(rule.when, {"segment": segment, "stage": stage}) is not False
    ]
    segments, stages = ([name for name in own if any(name in pair for pair in pairs)] for own in options)
    is_rectangle = len(pairs) == len(segments) * len(stages)
    shown = _fields(rule, "ordinal", "first", "last") | {
        "segments": segments,
        "stages": stages,
        "when": _rest(rule.when) if is_rectangle else format_expression(rule.when),
    }
    if isinstance(rule, model.Blackout):
        shown |= {"from": _season_day(rule.first), "to": _season_day(rule.last)}
    elif isinstance(rule, model.Rhythm | model.Trigger | model.Step):
        usual = next(touchpoint for touchpoint in content.touchpoints if touchpoint.type == rule.touchpoint)
        shown |= {"owner": rule.owner or usual.owner, "channel": rule.channel or usual.channel}
    return shown


def _season_day(day: model.SeasonDay) -> str:
    return day.isoformat() if isinstance(day, date) else "{:02}-{:02}".format(*day)


def _truth(node: Node, state: Mapping[str, str]) -> bool | None:
    """The truth of a condition in a segment and a stage; None: it depends on more."""
    if state.keys() >= set(names(node)):
        return holds(node, state)
    match node:
        case Not(item=item):
            inner = _truth(item, state)
            return None if inner is None else not inner
        case And(parts=parts) | Or(parts=parts):
            decides = isinstance(node, Or)
            truths = {_truth(part, state) for part in parts}
            return decides if decides in truths else None if None in truths else not decides
        case _:
            return None


def _rest(node: Node) -> str | None:
    """The condition without the parts that read segment and stage alone; None when nothing is left."""
    left = [part for part in flat_parts(node, And) if not {"segment", "stage"} >= set(names(part))]
    return format_expression(left[0] if len(left) == 1 else And(tuple(left), node.at)) if left else None


def _send_window(window: SendWindow | None) -> Json | None:
    return None if window is None else window.model_dump(by_alias=True)


def _fields(
    value: Rule | model.Limit | model.ContactBudget | model.Touchpoint | model.Damping, *hidden: str
) -> Json:
    """What a value says, field by field; its place as file and line."""
    shown = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in hidden}
    place = shown.pop("place", None)
    return {name: _written(field) for name, field in shown.items()} | (place._asdict() if place else {})


def _written(value: object) -> object:
    if isinstance(value, timedelta):
        return span(value)
    if isinstance(value, model.Cap):
        return _cap(value)
    if isinstance(value, SendWindow):
        return _send_window(value)
    return format_expression(value) if isinstance(value, Node) else value


def _cap(cap: model.Cap) -> Json:
    return {"at_most": cap.count, "per": span(cap.per)}


def span(length: timedelta) -> str:
    """As it is written in a policy: `14d`, `36h`."""
    hours = int(length.total_seconds() // 3600)
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"
