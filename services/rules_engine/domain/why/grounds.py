"""Grounds: what a rule stands on: the entry a trigger answers, the date a step counts from, the account itself."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from services.rules_engine.domain.book import Book
from services.rules_engine.domain.facts import Facts, Mark, Plain, who
from services.rules_engine.domain.plan import OneOffItem
from services.rules_engine.domain.plan.entries import Heard, heard
from services.rules_engine.domain.plan.steps import AnchorPoint, anchors_of
from services.rules_engine.domain.plan.wishes import Scene, Wishes
from services.rules_engine.domain.policy import Feedback, Policy, Step, Trigger
from services.rules_engine.domain.vocabulary.registry import ENTRY_WORDS
from services.rules_engine.domain.vocabulary.view import View

_US = timedelta(microseconds=1)
_FOREVER = 1 << 61
_UNHEARD = {
    "renewal": "no contract is known that renews",
    "start": "the account has not started",
    "go_live": "no milestone of kind go_live was reached",
    "program": "nothing was announced for this account",
}


class Ground(NamedTuple):
    """`words` lie over the account's; `closes`: the moment after which nobody asks any more, in microseconds.

    `missing`: why there is nothing to stand on; "" where there is.
    """

    words: Mapping[str, Plain] = {}
    mark: Mark | None = None
    closes: int | None = None
    missing: str = ""


class Land(NamedTuple):
    """Where grounds are looked for."""

    policy: Policy
    facts: Facts
    book: Book
    seen: View


def of_trigger(land: Land, rule: Trigger, item: OneOffItem | None, *, stopped: bool) -> Ground:
    """The entry its item springs from; where one was stopped, the newest that holds; else the newest of its event."""
    entries = _entries(land, rule)
    if not entries:
        return _none(land.policy, rule)
    chosen = entries[-1]
    if item is not None:
        chosen = next((each for each in entries if who(each.mark) == item.cause), chosen)
    elif stopped:
        judge, bit = land.policy.entry_bits[rule.on], land.policy.bits[rule.rule]
        since = land.seen.now - rule.within // _US
        held = [
            each for each in entries if each.at > since and judge(land.seen.values, each.words) >> bit & 1
        ]
        chosen = held[-1] if held else chosen
    return Ground(chosen.words, chosen.mark, chosen.at + rule.within // _US)


def of_feedback(land: Land, rule: Feedback) -> Ground:
    """The newest entry of its event; it acts as long as steps last."""
    entries = _entries(land, rule)
    if not entries:
        return _none(land.policy, rule)
    chosen = entries[-1]
    return Ground(chosen.words, chosen.mark, chosen.at + land.policy.content.damping.lasts // _US)


def of_step(land: Land, rule: Step) -> Ground:
    """The anchor for which it holds and whose window comes next; else the one that passed last."""
    policy, seen = land.policy, land.seen
    timeline, bit = policy.timelines[rule.anchor], policy.bits[rule.rule]
    end = next(ends for each, _, _, ends in timeline.steps if each == bit)
    scene = Scene(policy, land.facts, land.book, seen, {}, None, ())

    def rank(anchor: AnchorPoint) -> tuple[bool, bool, int]:
        holds = timeline.bits(seen.values, anchor.words) >> bit & 1
        past = seen.now >= anchor.base + end
        return not holds, past, -anchor.base if past else anchor.base

    found = sorted(anchors_of(scene, Wishes(), rule.anchor, _FOREVER), key=rank)
    if not found:
        return Ground({}, None, None, _UNHEARD[rule.anchor])
    words: Mapping[str, Plain] = {} if found[0].words is seen.values else found[0].words
    return Ground(words, found[0].mark, found[0].base + end)


def _entries(land: Land, rule: Trigger | Feedback) -> Sequence[Heard]:
    found = heard(land.facts, land.seen, rule.on, 0, land.policy.entry_reads[rule.on])
    return [_coloured(land.policy, each) for each in found]


def _coloured(policy: Policy, entry: Heard) -> Heard:
    """Rules read the colour of a score that was told without one as the policy derives it; so does who asks why."""
    if "color" not in entry.words:
        return entry
    color = policy.content.health.told(entry.words["color"], entry.words.get("health_score"))
    return entry._replace(words={**entry.words, "color": color})


def _none(policy: Policy, rule: Trigger | Feedback) -> Ground:
    read = set(policy.read_by[rule.rule])
    blank: dict[str, Plain] = {name: None for name in ENTRY_WORDS[rule.on] if name in read}
    return Ground(blank, None, None, f"no {rule.on} was ever heard")
