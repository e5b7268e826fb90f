"""Triggers and steps that another one makes idle, that leave open who leads, or whose times do not fit together."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations

from services.cadence.lint.accounts import Accounts
from services.cadence.lint.findings import Finding
from services.cadence.policy import Policy, Step, Trigger

_NONE = timedelta(0)
_OneOff = Trigger | Step


def hidden(accounts: Accounts) -> Iterator[Finding]:
    """One-offs that another of the same moment and type asks for whenever they do."""
    told: set[str] = set()
    for one, other in _pairs(accounts.policy):
        later, earlier = sorted((one, other), key=lambda each: each.place, reverse=True)
        for rule, ahead in ((later, earlier), (earlier, later)):
            if rule.rule in told or ahead.rule in told or not _covers(accounts.policy, ahead, rule):
                continue
            if _implied(accounts, rule, ahead):
                told.add(rule.rule)
                said = f"{ahead.rule} asks for the same {rule.touchpoint} whenever this does"
                yield Finding(
                    "shadowed", rule.place, rule.rule, f"{said}; take it out, or narrow one of them"
                )


def undecided(accounts: Accounts) -> Iterator[Finding]:
    """Two that answer the same fact with the same type and differ in who leads: their names decide."""
    policy = accounts.policy
    for one, other in _pairs(policy):
        if not isinstance(one, Trigger) or _led(policy, one) == _led(policy, other):
            continue
        witness = accounts.together(one.rule, other.rule)
        if witness is not None:
            first, second = sorted((one, other), key=lambda each: each.place)
            who = " over ".join(_led(policy, first))
            said = f"answers what {first.rule} may answer at once, by {who}, and only their names decide"
            yield Finding(
                "contradiction", second.place, second.rule, f"{said}; narrow one of them", witness=witness
            )


def _pairs(policy: Policy) -> Iterator[tuple[_OneOff, _OneOff]]:
    for found in policy.triggers.values():
        for (_, one), (_, other) in combinations(found, 2):
            if one.touchpoint == other.touchpoint:
                yield one, other
    for timeline in policy.timelines.values():
        for one, other in combinations([step for _, step, _, _ in timeline.steps], 2):
            if one.touchpoint == other.touchpoint:
                yield one, other


def _led(policy: Policy, rule: _OneOff) -> tuple[str, str]:
    kind = policy.catalogue[rule.touchpoint]
    return rule.owner or kind.owner, rule.channel or kind.channel


def _covers(policy: Policy, ahead: _OneOff, rule: _OneOff) -> bool:
    """Would what `ahead` asks for stand for what this asks for, where both hold?"""
    if isinstance(ahead, Step) and isinstance(rule, Step):
        return (ahead.days, ahead.within) == (rule.days, rule.within) and (
            ahead.deadline == rule.deadline and _led(policy, ahead) == _led(policy, rule)
        )
    if isinstance(ahead, Trigger) and isinstance(rule, Trigger):
        inside = ahead.after <= rule.after and ahead.within >= rule.within
        alike = _led(policy, ahead) == _led(policy, rule) and ahead.deadline == rule.deadline
        freer = (ahead.cooldown or _NONE) <= (rule.cooldown or _NONE) and ahead.cap in {None, rule.cap}
        return inside and freer and (alike or ahead.rule < rule.rule)
    return False


def _implied(accounts: Accounts, rule: _OneOff, ahead: _OneOff) -> bool:
    alive = accounts.alive(rule.rule)
    return bool(alive) and all(
        accounts.can(world, (rule.rule,), (ahead.rule,)).answer == "no" for world in alive
    )


def mistimed(accounts: Accounts) -> Iterator[Finding]:
    """Deadlines outside their windows, windows that close before they open, caps that cool-downs make idle."""
    content = accounts.policy.content
    for rule in (*content.triggers, *content.steps):
        told = _mistimed(rule)
        if told:
            yield Finding("contradiction", rule.place, rule.rule, told)


def _mistimed(rule: _OneOff) -> str:
    opens = rule.after if isinstance(rule, Trigger) else _NONE
    if opens >= rule.within:
        return (
            f"the window opens after {span(opens)} and closes after {span(rule.within)}; let it open earlier"
        )
    if rule.deadline is not None and rule.deadline > rule.within:
        told = f"the deadline, after {span(rule.deadline)}, lies behind the window"
        return f"{told}, which closes after {span(rule.within)}; make it shorter, or the window longer"
    if rule.deadline is not None and rule.deadline <= opens:
        return f"the deadline, after {span(rule.deadline)}, has passed when the window opens; make it longer"
    return _idle_cap(rule) if isinstance(rule, Trigger) else ""


def _idle_cap(rule: Trigger) -> str:
    if rule.cap is None or rule.cooldown is None or rule.cap.count * rule.cooldown < rule.cap.per:
        return ""
    cap = f"{rule.cap.count} per {span(rule.cap.per)}"
    return (
        f"with a cool-down of {span(rule.cooldown)} the cap of {cap} is never reached; leave one of them out"
    )


def span(time: timedelta) -> str:
    """As a policy writes it."""
    hours = time.total_seconds() / 3600
    return f"{hours:g}h" if hours <= 48 or hours % 24 else f"{hours / 24:g}d"
