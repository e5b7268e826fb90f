"""Rules that repeat and rules that answer: rhythms, the minimum and triggers, read into the draft of a policy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, cast

import yaml

from services.cadence.expressions.tree import Node
from services.cadence.features.registry import STAGES, Feature
from services.cadence.policy import Rhythm, Trigger
from services.cadence.policy.draft import UNKNOWN, Draft, among, because, condition
from services.cadence.policy.values import Record, days, record
from services.cadence.policy.yaml_source import Sheet

_GUARANTEES = ("floor", "escalation")


@dataclass(frozen=True, slots=True)
class Asking:
    """What rules that ask for a touchpoint have in common."""

    rule: str
    touchpoint: str
    because: str
    owner: str | None
    channel: str | None


def asking(read: Record, draft: Draft, words: Mapping[str, Feature], slots: tuple[str, ...] = ()) -> Asking:
    """`slots`: what may stand in the braces of `because` besides words."""
    return Asking(
        draft.take(read),
        "".join(read.choices("touchpoint", draft.touchpoints)),
        because(read, words, slots),
        read.choice("owner") or None,
        read.choice("channel") or None,
    )


def unless(read: Record, words: Mapping[str, Feature]) -> Node | None:
    if not read.has("unless"):
        return None
    return read.sheet.condition(read.found["unless"], read.where("unless"), words)


def read_rhythms(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    for each in sheet.items(node, "rhythms"):
        read = record(sheet, each, "rhythm")
        within, precedence = read.range("within"), read.choice("precedence") or "default"
        if read.has("within") and precedence in _GUARANTEES:
            read.fault("within", f"a rhythm of precedence {precedence} is never moved; leave `within` away")
        made = _rhythms(read, draft, within)
        if read.has("within"):
            draft.gives_way |= {rhythm.touchpoint for rhythm in made}
        draft.rhythms += [replace(rhythm, precedence=precedence, within=within) for rhythm in made]


def read_minimum(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    for each in sheet.items(node, "minimum"):
        read = record(sheet, each, "minimum")
        made = _rhythms(read, draft, None)
        kind = draft.touchpoints.get(made[0].touchpoint) if made else None
        if kind is not None and kind.topic is None:
            read.fault("touchpoint", f"{kind.type!r} is internal work, which no customer hears of")
        draft.rhythms += [replace(rhythm, precedence="floor", fallback=True) for rhythm in made]


def _rhythms(read: Record, draft: Draft, within: tuple[int, int] | None) -> list[Rhythm]:
    """One rhythm, or one for each stage that `every` names."""
    words = draft.words()
    shared = asking(read, draft, words)
    urgency = cast("Literal['spread', 'soon']", read.choice("urgency") or "spread")
    any_contact = read.truth("any_contact")
    return [
        Rhythm(
            shared.rule if stage is None else f"{shared.rule}/{stage}",
            shared.touchpoint,
            _inside(read, every, within, stage),
            condition(read, words, () if stage is None else (among("stage", (stage,)),)),
            shared.because,
            urgency,
            owner=shared.owner,
            channel=shared.channel,
            any_contact=any_contact,
            place=read.place if stage is None else read.place._replace(line=line),
        )
        for stage, every, line in _intervals(read)
    ]


def _intervals(read: Record) -> list[tuple[str | None, int | None, int]]:
    """Stage, days and line of each interval that `every` names; stage None: whatever the stage."""
    node = read.found.get("every")
    if node is None:
        return [(None, None, 0)]
    if not isinstance(node, yaml.MappingNode):
        return [(None, days(read.sheet, node, read.where("every")), 0)]
    if read.has("stage"):
        read.fault("stage", "`every` names the stages already; say them in one place")
    found: list[tuple[str | None, int | None, int]] = []
    for stage, (key, value) in read.sheet.pairs(node, read.where("every")).items():
        if read.sheet.choice(key, read.where("every"), STAGES):
            where = f"{read.where('every')}.{stage}"
            found.append((stage, days(read.sheet, value, where), key.start_mark.line + 1))
    if not node.value:
        read.fault("every", "a span of time is expected here, such as 14d, or one for each stage")
    return found


def _inside(read: Record, every: int | None, within: tuple[int, int] | None, stage: str | None) -> int:
    if every is not None and within is not None and not within[0] <= every <= within[1]:
        said = f"{every}d" if stage is None else f"{every}d of {stage}"
        read.fault("within", f"{said} lies outside {within[0]}d..{within[1]}d")
    return every or 1


def read_triggers(sheet: Sheet, node: yaml.Node, draft: Draft) -> None:
    for each in sheet.items(node, "triggers"):
        read = record(sheet, each, "trigger")
        event = read.choice("on")
        words = draft.words(event or UNKNOWN)
        shared = asking(read, draft, words)
        within, after = read.span("within"), read.span("after")
        if within is not None and not within:
            read.fault("within", "a window of no length asks for nothing; say how long it makes sense")
        if within and after and after >= within:
            read.fault("after", "the window opens after it closes; `after` is shorter than `within`")
        draft.triggers.append(
            Trigger(
                shared.rule,
                event,
                shared.touchpoint,
                condition(read, words),
                shared.because,
                within or timedelta(days=1),
                unless(read, words),
                read.span("deadline"),
                read.span("cooldown"),
                shared.owner,
                shared.channel,
                after or timedelta(0),
                read.cap("cap"),
                read.place,
            )
        )
