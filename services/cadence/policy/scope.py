"""What the files of a policy define for each other: names, touchpoint types, and the features of conditions."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.cadence.expressions.checker import check
from services.cadence.expressions.tree import Node, walk
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.features.feature import Feature
from services.cadence.features.registry import features_in_scope
from services.cadence.policy.errors import MAX_MISTAKES, Fault, Path, excerpt, refuse
from services.cadence.policy.model import Location
from services.cadence.policy.yaml_source import YamlFile

MAX_PARTS = 20_000
"""Nodes of all conditions of a policy together."""
UNKNOWN_EVENT = "?"
INTERNAL = "internal"
_LIMITS = {"rule": (5_000, "rules"), "touchpoint": (300, "touchpoint types")}


class Around(NamedTuple):
    """What a rule takes from its event or timeline: the features it may read, conditions that hold before its own, names
    that its `because` may have besides features, and the anchor.
    """

    features: Mapping[str, Feature]
    conditions: Sequence[Node] = ()
    slots: Sequence[str] = ()
    anchor: str = ""


@dataclass(slots=True)
class Scope:
    """The context in which the files of a policy are validated.

    `topics`: of the touchpoint types, as written. `movable`: types with a rhythm that has `within`. `timeline`: the one
    whose steps are being validated.
    """

    topics: dict[str, str] = field(default_factory=dict[str, str])
    movable: set[str] = field(default_factory=set[str])
    timeline: Around = field(default=Around({}))
    _features: dict[str, Mapping[str, Feature]] = field(default_factory=dict[str, Mapping[str, Feature]])
    _parts: int = 0
    _faults: int = 0

    def features(self, event: str = "") -> Mapping[str, Feature]:
        """What conditions may read: features of the account and, before them, of an event.

        An unknown event has the features of all events, so that it is one mistake, not several.
        """
        if event not in self._features:
            is_unknown = event and event not in EVENT_FEATURES
            others = EVENT_FEATURES.values() if is_unknown else ()
            of_all = {name: feature for features in others for name, feature in features.items()}
            own = features_in_scope(None if is_unknown else event or None, tuple(self.topics))
            self._features[event] = {**of_all, **own}
        return self._features[event]

    def faults_of(self, tree: Node, features: Mapping[str, Feature], to: Path = ()) -> list[Fault]:
        """The faults of a condition. `to`: the path to them, if the condition has no text of its own."""
        if self.is_exhausted:
            return []
        self._parts += sum(1 for _ in walk(tree))
        if self._parts > MAX_PARTS:
            self._faults = MAX_MISTAKES
            return [Fault(f"all conditions together have at most {MAX_PARTS:,} parts", to=to)]
        return [Fault(fault.message, fault.at, to) for fault in check(tree, features)]

    def refuse(self, faults: Sequence[Fault]) -> None:
        """Raise these faults, if there are any."""
        self._faults += len(faults)
        if faults:
            raise refuse(*faults)

    @property
    def is_exhausted(self) -> bool:
        """So much is wrong that conditions and reasons need no more checks."""
        return self._faults >= MAX_MISTAKES


def scope_of(files: Sequence[YamlFile]) -> Scope | None:
    """Gather the definitions of all files; a second one is a mistake. None: there are too many of a kind."""
    scope, counts, first = Scope(), Counter[str](), dict[tuple[str, str], Location]()
    for file in files:
        for path, definition in _definitions(file):
            kind, name = definition
            place = file.place(path, on_key=True)
            before = first.setdefault(definition, place)
            if before is not place:
                message = f"{excerpt(name)} is already defined at {before.file}:{before.line}"
                file.add_mistake(path, message, on_key=kind == "touchpoint")
            counts[kind] += 1
            limit, things = _LIMITS.get(kind, (counts[kind], ""))
            if counts[kind] > limit:
                file.add_mistake(path, f"a policy has at most {limit:,} {things}")
                return None
            if kind == "touchpoint":
                scope.topics.setdefault(name, str(file.nodes_at((*path, "topic"))[1].value))
        moved = [path for path in file.nodes if path[:1] + path[2:] == ("rhythms", "within")]
        scope.movable |= {str(file.nodes_at((*path[:2], "touchpoint"))[1].value) for path in moved}
    return scope


def _definitions(file: YamlFile) -> Iterator[tuple[Path, tuple[str, str]]]:
    """What a policy defines once, as kind and name. Rules, limits, budgets and blackouts share their names."""
    for path, (_, node) in file.nodes.items():
        match path:
            case (
                "health"
                | "model"
                | "segments"
                | "stages"
                | "quiet_hours"
                | "send_window"
                | "currency" as name,
            ):
                yield path, ("section", name)
            case ("feedback", "ladder" | "spacing" | "lasts" | "at_the_end" as name):
                yield path, ("section", name)
            case ("holidays", int() as index, "on"):
                where = (file.nodes.get(("holidays", index, part)) for part in ("country", "region"))
                place = "-".join(str(found[1].value) for found in where if found is not None)
                yield path, (f"holiday of {place or 'every country'}", str(node.value))
            case ("touchpoints", str(name)):
                yield path, ("touchpoint", name)
            case (_, _, *_, "rule" | "limit" | "budget" | "blackout"):
                yield path, ("rule", str(node.value))
            case ("sequences", int(), "sequence"):
                yield path, (f"sequence of {file.name}", str(node.value))
            case _:
                pass
