"""Build the content of a policy from its validated files."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from functools import cache
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any, TypeVar

import yaml

from services.cadence.expressions.compile import Health
from services.cadence.policy import model
from services.cadence.policy.conditions import is_among, joined
from services.cadence.policy.parse import Part, parts
from services.cadence.policy.rule_spec import Spec
from services.cadence.policy.scope import INTERNAL

Value = TypeVar("Value", bound=model.Touchpoint | model.Rule | model.Limit)


def build_content(files: Sequence[Part]) -> model.PolicyContent:
    """Rules come in the order of the sections, then of the files."""
    ((_, _, health),) = parts(files, "health")
    segments, stages, feedback = ([*parts(files, section)] for section in ("segments", "stages", "feedback"))
    touchpoints = tuple(map(_touchpoint, parts(files, "touchpoints")))
    damping = [(file, path, spec, spec.model_fields_set - {"rules"}) for file, path, spec in feedback]
    return model.PolicyContent(
        health=Health(health.red_below, health.yellow_below),
        segments=tuple((spec.segment, spec.when) for _, _, spec in segments),
        stages=tuple((spec.stage, spec.when) for _, _, spec in stages),
        touchpoints=touchpoints,
        rhythms=tuple(
            rhythm
            for section in ("rhythms", "minimum")
            for item in parts(files, section)
            for rhythm in _rhythms(item)
        ),
        triggers=tuple(_value(model.Trigger, item) for item in parts(files, "triggers")),
        steps=tuple(
            step
            for section in ("timelines", "sequences")
            for item in parts(files, section)
            for step in _steps(item)
        ),
        adjustments=tuple(_value(model.Adjustment, item) for item in parts(files, "adjustments")),
        feedback=tuple(_value(model.Feedback, item) for item in parts(feedback, "rules")),
        damping=model.Damping(**{key: getattr(spec, key) for _, _, spec, keys in damping for key in keys}),
        limits=tuple(_value(model.Limit, item) for item in parts(files, "limits")),
        blackouts=tuple(_value(model.Blackout, item) for item in parts(files, "blackouts")),
        places={
            **{f"segment/{path[1]}": file.place(path) for file, path, _ in segments},
            **{f"stage/{path[1]}": file.place(path) for file, path, _ in stages},
            **{str(path[0]): file.place(path) for file, path, _, keys in damping if keys},
        },
    )


def _value(kind: type[Value], item: Part, **others: Any) -> Value:
    """The value of an item: the keys that have the names of its fields, and others."""
    file, path, spec = item
    values: dict[str, Any] = {"place": file.place(path)}
    values |= {name: getattr(spec, name) for name in _shared_names(kind, spec.__class__)}
    return kind(**(values | others))


@cache
def _shared_names(kind: type[Value], spec: type[Spec]) -> list[str]:
    names = [field.name for field in fields(kind)]
    return [name for name in names if name in spec.model_fields or hasattr(spec, name)]


def _touchpoint(item: Part) -> model.Touchpoint:
    file, path, spec = item
    empty = {name: () for name in ("agenda", "audience") if getattr(spec, name) is None}
    topic = None if spec.topic == INTERNAL else spec.topic
    place = file.place(path, on_key=True)
    return _value(model.Touchpoint, item, type=path[-1], topic=topic, place=place, **empty)


def _rhythms(item: Part) -> Iterator[model.Rhythm]:
    """One, or one for each stage that `every` names."""
    file, path, spec = item
    others: dict[str, Any] = {"precedence": "floor", "fallback": True} if path[0] == "minimum" else {}
    for stage, days in spec.every.items():
        if stage:
            others["rule"] = f"{spec.rule}/{stage}"
            others["when"] = joined([is_among("stage", [stage])], spec.when)
            others["place"] = file.place((*path, "every", stage), on_key=True)
        yield _value(model.Rhythm, item, every_days=days, **others)


def _steps(timeline: Part) -> Iterator[model.Step]:
    """The steps of a timeline or a sequence, each until the next day with a step; those of a type are numbered."""
    steps = [step for item in parts([timeline], "steps") for step in _on_its_days(item, timeline[-1].anchor)]
    days = sorted({step.days for step in steps})
    until = {day: timedelta(days=following - day) for day, following in pairwise(days)}
    by_type = sorted(steps, key=attrgetter("touchpoint", "days", "rule"))
    for _, group in groupby(by_type, key=attrgetter("touchpoint")):
        for ordinal, step in enumerate(group):
            within = step.within or until.get(step.days, timedelta(days=7))
            yield replace(step, ordinal=ordinal, within=within)


def _on_its_days(item: Part, anchor: model.Anchor) -> Iterator[model.Step]:
    """One step, or one for each day of a list. Day 1 is the anchor's own day."""
    file, path, spec = item
    within = spec.within or timedelta(0)
    if path[0] == "timelines":
        yield _value(model.Step, item, days=spec.at, within=within, anchor=anchor)
        return
    _, written = file.nodes_at((*path, "day"))
    for day in spec.day:
        rule = f"{spec.rule}/day-{day}" if isinstance(written, yaml.SequenceNode) else spec.rule
        yield _value(model.Step, item, rule=rule, days=day - 1, within=within, anchor=anchor)
