"""A policy for a reader: its sections with every rule as text, and the lines of its files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from services.console import labels, rule_view
from services.console.json_fields import Json, items, nested, number, text, texts
from services.console.rule_view import RuleView, RuleViews
from services.console.source_map import SourceFile, SourceLink, SourceMap

_STAGES: Final = ("onboarding", "adoption", "growth", "renewal", "churned")
_ANCHORS: Final = {
    "renewal": ("Around the renewal", "the renewal"),
    "notice": ("Around the last day for notice", "the last day for notice"),
    "start": ("From the start of the contract", "the start"),
    "go_live": ("From go-live", "go-live"),
    "program": ("Around a program", "the program"),
}


@dataclass(frozen=True, slots=True)
class RhythmRow:
    """A row of the table of rhythms. `intervals`: (stage, interval), the interval empty where it does not apply."""

    title: str
    intervals: tuple[tuple[str, str], ...]
    view: RuleView


@dataclass(frozen=True, slots=True)
class RhythmTable:
    """The rhythms of a segment."""

    segment: str
    stages: tuple[str, ...]
    rows: tuple[RhythmRow, ...]


@dataclass(frozen=True, slots=True)
class TimelineDay:
    """A day of a timeline and its steps."""

    when: str
    steps: tuple[RuleView, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    title: str
    days: tuple[TimelineDay, ...]


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules under a heading of their own."""

    title: str
    rules: tuple[RuleView, ...]


@dataclass(frozen=True, slots=True)
class TouchpointType:
    """An entry of the catalogue."""

    title: str
    contact: str
    purpose: str
    aim: str
    expects: str
    agenda: tuple[str, ...]
    terms: str
    link: SourceLink


@dataclass(frozen=True, slots=True)
class PolicyView:
    """All of a policy; a section it does not have is empty."""

    health: str
    segments: tuple[RuleView, ...]
    stages: tuple[RuleView, ...]
    tables: tuple[RhythmTable, ...]
    guarantees: tuple[RuleView, ...]
    triggers: tuple[RuleGroup, ...]
    timelines: tuple[Timeline, ...]
    adjustments: tuple[RuleGroup, ...]
    feedback: str
    budgets: tuple[RuleView, ...]
    limits: tuple[RuleView, ...]
    blackouts: tuple[RuleView, ...]
    catalogue: tuple[TouchpointType, ...]
    files: tuple[SourceFile, ...]


def policy_view(document: Json, files: Mapping[str, str]) -> PolicyView:
    """`document` is the rules engine's document of the policy, `files` are its sources."""
    sources = SourceMap(files)
    segments, stages = _names(document, "segments"), _names(document, "stages")
    views = RuleViews(sources, segments, stages)
    rhythms, feedback = items(document, "rhythms"), nested(document, "feedback")
    return PolicyView(
        health=_health(nested(document, "health")),
        segments=tuple(map(views.category, items(document, "segments"))),
        stages=tuple(map(views.category, items(document, "stages"))),
        tables=tuple(_tables(rhythms, segments, stages, views)),
        guarantees=tuple(views.guarantee(rhythm) for rhythm in rhythms if rule_view.guarantee_text(rhythm)),
        triggers=tuple(_triggers(items(document, "triggers"), views)),
        timelines=tuple(_timelines(items(document, "steps"), views)),
        adjustments=tuple(_adjustments(document, feedback, views)),
        feedback=rule_view.feedback_text(feedback) if items(feedback, "rules") else "",
        budgets=tuple(map(views.budget, items(document, "contact_budgets"))),
        limits=tuple(map(views.limit, items(document, "limits"))),
        blackouts=tuple(map(views.blackout, items(document, "blackouts"))),
        catalogue=tuple(_touchpoint_type(item, sources) for item in items(document, "touchpoints")),
        files=sources.files(),
    )


def _names(document: Json, section: str) -> tuple[str, ...]:
    """The names of segments or stages; the well-known stages come first, in the order of a customer's life."""
    names = dict.fromkeys(text(rule, "name") for rule in items(document, section))
    stages = [name for name in _STAGES if name in names]
    return (*stages, *(name for name in names if name not in _STAGES))


