"""Build the content of a policy from its validated files."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from itertools import chain, groupby, pairwise
from operator import attrgetter
from typing import Any, TypeVar

import yaml

from schemas.directory import HolidayRecord
from schemas.times import USUAL_QUIET_HOURS, QuietHours
from services.cadence.expressions.compile import Health
from services.cadence.policy import model
from services.cadence.policy.conditions import is_among, joined
from services.cadence.policy.parse import Part, parts
from services.cadence.policy.scope import INTERNAL
from services.cadence.rates import USUAL_CURRENCY

Value = TypeVar("Value", bound=model.Touchpoint | model.Rule | model.Limit | model.ContactBudget)


def build_content(files: Sequence[Part]) -> model.PolicyContent:
    """Rules come in the order of the sections, then of the files."""

    def under(*sections: str) -> Iterator[Part]:
        return chain.from_iterable(parts(files, section) for section in sections)

    ((_, _, health),) = under("health")
    segments, stages, feedback = ([*under(section)] for section in ("segments", "stages", "feedback"))
    models = [(file, spec.model) for file, _, spec in files if spec.model is not None]
    damping = [(file, path, spec, spec.model_fields_set - {"rules"}) for file, path, spec in feedback]
    return model.PolicyContent(
        health=Health(health.red_below, health.yellow_below),
        segments=tuple((spec.segment, spec.when) for _, _, spec in segments),
        stages=tuple((spec.stage, spec.when) for _, _, spec in stages),
        touchpoints=tuple(map(_touchpoint, under("touchpoints"))),
        rhythms=tuple(chain.from_iterable(map(_rhythms, under("rhythms", "minimum")))),
        triggers=tuple(_value(model.Trigger, part) for part in under("triggers")),
        steps=tuple(chain.from_iterable(map(_steps, under("timelines", "sequences")))),
        adjustments=tuple(_value(model.Adjustment, part) for part in under("adjustments")),
        feedback=tuple(_value(model.Feedback, part) for part in parts(feedback, "rules")),
        damping=model.Damping(**{key: getattr(spec, key) for _, _, spec, keys in damping for key in keys}),
        limits=tuple(_value(model.Limit, part) for part in under("limits")),
        blackouts=tuple(_value(model.Blackout, part) for part in under("blackouts")),
        contact_budgets=tuple(map(_contact_budget, under("contact_budgets"))),
        model=next((chosen for _, chosen in models), "hybrid"),
        quiet_hours=next(
            (QuietHours(from_=spec.begin, to=spec.end) for *_, spec in under("quiet_hours")),
            USUAL_QUIET_HOURS,
        ),
        send_window=next((spec.send_window for *_, spec in files if spec.send_window), None),
        holidays=tuple(HolidayRecord(**dict(spec)) for *_, spec in under("holidays")),
        currency=next((spec.currency for *_, spec in files if spec.currency), USUAL_CURRENCY),
        places={
            **{f"model/{chosen}": file.place(("model",)) for file, chosen in models},
            **{f"segment/{path[1]}": file.place(path) for file, path, _ in segments},
            **{f"stage/{path[1]}": file.place(path) for file, path, _ in stages},
            **{str(path[0]): file.place(path) for file, path, _, keys in damping if keys},
        },
    )


def _value(kind: type[Value], part: Part, **others: Any) -> Value:
    """The value of a part: the keys that have the names of its fields, and others."""
    file, path, spec = part
    values: dict[str, Any] = {"place": file.place(path)}
    values |= {field.name: getattr(spec, field.name) for field in fields(kind) if hasattr(spec, field.name)}
    return kind(**(values | others))


def _touchpoint(part: Part) -> model.Touchpoint:
    file, path, spec = part
    others: dict[str, Any] = {
        name: () for name in ("agenda", "audience", "folds_into", "remind") if getattr(spec, name) is None
    }
    others["topic"] = None if spec.topic == INTERNAL else spec.topic
    return _value(model.Touchpoint, part, type=path[-1], place=file.place(path, on_key=True), **others)


def _contact_budget(part: Part) -> model.ContactBudget:
    spec = part[-1]
    return _value(model.ContactBudget, part, channels=spec.channels or (), exempt=spec.exempt or ())


def _rhythms(part: Part) -> Iterator[model.Rhythm]:
    """One, or one for each stage that `every` names."""
    file, path, spec = part
    for stage, interval in spec.every.items():
        others: dict[str, Any] = {"every_days": interval.days, "rrule": interval.rrule}
        if stage:
            others["rule"] = f"{spec.rule}/{stage}"
            others["when"] = joined([is_among("stage", [stage])], spec.when)
            others["place"] = file.place((*path, "every", stage), on_key=True)
        yield _value(model.Rhythm, part, **others)


def _steps(timeline: Part) -> Iterator[model.Step]:
    """The steps of a timeline or a sequence, each until the next day with a step; those of a type are numbered."""
    steps = sorted(_unnumbered_steps(timeline), key=attrgetter("touchpoint", "days", "rule"))
    days = sorted({step.days for step in steps})
    until = {day: timedelta(days=following - day) for day, following in pairwise(days)}
    for _, group in groupby(steps, key=attrgetter("touchpoint")):
        for ordinal, step in enumerate(group):
            within = step.within or until.get(step.days, timedelta(days=7))
            yield replace(step, ordinal=ordinal, within=within)


def _unnumbered_steps(timeline: Part) -> Iterator[model.Step]:
    """One for each step, or for each day of a list of days. Day 1 is the anchor's own day."""
    for part in parts([timeline], "steps"):
        file, path, spec = part
        others = {"anchor": timeline[-1].anchor, "within": spec.within or timedelta(0)}
        if path[0] == "timelines":
            yield _value(model.Step, part, **others)
            continue
        _, written = file.nodes_at((*path, "day"))
        for day in spec.day:
            rule = f"{spec.rule}/day-{day}" if isinstance(written, yaml.SequenceNode) else spec.rule
            yield _value(model.Step, part, rule=rule, days=day - 1, **others)
