"""Feature events: all events that the present value of a feature rests on. Found on demand, when somebody asks why."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from services.cadence.account import ACCOUNT_FIELDS, Stamp
from services.cadence.account.stored_stamps import StoredStamps
from services.cadence.account.usage import LEVELS
from services.cadence.evaluation.state import EvaluationState
from services.cadence.expressions.deciding import deciding_names
from services.cadence.expressions.trace import trace
from services.cadence.expressions.tree import Node
from services.cadence.features.registry import feature_named

_FIELDS = frozenset(name for names in ACCOUNT_FIELDS.values() for name in names.values())
_TOUCHES = ("interaction.logged", "touchpoint.settled", "delivery.finished")


class FeatureEvents:
    """Of one account at one moment.

    What a feature rests on is what it declares: its stored parts (`Feature.rests_on`), else all that is stored of the
    event types that may change it (`Feature.changed_by`). Other events of the account may be left out: the value stays.
    """

    def __init__(self, state: EvaluationState) -> None:
        self._state = state
        self.stored = StoredStamps(state.facts, state.issued)
        self._known: dict[str, frozenset[Stamp]] = {}
        self._special: Mapping[str, Callable[[], Iterator[Stamp]]] = {
            "arr": self._revenue,
            "start": self._start,
            "touch": lambda: self._of_events(_TOUCHES),
            "usage": lambda: self.stored.of_event("usage.reported"),
            **dict.fromkeys(("renewal", "status", "signature", "contract"), self.stored.of_contracts),
        }

    def all_of(self, name: str) -> frozenset[Stamp]:
        """All events behind the feature; none where no event has set it."""
        if name not in self._known:
            self._known[name] = frozenset(self._behind(name))
        return self._known[name]

    def behind(self, names: Iterable[str]) -> frozenset[Stamp]:
        """All events behind these features."""
        return frozenset[Stamp]().union(*map(self.all_of, names))

    def deciding(self, condition: Node) -> frozenset[Stamp]:
        """The events that are enough for the result of a condition on the account."""
        truth = trace(condition, self._state.view.values)
        return self.behind(deciding_names(truth, lambda names: len(self.behind(names))))

    def _behind(self, name: str) -> Iterator[Stamp]:
        content = self._state.policy.content
        match name:
            case "segment":
                yield from self.stored.of_field("segment_override")
                if content.only_segment is None and self._state.view.values["segment_override"] is None:
                    yield from self._option(content.segments)
            case "stage":
                yield from self._option(content.stages)
            case "color":
                yield from self.behind_parts("health_score", "color")
            case _:
                feature = feature_named(name)
                if feature is not None:
                    yield from self.behind_parts(*feature.rests_on, others=feature.changed_by)
                    yield from filter(None, [self._state.view.stamps.get(name)])

    def _option(self, options: Sequence[tuple[str, Node]]) -> Iterator[Stamp]:
        """The first whose condition is true: those before it are not. The last is what is left."""
        for _, condition in options[:-1]:
            yield from self.deciding(condition)
            if trace(condition, self._state.view.values).holds:
                return

    def behind_parts(self, *parts: str, others: Iterable[str] = ()) -> Iterator[Stamp]:
        """The events behind parts of the state; behind the event types `others` where a part is none that is stored."""
        for part in parts or tuple(others):
            special = self._special.get(part)
            if special is not None:
                yield from special()
            elif part in LEVELS:
                yield from self.stored.of_level(part)
            elif part in _FIELDS:
                yield from self.stored.of_field(part)
            else:
                yield from self._of_events([part] if "." in part else others)

    def _start(self) -> Iterator[Stamp]:
        yield from self.stored.of_contracts()
        if self._state.view.relation.beginning is None and self._state.facts.first_event is not None:
            yield self._state.facts.first_event

    def _revenue(self) -> Iterator[Stamp]:
        yield from self.behind_parts("currency")
        yield from self.stored.of_field("arr")
        facts = self._state.facts
        if all(fields.get("arr") is None for fields in facts.account.values()):
            yield from self.stored.of_contracts()

    def _of_events(self, events: Iterable[str]) -> Iterator[Stamp]:
        for event in events:
            yield from self.stored.of_event(event)
