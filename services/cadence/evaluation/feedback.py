"""Feedback: what customers do about our contact moves its rhythm, a step at a time, damped and ageing.

Read anew from the dated entries each time, in the order in which things happened: the order in which they were heard
means nothing, and nothing is counted twice.
"""

from datetime import timedelta
from typing import NamedTuple

from services.cadence.account import Facts, Plain, Stamp
from services.cadence.evaluation.event_entries import heard, recent_events
from services.cadence.evaluation.rhythms import NONE, Days
from services.cadence.features.compute import AccountView
from services.cadence.policy import Damping, Feedback, Policy

_US = timedelta(microseconds=1)
STEPS = 2
"""A type is moved by no more than this many steps at a time."""


class Asked(NamedTuple):
    """An entry that a rule of feedback answers. `at` in microseconds."""

    at: int
    stamp: Stamp
    rule: Feedback
    bit: int
    words: dict[str, Plain]


class Felt(NamedTuple):
    """`levels`: steps by touchpoint type, those that are not 0; `steps`: the live ones behind them, oldest first."""

    levels: Days = NONE
    steps: tuple[tuple[str, Asked], ...] = ()
    fired: int = 0
    turns: tuple[int, ...] = ()


_NOTHING = Felt()


def feel(policy: Policy, facts: Facts, view: AccountView) -> Felt:
    """What feedback asks for now. `seen.values` carry segment, stage and colour."""
    if not policy.feedback:
        return _NOTHING
    asked = _asked(policy, facts, view)
    if not asked:
        return _NOTHING
    levels: list[tuple[str, int]] = []
    live: list[tuple[str, Asked]] = []
    turns: set[int] = set()
    fired = 0
    for each in asked:
        fired |= 1 << each.bit
    for kind in sorted({kind for each in asked for kind in each.rule.touchpoints}):
        own = [each for each in asked if kind in each.rule.touchpoints]
        steps = counted(own, policy.content.damping, view.now, turns)
        live += [(kind, each) for each in steps]
        level = max(-STEPS, min(STEPS, sum(1 if each.rule.steps > 0 else -1 for each in steps)))
        if level:
            levels.append((kind, level))
    return Felt(tuple(levels), tuple(live), fired, tuple(sorted(turns)))


def counted(asked: list[Asked], damping: Damping, now: int, turns: set[int]) -> list[Asked]:
    """The steps that act now, of those asked for in order of time; `turns` takes the moments when that changes.

    One that comes too soon after the step before it does not count. One that has aged out still damps what followed.
    """
    spacing, lasts = damping.spacing // _US, damping.lasts // _US
    live: list[Asked] = []
    last: int | None = None
    for each in asked:
        if each.at > now:
            turns.add(each.at)
            break
        if last is not None and each.at - last < spacing:
            continue
        last = each.at
        if now < each.at + lasts:
            live.append(each)
            turns.add(each.at + lasts)
    return live


def _asked(policy: Policy, facts: Facts, view: AccountView) -> list[Asked]:
    found: list[Asked] = []
    for event in recent_events(facts, view, dict.fromkeys(policy.feedback, view.now)):
        judge, rules = policy.feedback_bits[event], policy.feedback[event]
        for entry in heard(facts, view, event, 0, policy.entry_reads[event]):
            bits = judge(view.values, entry.words)
            for bit, rule in rules if bits else ():
                if bits >> bit & 1:
                    found.append(Asked(entry.at, entry.stamp, rule, bit, entry.words))
    found.sort(key=lambda each: (each.at, each.stamp, each.rule.rule))
    return found
