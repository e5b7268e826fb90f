"""The draft of a policy: what has been read of it so far, over all its files, and who took which name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from services.cadence.expressions.checker import did_you_mean
from services.cadence.expressions.compile import Health, Named
from services.cadence.expressions.tree import And, Compare, Const, Membership, Name, Node
from services.cadence.features.registry import EVENT_FEATURES, Feature, features_in_scope
from services.cadence.policy import (
    Adjustment,
    Blackout,
    Damping,
    Feedback,
    Limit,
    Location,
    PolicyContent,
    Rhythm,
    Step,
    Touchpoint,
    Trigger,
)
from services.cadence.policy.grammar import PATTERNS
from services.cadence.policy.values import Record
from services.cadence.policy.yaml_source import Enough, shown

RULES = 5_000
UNKNOWN = "?"
"""Stands for an event that does not exist."""
_RULE = re.compile(PATTERNS["rule"])
_SLOT = re.compile(r"\{([^{}]*)\}")


@dataclass(slots=True)
class Draft:
    """Rules of all kinds in the order they were read. `names`: what is taken, and where; `seen`: what is said once."""

    health: Health = field(default_factory=lambda: Health(0, 0))
    segments: list[Named] = field(default_factory=list[Named])
    stages: list[Named] = field(default_factory=list[Named])
    touchpoints: dict[str, Touchpoint] = field(default_factory=dict[str, Touchpoint])
    rhythms: list[Rhythm] = field(default_factory=list[Rhythm])
    triggers: list[Trigger] = field(default_factory=list[Trigger])
    steps: list[Step] = field(default_factory=list[Step])
    adjustments: list[Adjustment] = field(default_factory=list[Adjustment])
    feedback: list[Feedback] = field(default_factory=list[Feedback])
    ladder: tuple[int, ...] = Damping().ladder
    spacing: timedelta = Damping().spacing
    lasts: timedelta = Damping().lasts
    at_the_end: str | None = None
    limits: list[Limit] = field(default_factory=list[Limit])
    blackouts: list[Blackout] = field(default_factory=list[Blackout])
    places: dict[str, Location] = field(default_factory=dict[str, Location])
    names: dict[str, Location] = field(default_factory=dict[str, Location])
    seen: dict[str, Location] = field(default_factory=dict[str, Location])
    gives_way: set[str] = field(default_factory=set[str])
    """Touchpoints with a rhythm that says `within`."""
    scopes: dict[tuple[str, int], Mapping[str, Feature]] = field(
        default_factory=dict[tuple[str, int], Mapping[str, Feature]]
    )

    def content(self) -> PolicyContent:
        return PolicyContent(
            self.health,
            tuple(self.segments),
            tuple(self.stages),
            tuple(self.touchpoints.values()),
            tuple(self.rhythms),
            tuple(self.triggers),
            tuple(self.steps),
            tuple(self.adjustments),
            tuple(self.feedback),
            Damping(self.ladder, self.spacing, self.lasts, self.at_the_end),
            tuple(self.limits),
            tuple(self.blackouts),
            self.places,
        )

    def words(self, event: str = "") -> Mapping[str, Feature]:
        """What conditions may read: `days_since_<type>` of the catalogue among it, and the words of an event over it.

        Of an event that does not exist, those of all events: one mistake is told once.
        """
        key = (event, len(self.touchpoints))
        if key not in self.scopes:
            known = event if event in EVENT_FEATURES else None
            others = EVENT_FEATURES.values() if event and known is None else ()
            words = {name: word for each in others for name, word in each.items()}
            self.scopes[key] = {**words, **features_in_scope(known, tuple(self.touchpoints))}
        return self.scopes[key]

    def customer_facing(self) -> tuple[str, ...]:
        return tuple(sorted(each.type for each in self.touchpoints.values() if each.topic is not None))

    def once(self, read: Record, key: str) -> None:
        """Note a second place where this is said, in whichever file."""
        if key in self.seen:
            before = self.seen[key]
            read.sheet.fault(read.node, key, f"already said at {before.file}:{before.line}")
        self.seen[key] = read.place

    def take(self, read: Record, key: str = "rule") -> str:
        """The name a rule gives itself, now taken. Raises `Enough` beyond `RULES`."""
        name = read.text(key)
        if name and not _RULE.fullmatch(name):
            read.fault(
                key, f"{shown(name)}: a name is lower case, begins with a letter, holds digits and dashes"
            )
        if name in self.names:
            before = self.names[name]
            read.fault(key, f"the name {shown(name)} is taken already at {before.file}:{before.line}")
        elif name:
            self.names[name] = read.place
        if len(self.names) > RULES:
            read.fault(key, f"a policy has at most {RULES:,} rules")
            raise Enough
        return name


def because(read: Record, words: Mapping[str, Feature], others: tuple[str, ...] = ()) -> str:
    """The reason's sentence; what stands in its braces has to be a word."""
    said = read.text("because")
    for slot in _SLOT.findall(said):
        if slot not in words and slot not in others:
            hint = did_you_mean(slot, (*words, *others))
            read.fault("because", f"unknown field {shown(slot)} in braces{hint}")
    return said


def scoped(read: Record) -> tuple[Node, ...]:
    """`segment` and `stage` of a form, as the conditions they are short for."""
    found: list[Node] = []
    for key in ("segment", "stage"):
        said = read.choices(key)
        if said:
            found.append(among(key, tuple(each for each in read.form.key(key).values if each in said)))
    return tuple(found)


def among(word: str, values: tuple[str, ...]) -> Node:
    members = tuple(Const(value, 0) for value in values)
    name = Name(word, 0)
    return Compare("==", name, members[0], 0) if len(members) == 1 else Membership(name, members, 0)


def condition(read: Record, words: Mapping[str, Feature], besides: tuple[Node, ...] = ()) -> Node:
    """`when` with `segment`, `stage` and what else has to hold; what always holds where nothing is said."""
    parts = (*besides, *scoped(read))
    if read.has("when"):
        return read.sheet.condition(read.found["when"], read.where("when"), words, parts)
    return conjunction(read, parts, words)


def conjunction(read: Record, parts: tuple[Node, ...], words: Mapping[str, Feature]) -> Node:
    """All of these, checked against each other."""
    if len(parts) <= 1:
        return parts[0] if parts else Const(value=True, at=0)
    said = next((key for key in ("segment", "stage", "every") if key in read.found), "")
    node = read.found.get(said, read.node)
    return read.sheet.sound(node, read.where(said) if said else read.name, And(parts, 0), words)
