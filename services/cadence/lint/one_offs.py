"""Triggers and steps that another one repeats, or whose times do not fit together."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain, combinations

from services.cadence.lint.accounts import PossibleAccounts
from services.cadence.lint.findings import Finding, finding
from services.cadence.lint.precedence import leader
from services.cadence.policy import Policy, Step, Trigger
from services.cadence.policy.document import span

_NONE = timedelta(0)
_OneOff = Trigger | Step


def repeated(accounts: PossibleAccounts) -> Iterator[Finding]:
    """One-offs that another rule plans, for the same event or day, whenever they do."""
    policy, reported = accounts.policy, set[str]()
    triggers = ([rule for _, rule in rules] for rules in policy.triggers.values())
    steps = ([step for _, step, _, _ in timeline.steps] for timeline in policy.timelines.values())
    for pair in chain.from_iterable(combinations(rules, 2) for rules in (*triggers, *steps)):
        later, earlier = sorted(pair, key=lambda rule: rule.place, reverse=True)
        for rule, first in ((later, earlier), (earlier, later)):
            if rule.rule in reported or first.rule in reported or not _covers(policy, first, rule):
                continue
            if accounts.implies(rule.rule, (first.rule,)):
                reported.add(rule.rule)
                message = f"{first.rule} plans the same {rule.touchpoint} whenever this does"
                yield finding("shadowed", rule, f"{message}; remove it, or narrow one of them")


def _covers(policy: Policy, first: _OneOff, rule: _OneOff) -> bool:
    """Whether the touchpoint of `first` replaces that of `rule` where both hold."""
    is_alike = first.deadline == rule.deadline and leader(policy, first) == leader(policy, rule)
    if first.touchpoint != rule.touchpoint:
        return False
    if isinstance(first, Step) and isinstance(rule, Step):
        return is_alike and (first.days, first.within) == (rule.days, rule.within)
    if isinstance(first, Trigger) and isinstance(rule, Trigger):
        is_inside = first.after <= rule.after and first.within >= rule.within
        is_freer = (first.cooldown or _NONE) <= (rule.cooldown or _NONE) and first.cap in {None, rule.cap}
        return is_inside and is_freer and (is_alike or first.rule < rule.rule)
    return False


def mistimed(accounts: PossibleAccounts) -> Iterator[Finding]:
    """Deadlines outside their windows, windows that close before they open, caps that cool-downs make unreachable."""
    content = accounts.policy.content
    for rule in (*content.triggers, *content.steps):
        message = _mistimed(rule)
        if message:
            yield finding("contradiction", rule, message)


def _mistimed(rule: _OneOff) -> str:
    opens = rule.after if isinstance(rule, Trigger) else _NONE
    closes, deadline = f"the window closes after {span(rule.within)}", rule.deadline
    if opens >= rule.within:
        return f"{closes} but opens after {span(opens)}; let it open earlier"
    if deadline is not None and deadline > rule.within:
        return f"the deadline, after {span(deadline)}, is too late: {closes}; change one of them"
    if deadline is not None and deadline <= opens:
        return f"the deadline, after {span(deadline)}, has passed when the window opens; make it longer"
    if not isinstance(rule, Trigger) or rule.cap is None or rule.cooldown is None:
        return ""
    cap = f"{rule.cap.count} per {span(rule.cap.per)}"
    message = (
        f"with a cool-down of {span(rule.cooldown)} the cap of {cap} is never reached; remove one of them"
    )
    return message if rule.cap.count * rule.cooldown >= rule.cap.per else ""
