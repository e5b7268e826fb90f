"""Feedback: what customers do about our contact moves its rhythm, one step at a time, damped and ageing.

Computed from the dated entries each time, in the order in which things happened: the order of arrival does not matter,
and nothing is counted twice.
"""

from datetime import timedelta
from typing import NamedTuple

from services.cadence.account import Plain, Stamp, when
from services.cadence.evaluation.event_entries import entries_of, recent_events
from services.cadence.evaluation.rhythms import NONE, Amounts
from services.cadence.evaluation.state import EvaluationState
from services.cadence.policy import Damping, Feedback

_US = timedelta(microseconds=1)
MOST_STEPS = 2
"""A type is moved by at most this many steps at a time."""


class FeedbackStep(NamedTuple):
    """An entry that a feedback rule answers. `at` in microseconds."""

    at: int
    stamp: Stamp
    rule: Feedback
    bit: int
    values: dict[str, Plain]


class FeedbackState(NamedTuple):
    """`levels`: steps by touchpoint type, without zeros; `steps`: the active ones behind them, oldest first."""

    levels: Amounts = NONE
    steps: tuple[tuple[str, FeedbackStep], ...] = ()
    fired: int = 0
    change_points: tuple[int, ...] = ()


_NO_FEEDBACK = FeedbackState()


def evaluate_feedback(state: EvaluationState) -> FeedbackState:
    """The steps that act now."""
    if not state.policy.feedback:
        return _NO_FEEDBACK
    return weigh_steps(_asked_steps(state), state.policy.content.damping, state.now)


def weigh_steps(asked: list[FeedbackStep], damping: Damping, now: int) -> FeedbackState:
    """What the steps asked for, in order of time, come to at `now`."""
    if not asked:
        return _NO_FEEDBACK
    levels: list[tuple[str, int]] = []
    active: list[tuple[str, FeedbackStep]] = []
    change_points: set[int] = set()
    fired = 0
    for step in asked:
        fired |= 1 << step.bit
    for kind in sorted({kind for step in asked for kind in step.rule.touchpoints}):
        own = [step for step in asked if kind in step.rule.touchpoints]
        steps = active_steps(own, damping, now, change_points)
        active += [(kind, step) for step in steps]
        total = sum(1 if step.rule.steps > 0 else -1 for step in steps)
        level = max(-MOST_STEPS, min(MOST_STEPS, total))
        if level:
            levels.append((kind, level))
    return FeedbackState(tuple(levels), tuple(active), fired, tuple(sorted(change_points)))


def active_steps(
    asked: list[FeedbackStep], damping: Damping, now: int, change_points: set[int]
) -> list[FeedbackStep]:
    """The steps that act at `now`, of those asked for in order of time; adds the moments when that changes.

    A step too soon after the one before it does not count. One that has aged out still damps what followed it.
    """
    spacing, lasts = damping.spacing // _US, damping.lasts // _US
    active: list[FeedbackStep] = []
    last: int | None = None
    for step in asked:
        if step.at > now:
            change_points.add(step.at)
            break
        if last is not None and step.at - last < spacing:
            continue
        last = step.at
        if now < step.at + lasts:
            active.append(step)
            change_points.add(step.at + lasts)
    return active


def _asked_steps(state: EvaluationState) -> list[FeedbackStep]:
    policy, view = state.policy, state.view
    steps: list[FeedbackStep] = []
    for event in recent_events(view, dict.fromkeys(policy.feedback, view.now)):
        bits_of, rules = policy.feedback_bits[event], policy.feedback[event]
        for entry in entries_of(view, event, 0, policy.entry_reads[event]):
            bits = bits_of(view.values, entry.values)
            for bit, rule in rules if bits else ():
                if bits >> bit & 1:
                    steps.append(FeedbackStep(entry.at, entry.stamp, rule, bit, entry.values))
    steps.sort(key=lambda step: (step.at, when(step.stamp), step.rule.rule))
    return steps
