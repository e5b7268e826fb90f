"""Reasons: which facts a rule read, and the sentence a CSM reads. Made only for plans that are looked at."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from services.cadence.account import Facts, Plain, Stamp
from services.cadence.evaluation.documents import text_at
from services.cadence.evaluation.feature_stamps import Marks
from services.cadence.features.compute import AccountView
from services.cadence.policy import PLACEHOLDER, Policy, Rule

_SHARES = frozenset({"seat_ratio", "limit_ratio", "attendance_rate", "open_rate", "click_rate"})
_NO_WORDS: Mapping[str, Plain] = {}
Fact = Mapping[str, object]


class Said(NamedTuple):
    """A sentence, and the facts it rests on."""

    text: str
    facts: list[Fact]


class Reasons:
    """Reasons of one account at one moment, in the shape of the wire."""

    def __init__(self, policy: Policy, facts: Facts, view: AccountView) -> None:
        self._policy = policy
        self._seen = view
        self._marks = Marks(facts, view)
        self._known: dict[str, Fact | None] = {}
        self._derived: tuple[str, str] | None = None

    def of(
        self,
        rule: Rule,
        stamp: Stamp | None = None,
        words: Mapping[str, Plain] = _NO_WORDS,
        more: Iterable[Said] = (),
    ) -> dict[str, object]:
        """`mark` and `words` are of the entry or contract the rule stands on; `more` is what else there is to say."""
        text, found = self.said(rule, stamp, words)
        for each in more:
            text = f"{text} {each.text}"
            found += [fact for fact in each.facts if fact not in found]
        return {"rule": rule.rule, "policy": self._policy.hash, "facts": found, "text": text}

    def said(self, rule: Rule, stamp: Stamp | None = None, words: Mapping[str, Plain] = _NO_WORDS) -> Said:
        """What the rule itself says, and what it read."""
        found: list[Fact] = []
        if stamp is not None:
            found += [fact_of(name, value, stamp) for name, value in words.items() if value is not None]
        for name in self._under(self._policy.read_by[rule.rule]):
            fact = None if name in words else self._account(name)
            if fact is not None:
                found.append(fact)
        return Said(self.filled(rule.because, words), found)

    def filled(self, because: str, words: Mapping[str, Plain] = _NO_WORDS) -> str:
        if "{" not in because:
            return because
        values = self._seen.values

        def filled_in(slot: re.Match[str]) -> str:
            name = slot.group(1)
            return phrase(name, words[name] if name in words else values.get(name))

        return PLACEHOLDER.sub(filled_in, because)

    def _under(self, read: tuple[str, ...]) -> tuple[str, ...]:
        """The words read, and under derived ones those they were derived from."""
        if self._derived is None:
            scored = self._marks.of("color") == self._marks.of("health_score")
            overridden = self._seen.values["segment_override"] is not None
            self._derived = ("segment_override" if overridden else "arr", "health_score" if scored else "")
        return _spread(read, *self._derived)

    def _account(self, name: str) -> Fact | None:
        if name not in self._known:
            stamp, value = self._marks.of(name), self._seen.values.get(name)
            self._known[name] = None if stamp is None or value is None else fact_of(name, value, stamp)
        return self._known[name]


@lru_cache(maxsize=4096)
def _spread(read: tuple[str, ...], under_segment: str, under_color: str) -> tuple[str, ...]:
    found: list[str] = []
    for name in read:
        found.append(name)
        if name == "segment":
            found.append(under_segment)
        elif name == "color" and under_color:
            found.append(under_color)
    return tuple(dict.fromkeys(found))


def fact_of(name: str, value: Plain, stamp: Stamp) -> Fact:
    at, source, event_id, _ = stamp.split("\x1f")
    return {"name": name, "value": value, "source": source, "id": event_id, "time": text_at(int(at))}


def phrase(name: str, value: Plain) -> str:
    """A value as it is read aloud: shares in percent, large numbers in groups, names without underscores."""
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
