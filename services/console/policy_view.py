"""A policy as it is read: its sections with every rule in words, and the lines of its files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from services.console import labels, rule_view
from services.console.json_fields import Json, items, number, part, text
from services.console.rule_view import Said
from services.console.source_map import File, Place, Places

_STAGES: Final = ("onboarding", "adoption", "growth", "renewal", "churned")
_ANCHORS: Final = {
    "renewal": ("Around the renewal", "the renewal"),
    "start": ("From the start of the contract", "the start"),
    "go_live": ("From going live", "going live"),
    "program": ("Around a program", "the program"),
}


@dataclass(frozen=True, slots=True)
class Beat:
    """A row of the table of rhythms: (stage, interval) by stage, without interval where it does not hold."""

    title: str
    intervals: tuple[tuple[str, str], ...]
    said: Said


@dataclass(frozen=True, slots=True)
class Table:
    """The rhythms of a segment."""

    segment: str
    stages: tuple[str, ...]
    beats: tuple[Beat, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """A day on a line of days, and what is done on it."""

    when: str
    steps: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Rules under a heading of their own."""

    title: str
    rules: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Line:
    title: str
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of touchpoint as the catalogue describes it."""

    title: str
    how: str
    purpose: str
    aim: str
    expects: str
    agenda: tuple[str, ...]
    terms: str
    place: Place


@dataclass(frozen=True, slots=True)
class Edition:
    """All of a policy. Sections that say nothing are empty."""

    health: str
    segments: tuple[Said, ...]
    stages: tuple[Said, ...]
    tables: tuple[Table, ...]
    guarantees: tuple[Said, ...]
    triggers: tuple[Group, ...]
    lines: tuple[Line, ...]
    moves: tuple[Group, ...]
    limits: tuple[Said, ...]
    blackouts: tuple[Said, ...]
    kinds: tuple[Kind, ...]
    files: tuple[File, ...]


def edition(document: Json, files: Mapping[str, str]) -> Edition:
    """The document of the rules engine and the files it was made of."""
    places = Places(files)
    stages = _names(document, "stages")
    told = rule_view.Teller(places, _names(document, "segments"), stages)
    rhythms = items(document, "rhythms")
    return Edition(
        health=_health(part(document, "health")),
        segments=tuple(told.named(each) for each in items(document, "segments")),
        stages=tuple(told.named(each) for each in items(document, "stages")),
        tables=tuple(_tables(rhythms, _names(document, "segments"), stages, told)),
        guarantees=tuple(told.guarantee(each) for each in rhythms if rule_view.strength(each)),
        triggers=tuple(_triggers(items(document, "triggers"), told)),
        lines=tuple(_lines(items(document, "steps"), told)),
        moves=tuple(_moves(document, told)),
        limits=tuple(told.limit(each) for each in items(document, "limits")),
        blackouts=tuple(told.blackout(each) for each in items(document, "blackouts")),
        kinds=tuple(_kind(each, places) for each in items(document, "touchpoints")),
        files=places.files(),
    )


def _names(document: Json, section: str) -> tuple[str, ...]:
    """The names of segments or stages, those of the contract in its order."""
    found = dict.fromkeys(text(each, "name") for each in items(document, section))
    known = [name for name in _STAGES if name in found]
    return (*known, *(name for name in found if name not in _STAGES))


def _health(said: Json) -> str:
    red, yellow = (labels.value(said.get(name)) for name in ("red_below", "yellow_below"))
    return (
        f"When only a score is told: below {red} is red, below {yellow} yellow, the rest green."
        if said
        else ""
    )


def _tables(
    rhythms: list[Json], segments: Iterable[str], stages: tuple[str, ...], told: rule_view.Teller
) -> Iterable[Table]:
    for segment in segments:
        here = [each for each in rhythms if segment in rule_view.texts(each, "segments")]
        held = tuple(
            stage for stage in stages if any(stage in rule_view.texts(each, "stages") for each in here)
        )
        if here:
            beats = (_beat(list(group), held, told) for group in _by_stem(here))
            yield Table(labels.title(segment), tuple(map(labels.title, held)), tuple(beats))


def _by_stem(rhythms: list[Json]) -> Iterable[list[Json]]:
    """Rhythms that were written as one, by stage, together; those of one touchpoint beside each other."""
    order = list(dict.fromkeys(text(each, "touchpoint") for each in rhythms))
    by_kind = sorted(rhythms, key=lambda each: order.index(text(each, "touchpoint")))
    for _, group in groupby(by_kind, key=lambda each: (text(each, "touchpoint"), _stem(each))):
        yield list(group)


def _stem(rhythm: Json) -> str:
    return text(rhythm, "rule").partition("/")[0]


def _beat(group: list[Json], stages: tuple[str, ...], told: rule_view.Teller) -> Beat:
    first = group[0]
    intervals = (
        next((number(each, "every_days") for each in group if stage in rule_view.texts(each, "stages")), 0)
        for stage in stages
    )
    shown = (labels.every(days) if days else "" for days in intervals)
    return Beat(
        title=labels.title(text(first, "touchpoint")),
        intervals=tuple(zip(map(labels.title, stages), shown, strict=True)),
        said=told.rhythm({**first, "rule": _stem(first)}),
    )


def _triggers(triggers: list[Json], told: rule_view.Teller) -> Iterable[Group]:
    events = dict.fromkeys(text(each, "on") for each in triggers)
    for event in events:
        rules = (told.trigger(each) for each in triggers if text(each, "on") == event)
        yield Group(rule_view.event(event), tuple(rules))


def _lines(steps: list[Json], told: rule_view.Teller) -> Iterable[Line]:
    for name in dict.fromkeys(text(each, "anchor") for each in steps):
        title, of = _ANCHORS.get(name, (labels.title(name), name))
        here = sorted(
            (each for each in steps if text(each, "anchor") == name), key=lambda each: number(each, "days")
        )
        stops = (
            Stop(rule_view.offset(days, of), tuple(told.step(each) for each in group))
            for days, group in groupby(here, key=lambda each: number(each, "days"))
        )
        yield Line(title, tuple(stops))


def _moves(document: Json, told: rule_view.Teller) -> Iterable[Group]:
    feedback = part(document, "feedback")
    if adjustments := items(document, "adjustments"):
        yield Group("Because of what an account is like", tuple(told.move(each) for each in adjustments))
    if heard := items(feedback, "rules"):
        yield Group("Because of how they respond", tuple(told.move(each) for each in heard))
        yield Group(rule_view.damping(feedback), ())


def _kind(said: Json, places: Places) -> Kind:
    minutes, audience = number(said, "minutes"), rule_view.texts(said, "audience")
    topic = text(said, "topic")
    terms = [
        f"topic {labels.title(topic).lower()}" if topic else "internal work",
        labels.count(minutes, "minute") if minutes else "",
        f"for {labels.listing(name.replace('_', ' ') for name in audience)}" if audience else "",
        "never skipped" if said.get("never_skip") is True else "",
    ]
    return Kind(
        title=labels.title(text(said, "type")),
        how=labels.how(text(said, "channel"), text(said, "owner"), None, anybody=True),
        purpose=text(said, "purpose"),
        aim=labels.title(text(said, "aim")),
        expects=text(said, "expects"),
        agenda=tuple(rule_view.texts(said, "agenda")),
        terms=" · ".join(each for each in terms if each),
        place=places.of(said),
    )
