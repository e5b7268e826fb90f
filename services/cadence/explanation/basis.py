"""Basis: what a rule is read against: the event that a trigger answers, the date a step counts from, or the account."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from schemas.plans import OneOffItem
from services.cadence.account import Plain, Stamp, who
from services.cadence.evaluation.candidates import Selection
from services.cadence.evaluation.event_entries import EventEntry, entries_of
from services.cadence.evaluation.state import EvaluationState
from services.cadence.evaluation.timelines import AnchorPoint, anchors_of
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.policy import Feedback, Policy, Step, Trigger

_US = timedelta(microseconds=1)
_FOREVER = 1 << 61
_MISSING = {
    "renewal": "no contract with a renewal date is known",
    "notice": "no contract that renews by itself is known",
    "start": "the account has not started",
    "go_live": "no milestone of kind go_live was reached",
    "program": "no program was announced for this account",
}


class Basis(NamedTuple):
    """`values` take the place of the account's; `closes`: when its window ends, in microseconds.

    `missing`: why there is no event or date to read the rule against; "" where there is.
    """

    values: Mapping[str, Plain] = {}
    stamp: Stamp | None = None
    closes: int | None = None
    missing: str = ""


def trigger_basis(state: EvaluationState, rule: Trigger, item: OneOffItem | None, *, stopped: bool) -> Basis:
    """The event its item answers; when the rule was stopped, the newest that matches; else the newest of its type."""
    entries = _entries(state, rule)
    if not entries:
        return _no_event(state.policy, rule)
    chosen = entries[-1]
    if item is not None and item.cause is not None:
        cause = (item.cause.source, item.cause.id)
        chosen = next((entry for entry in entries if who(entry.stamp) == cause), chosen)
    elif stopped:
        bits_of, bit = state.policy.entry_bits[rule.on], state.policy.bits[rule.rule]
        since, values = state.view.now - rule.within // _US, state.view.values
        matching = [
            entry for entry in entries if entry.at > since and bits_of(values, entry.values) >> bit & 1
        ]
        chosen = matching[-1] if matching else chosen
    return Basis(chosen.values, chosen.stamp, chosen.at + rule.within // _US)


def feedback_basis(state: EvaluationState, rule: Feedback) -> Basis:
    """The newest event of its type; it acts as long as steps last."""
    entries = _entries(state, rule)
    if not entries:
        return _no_event(state.policy, rule)
    chosen = entries[-1]
    return Basis(chosen.values, chosen.stamp, chosen.at + state.policy.content.damping.lasts // _US)


def step_basis(state: EvaluationState, rule: Step) -> Basis:
    """The anchor for which its condition is true and whose window comes next; else the one that passed last."""
    policy, view = state.policy, state.view
    timeline, bit = policy.timelines[rule.anchor], policy.bits[rule.rule]
    end = next(end for own_bit, _, _, end in timeline.steps if own_bit == bit)

    def rank(anchor: AnchorPoint) -> tuple[bool, bool, int]:
        is_true = timeline.bits(view.values, anchor.values) >> bit & 1
        past = view.now >= anchor.base + end
        return not is_true, past, -anchor.base if past else anchor.base

    anchors = sorted(anchors_of(state, Selection(), rule.anchor, _FOREVER), key=rank)
    if not anchors:
        return Basis(missing=_MISSING[rule.anchor])
    anchor = anchors[0]
    values: Mapping[str, Plain] = {} if anchor.values is view.values else anchor.values
    return Basis(values, anchor.stamp, anchor.base + end)


def _entries(state: EvaluationState, rule: Trigger | Feedback) -> Sequence[EventEntry]:
    read = state.policy.entry_reads[rule.on]
    entries = entries_of(state.view, rule.on, 0, read)
    return [_with_color(state.policy, entry) for entry in entries]


def _with_color(policy: Policy, entry: EventEntry) -> EventEntry:
    """Rules read the colour that the policy derives from a score without one; the explanation shows the same."""
    if "color" not in entry.values:
        return entry
    color = policy.content.health.effective_color(entry.values["color"], entry.values.get("health_score"))
    return entry._replace(values={**entry.values, "color": color})


def _no_event(policy: Policy, rule: Trigger | Feedback) -> Basis:
    read = set(policy.read_by[rule.rule])
    unknown: dict[str, Plain] = {name: None for name in EVENT_FEATURES[rule.on] if name in read}
    return Basis(unknown, missing=f"there was no {rule.on} event")
