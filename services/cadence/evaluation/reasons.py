"""Reasons: which facts a rule read, and the sentence a CSM reads. Built only for plans that somebody looks at."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from schemas.plans import FactRef, Reason
from services.cadence.account import Plain, Stamp, provenance_of
from services.cadence.evaluation.feature_stamps import FeatureStamps
from services.cadence.evaluation.state import EvaluationState
from services.cadence.policy import PLACEHOLDER, Rule

_SHARES = frozenset({"seat_ratio", "limit_ratio", "attendance_rate", "open_rate", "click_rate"})
_NO_VALUES: Mapping[str, Plain] = {}


class Sentence(NamedTuple):
    """A sentence of a reason, and the facts behind it."""

    text: str
    facts: list[FactRef]


class Reasons:
    """Reasons for what an evaluation decided."""

    def __init__(self, state: EvaluationState) -> None:
        self.state = state
        self._view = state.view
        self._stamps = FeatureStamps(state.view)
        self._facts: dict[str, FactRef | None] = {}
        self._own_facts: dict[tuple[str, Stamp], FactRef] = {}
        self._sources: tuple[str, str] | None = None

    def of(
        self,
        rule: Rule,
        stamp: Stamp | None = None,
        values: Mapping[str, Plain] = _NO_VALUES,
        more: Iterable[Sentence] = (),
    ) -> Reason:
        """`stamp` and `values` are those of the event or contract the rule answers; `more`: further sentences."""
        text, facts = self.sentence(rule, stamp, values)
        for sentence in more:
            text = f"{text} {sentence.text}"
            listed = {(fact.name, fact.source, fact.id) for fact in facts}
            facts += [fact for fact in sentence.facts if (fact.name, fact.source, fact.id) not in listed]
        return Reason.of_valid(rule=rule.rule, policy=self.state.policy.hash, facts=tuple(facts), text=text)

    def sentence(
        self, rule: Rule, stamp: Stamp | None = None, values: Mapping[str, Plain] = _NO_VALUES
    ) -> Sentence:
        """The sentence of the rule itself, and the facts it read."""
        facts: list[FactRef] = []
        if stamp is not None:
            facts += [
                self._own_fact(name, value, stamp) for name, value in values.items() if value is not None
            ]
        for name in self._with_sources(self.state.policy.read_by[rule.rule]):
            fact = None if name in values else self._account_fact(name)
            if fact is not None:
                facts.append(fact)
        return Sentence(self.fill(rule.because, values), facts)

    def fill(self, because: str, values: Mapping[str, Plain] = _NO_VALUES) -> str:
        """The text with the value of each `{feature}`."""
        if "{" not in because:
            return because
        view_values = self._view.values

        def value_text(placeholder: re.Match[str]) -> str:
            name = placeholder.group(1)
            return phrase(name, values[name] if name in values else view_values.get(name))

        return PLACEHOLDER.sub(value_text, because)

    def _with_sources(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The features read; after a derived one the feature it was derived from."""
        if self._sources is None:
            scored = self._stamps.of("color") == self._stamps.of("health_score")
            overridden = self._view.values["segment_override"] is not None
            self._sources = ("segment_override" if overridden else "arr", "health_score" if scored else "")
        return _with_sources(names, *self._sources)

    def _own_fact(self, name: str, value: Plain, stamp: Stamp) -> FactRef:
        """A fact of an event or a contract; the steps of one contract share theirs."""
        known = self._own_facts.get((name, stamp))
        if known is None or known.value != value:
            known = self._own_facts[name, stamp] = fact_reference(name, value, stamp)
        return known

    def _account_fact(self, name: str) -> FactRef | None:
        if name not in self._facts:
            stamp, value = self._stamps.of(name), self._view.values.get(name)
            known = stamp is not None and value is not None
            self._facts[name] = fact_reference(name, value, stamp) if known and stamp else None
        return self._facts[name]


@lru_cache(maxsize=4096)
def _with_sources(names: tuple[str, ...], segment_source: str, color_source: str) -> tuple[str, ...]:
    spread: list[str] = []
    for name in names:
        spread.append(name)
        if name == "segment":
            spread.append(segment_source)
        elif name == "color" and color_source:
            spread.append(color_source)
    return tuple(dict.fromkeys(spread))


def fact_reference(name: str, value: Plain, stamp: Stamp) -> FactRef:
    time, source, event_id, _ = provenance_of(stamp)
    return FactRef.of_valid(name=name, value=value, source=source, id=event_id, time=time)


def phrase(name: str, value: Plain) -> str:
    """A value in a sentence: shares in percent, large numbers in groups, names without underscores."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case int() | float() if name in _SHARES:
            return f"{value * 100:.0f} %"
        case int() | float():
            return f"{value:,.0f}" if value % 1 == 0 else f"{value:.1f}"
        case str():
            return value if name.endswith("_id") else value.replace("_", " ")
        case _:
            return ", ".join(value)
