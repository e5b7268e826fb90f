"""Reasons: which facts a rule read, and the sentence a CSM reads. Made only for plans that are looked at."""

import re
from collections.abc import Iterable

from services.rules_engine.domain.facts import Facts, Mark, Plain, stamp_of
from services.rules_engine.domain.plan.shapes import Evidence, Reason
from services.rules_engine.domain.policy import Policy, Rule
from services.rules_engine.domain.vocabulary.registry import WORDS
from services.rules_engine.domain.vocabulary.view import View

SLOT = re.compile(r"\{([a-z_]+)\}")
_SHARES = frozenset({"seat_ratio", "limit_ratio"})


class Reasons:
    """Reasons of one account at one moment."""

    def __init__(self, policy: Policy, facts: Facts, seen: View) -> None:
        self._policy = policy
        self._seen = seen
        self._marks = marks(facts, seen)

    def of(self, rule: Rule, mark: Mark | None = None, words: dict[str, Plain] | None = None) -> Reason:
        """`mark` and `words` are of the entry or contract the rule stands on, if it stands on one."""
        words = words or {}
        values = {**self._seen.values, **words}
        found = self._evidence((*words, *self._under(self._policy.read_by[rule.rule])), values, mark, words)
        text = SLOT.sub(lambda slot: phrase(slot.group(1), values.get(slot.group(1))), rule.because)
        return Reason(rule.rule, self._policy.hash, tuple(found), text)

    def _under(self, read: Iterable[str]) -> Iterable[str]:
        """The words read, and under derived ones those they were derived from."""
        for name in read:
            yield name
            if name == "segment":
                yield "segment_override" if self._seen.values["segment_override"] is not None else "arr"
            elif name == "color" and self._marks.get("color") == self._marks.get("health_score"):
                yield "health_score"

    def _evidence(
        self, read: Iterable[str], values: dict[str, Plain], mark: Mark | None, words: dict[str, Plain]
    ) -> Iterable[Evidence]:
        for name in dict.fromkeys(read):
            rests_on = mark if name in words else self._marks.get(name)
            value = values.get(name)
            if rests_on is not None and value is not None:
                stamp = stamp_of(rests_on)
                yield Evidence(name, value, stamp.source, stamp.id, stamp.time)


def marks(facts: Facts, seen: View) -> dict[str, Mark]:
    """Per word the newest stamp it rests on; words nobody spoke of have none."""
    stored = {name: mark for mark, said in facts.account.items() for name in said}
    if "health_score" in stored and not _said(facts, "color"):
        stored["color"] = stored["health_score"]
    usage = facts.entries.get("usage.reported")
    if usage:
        stored["usage"] = next(reversed(usage))
    if None in seen.last_touch:
        stored["touch"] = seen.last_touch[None][1]
    primary = seen.primary
    if primary is not None:
        parts = {
            "renewal": primary.anchor,
            "status": primary.status_mark,
            "signature": primary.signature or primary.status_mark,
            "start": primary.first_signature or primary.status_mark or primary.anchor,
            "contract": max(facts.contracts[primary.contract_id].held, default=None),
        }
        stored.update({name: mark for name, mark in parts.items() if mark is not None})
        if not _said(facts, "arr"):
            stored.update(_revenue(facts))
    return {
        name: max(found)
        for name, word in WORDS.items()
        if (found := [stored[part] for part in word.rests_on if part in stored])
    }


def _revenue(facts: Facts) -> dict[str, Mark]:
    """The newest word on any contract's revenue."""
    spoke = [mark for each in facts.contracts.values() for mark, said in each.held.items() if "arr" in said]
    return {"arr": max(spoke)} if spoke else {}


def _said(facts: Facts, name: str) -> bool:
    return any(said.get(name) is not None for said in facts.account.values())


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