def _health(health: Json) -> str:
    red, yellow = (labels.value(health.get(name)) for name in ("red_below", "yellow_below"))
    sentence = f"A health score without a colour is red below {red}, yellow below {yellow}, else green."
    return sentence if health else ""


def _tables(
    rhythms: list[Json], segments: Iterable[str], stages: tuple[str, ...], views: RuleViews
) -> Iterable[RhythmTable]:
    for segment in segments:
        of_segment = [rhythm for rhythm in rhythms if segment in texts(rhythm, "segments")]
        columns = tuple(
            stage for stage in stages if any(stage in texts(rhythm, "stages") for rhythm in of_segment)
        )
        if of_segment:
            rows = (_row(group, columns, views) for group in _by_stem(of_segment))
            yield RhythmTable(labels.title(segment), tuple(map(labels.title, columns)), tuple(rows))


def _by_stem(rhythms: list[Json]) -> Iterable[list[Json]]:
    """Groups of rhythms that are one rule with an interval by stage; those of one touchpoint type are adjacent."""
    types = list(dict.fromkeys(text(rhythm, "touchpoint") for rhythm in rhythms))
    by_type = sorted(rhythms, key=lambda rhythm: types.index(text(rhythm, "touchpoint")))
    for _, group in groupby(by_type, key=lambda rhythm: (text(rhythm, "touchpoint"), _stem(rhythm))):
        yield list(group)


def _stem(rhythm: Json) -> str:
    return text(rhythm, "rule").partition("/")[0]


def _row(group: list[Json], stages: tuple[str, ...], views: RuleViews) -> RhythmRow:
    first = group[0]

    def interval(stage: str) -> str:
        own = (rhythm for rhythm in group if stage in texts(rhythm, "stages"))
        return rule_view.interval(shown) if (shown := next(own, None)) else ""

    return RhythmRow(
        title=labels.title(text(first, "touchpoint")),
        intervals=tuple((labels.title(stage), interval(stage)) for stage in stages),
        view=views.rhythm({**first, "rule": _stem(first)}),
    )


def _triggers(triggers: list[Json], views: RuleViews) -> Iterable[RuleGroup]:
    for event in dict.fromkeys(text(trigger, "on") for trigger in triggers):
        rules = (views.trigger(trigger) for trigger in triggers if text(trigger, "on") == event)
        yield RuleGroup(rule_view.event_text(event), tuple(rules))


def _timelines(steps: list[Json], views: RuleViews) -> Iterable[Timeline]:
    for anchor in dict.fromkeys(text(step, "anchor") for step in steps):
        title, phrase = _ANCHORS.get(anchor, (labels.title(anchor), anchor))
        of_anchor = sorted(
            (step for step in steps if text(step, "anchor") == anchor), key=lambda step: number(step, "days")
        )
        days = (
            TimelineDay(rule_view.offset_text(offset, phrase), tuple(map(views.step, group)))
            for offset, group in groupby(of_anchor, key=lambda step: number(step, "days"))
        )
        yield Timeline(title, tuple(days))


def _adjustments(document: Json, feedback: Json, views: RuleViews) -> Iterable[RuleGroup]:
    for title, rules in (
        ("By the kind of account", items(document, "adjustments")),
        ("By the account's feedback", items(feedback, "rules")),
    ):
        if rules:
            yield RuleGroup(title, tuple(map(views.adjustment, rules)))


def _touchpoint_type(item: Json, sources: SourceMap) -> TouchpointType:
    minutes, audience, topic = number(item, "minutes"), texts(item, "audience"), text(item, "topic")
    terms = [
        f"topic {labels.title(topic).lower()}" if topic else "internal work",
        labels.count(minutes, "minute") if minutes else "",
        f"for {labels.listing(role.replace('_', ' ') for role in audience)}" if audience else "",
        "never skipped" if item.get("never_skip") is True else "",
    ]
    return TouchpointType(
        title=labels.title(text(item, "type")),
        contact=labels.channel_and_owner(text(item, "channel"), labels.owner_kind(text(item, "owner"))),
        purpose=text(item, "purpose"),
        aim=labels.title(text(item, "aim")),
        expects=text(item, "expects"),
        agenda=tuple(texts(item, "agenda")),
        terms=labels.joined(*terms),
        link=sources.link_of(item),
    )
