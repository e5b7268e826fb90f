"""Rules around a date: timelines (days before and after it) and sequences (day 1, 3, 7), read into the draft."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple, cast

import yaml

from services.cadence.expressions.tree import And, Const, Node
from services.cadence.features.registry import Feature
from services.cadence.policy import Step
from services.cadence.policy.draft import Draft, condition
from services.cadence.policy.model import Anchor
from services.cadence.policy.rules import asking, unless
from services.cadence.policy.values import LONGEST, Record, record
from services.cadence.policy.yaml_source import Sheet, shown

_WEEK = timedelta(days=7)
SLOTS: Mapping[str, tuple[str, ...]] = {
    "renewal": ("contract_id", "renews_on"),
    "start": ("started_on",),
    "go_live": ("went_live_on",),
    "program": ("takes_place_on",),
}
"""What `because` may name besides words, by anchor."""


class _Line(NamedTuple):
    """What the steps of one timeline have in common."""

    anchor: Anchor
    words: Mapping[str, Feature]
    besides: tuple[Node, ...]


def read_timelines(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    for each in sheet.items(node, "timelines"):
        read = record(sheet, each, "timeline")
        line = _line(read, draft)
        steps: list[Step] = []
        for item in _items(read):
            step = record(sheet, item, "step")
            at = step.offset("at")
            if at is not None and at < 0 and line.anchor == "go_live":
                step.fault(
                    "at", "nobody knows of a go-live before it is reached; steps lie on it or after it"
                )
            steps.append(_step(step, draft, line, at or 0))
        draft.steps += _finished(steps)


def read_sequences(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    names: set[str] = set()
    for each in sheet.items(node, "sequences"):
        read = record(sheet, each, "sequence")
        name = read.text("sequence")
        if name in names:
            read.fault("sequence", f"two sequences are named {shown(name)}")
        names.add(name)
        line = _line(read, draft)
        steps: list[Step] = []
        for item in _items(read):
            step = record(sheet, item, "day_step")
            found = _days(step)
            first = _step(step, draft, line, (found or [1])[0] - 1)
            one_day = not isinstance(step.found.get("day"), yaml.SequenceNode)
            steps += [first] if one_day else [_on(first, day) for day in found]
        draft.steps += _finished(steps)


def _on(step: Step, day: int) -> Step:
    return replace(step, rule=f"{step.rule}/day-{day}", days=day - 1)


def _line(read: Record, draft: Draft) -> _Line:
    anchor = cast("Anchor", read.choice("anchor") or "renewal")
    words = draft.words("program.announced" if anchor == "program" else "")
    tree = condition(read, words)
    if isinstance(tree, Const):
        return _Line(anchor, words, ())
    return _Line(anchor, words, tree.parts if isinstance(tree, And) else (tree,))


def _items(read: Record) -> Sequence[yaml.Node]:
    return read.sheet.items(read.found["steps"], read.where("steps")) if read.has("steps") else ()


def _days(step: Record) -> list[int]:
    """The days a step is for, from 1."""
    found: list[int] = []
    for node in step.several("day"):
        said = step.sheet.text(node, step.where("day"))
        number = int(said) if said.isascii() and said.isdigit() and len(said) <= 4 else 0
        if 1 <= number <= LONGEST and number not in found:
            found.append(number)
        elif number in found:
            step.sheet.fault(node, step.where("day"), f"day {number} is said twice")
        elif said:
            what = f"a day from 1 to {LONGEST} is expected here, not {shown(said)}; day 1 is the anchor's own day"
            step.sheet.fault(node, step.where("day"), what)
    return found


def _step(read: Record, draft: Draft, line: _Line, at: int) -> Step:
    """`within` stays nothing until the steps around it are known."""
    shared = asking(read, draft, line.words, SLOTS.get(line.anchor, ()))
    within = read.span("within")
    if within is not None and not within:
        read.fault("within", "a window of no length asks for nothing; say how long it makes sense")
    return Step(
        shared.rule,
        shared.touchpoint,
        at,
        within or timedelta(0),
        condition(read, line.words, line.besides),
        shared.because,
        unless(read, line.words),
        read.span("deadline"),
        shared.owner,
        shared.channel,
        line.anchor,
        place=read.place,
    )


def _finished(steps: list[Step]) -> list[Step]:
    """Each lasts until the next day that has a step, unless it says otherwise; those of one type are counted."""
    found = sorted({step.days for step in steps})
    until = {day: timedelta(days=later - day) for day, later in pairwise(found)}
    lasting = [replace(step, within=step.within or until.get(step.days, _WEEK)) for step in steps]
    by_type = sorted(lasting, key=attrgetter("touchpoint", "days", "rule"))
    return [
        replace(step, ordinal=ordinal)
        for _, group in groupby(by_type, key=attrgetter("touchpoint"))
        for ordinal, step in enumerate(group)
    ]
