"""Grounds: what a rule stands on: the entry a trigger answers, the date a step counts from, the account itself."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from services.cadence.account import Facts, Plain, Stamp, who
from services.cadence.evaluation import OneOffItem
from services.cadence.evaluation.candidates import Scene, Wishes
from services.cadence.evaluation.event_entries import Heard, heard
from services.cadence.evaluation.timelines import AnchorPoint, anchors_of
from services.cadence.features.compute import AccountView
from services.cadence.features.registry import EVENT_FEATURES
from services.cadence.policy import Feedback, Policy, Step, Trigger
from services.cadence.portfolio import Portfolio

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
    stamp: Stamp | None = None
    closes: int | None = None
    missing: str = ""


class Land(NamedTuple):
    """Where grounds are looked for."""

    policy: Policy
    facts: Facts
    portfolio: Portfolio
    view: AccountView


def of_trigger(land: Land, rule: Trigger, item: OneOffItem | None, *, stopped: bool) -> Ground:
    """The entry its item springs from; where one was stopped, the newest that holds; else the newest of its event."""
    entries = _entries(land, rule)
    if not entries:
        return _none(land.policy, rule)
    chosen = entries[-1]
    if item is not None:
        chosen = next((each for each in entries if who(each.stamp) == item.cause), chosen)
    elif stopped:
        evaluate_conditions, bit = land.policy.entry_bits[rule.on], land.policy.bits[rule.rule]
        since = land.view.now - rule.within // _US
        held = [
            each
            for each in entries
            if each.at > since and evaluate_conditions(land.view.values, each.words) >> bit & 1
        ]
        chosen = held[-1] if held else chosen
    return Ground(chosen.words, chosen.stamp, chosen.at + rule.within // _US)


def of_feedback(land: Land, rule: Feedback) -> Ground:
    """The newest entry of its event; it acts as long as steps last."""
    entries = _entries(land, rule)
    if not entries:
        return _none(land.policy, rule)
    chosen = entries[-1]
    return Ground(chosen.words, chosen.stamp, chosen.at + land.policy.content.damping.lasts // _US)


def of_step(land: Land, rule: Step) -> Ground:
    """The anchor for which it holds and whose window comes next; else the one that passed last."""
    policy, view = land.policy, land.view
    timeline, bit = policy.timelines[rule.anchor], policy.bits[rule.rule]
    end = next(ends for each, _, _, ends in timeline.steps if each == bit)
    scene = Scene(policy, land.facts, land.portfolio, view, {}, None, ())

    def rank(anchor: AnchorPoint) -> tuple[bool, bool, int]:
        holds = timeline.bits(view.values, anchor.words) >> bit & 1
        past = view.now >= anchor.base + end
        return not holds, past, -anchor.base if past else anchor.base

    found = sorted(anchors_of(scene, Wishes(), rule.anchor, _FOREVER), key=rank)
    if not found:
        return Ground({}, None, None, _UNHEARD[rule.anchor])
    words: Mapping[str, Plain] = {} if found[0].words is view.values else found[0].words
    return Ground(words, found[0].stamp, found[0].base + end)


def _entries(land: Land, rule: Trigger | Feedback) -> Sequence[Heard]:
    found = heard(land.facts, land.view, rule.on, 0, land.policy.entry_reads[rule.on])
    return [_coloured(land.policy, each) for each in found]


def _coloured(policy: Policy, entry: Heard) -> Heard:
    """Rules read the colour of a score that was told without one as the policy derives it; so does who asks why."""
    if "color" not in entry.words:
        return entry
    color = policy.content.health.effective_color(entry.words["color"], entry.words.get("health_score"))
    return entry._replace(words={**entry.words, "color": color})


def _none(policy: Policy, rule: Trigger | Feedback) -> Ground:
    read = set(policy.read_by[rule.rule])
    blank: dict[str, Plain] = {name: None for name in EVENT_FEATURES[rule.on] if name in read}
    return Ground(blank, None, None, f"no {rule.on} was ever heard")
