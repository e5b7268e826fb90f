"""Rhythms that never stand, that give way where they must not, or that leave open who leads."""

from collections.abc import Iterator
from itertools import combinations

from services.cadence.lint.accounts import Accounts
from services.cadence.lint.findings import Finding
from services.cadence.lint.standing import (
    beaters,
    guarantees,
    led,
    longest,
    met,
    reaches,
    shortest,
)
from services.cadence.lint.trees import compared, known
from services.cadence.policy import Adjustment, Feedback, Rhythm

_URGENT = ("red", "yellow")
_NAMED = 4
"""Rules that a message names at most."""


def hidden(accounts: Accounts) -> Iterator[Finding]:
    """Rhythms beside which others always stand."""
    policy = accounts.policy
    for _, rule in policy.rhythms:
        ahead = beaters(policy, rule)
        if not accounts.alive(rule.rule) or not met(accounts, rule, ahead):
            continue
        ahead = _needed(accounts, rule, ahead)
        names = _named(ahead)
        if rule.fallback:
            told = f"never needed: wherever it holds, {names} reaches the customer every {rule.every_days} days already"
            yield Finding(
                "contradiction", rule.place, rule.rule, f"{told}; take it out, or ask for less elsewhere"
            )
        elif guarantees(rule) and all(each.within is not None for each in ahead):
            told = f"every {rule.every_days} days is rarer than the `within` of {names} ever allows"
            yield Finding(
                "contradiction", rule.place, rule.rule, f"{told}; make it shorter, or widen `within`"
            )
        else:
            told = f"never stands: wherever it holds, {names} comes first"
            yield Finding("shadowed", rule.place, rule.rule, f"{told}; take it out, or narrow the other")


def _needed(accounts: Accounts, rule: Rhythm, ahead: list[Rhythm]) -> list[Rhythm]:
    """As few of them as it takes, those that give way before others."""
    found = sorted(ahead, key=lambda each: each.within is not None)
    for each in tuple(found):
        fewer = [other for other in found if other is not each]
        if met(accounts, rule, fewer):
            found = fewer
    return found


def _named(found: list[Rhythm]) -> str:
    names = [each.rule for each in found]
    if len(names) > _NAMED:
        names = [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} others"]
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def yielding(accounts: Accounts) -> Iterator[Finding]:
    """Answers to red and yellow that a wish, feedback or another rhythm may stretch."""
    policy = accounts.policy
    for _, rule in policy.rhythms:
        if guarantees(rule) or not reaches(policy, rule) or not accounts.alive(rule.rule):
            continue
        color = _answers(accounts, rule)
        if color:
            most = f"to {rule.within[1]} days" if rule.within else "by any rhythm that comes before it"
            told = f"answers {color} every {rule.every_days} days, but may be stretched {most}"
            more = "; give it `precedence: escalation` and leave `within` away"
            yield Finding("contradiction", rule.place, rule.rule, told + more)


def _answers(accounts: Accounts, rule: Rhythm) -> str:
    """The colours an account has whenever the rule holds, where these are urgent ones."""
    found: list[str] = []
    for color in ("red", "yellow", "green"):
        so = ((known("color"), True), (compared("color", "==", color), True))
        if any(
            accounts.can(world, (rule.rule,), also=so).answer != "no" for world in accounts.alive(rule.rule)
        ):
            found.append(color)
    without = ((known("color"), False),)
    free = any(
        accounts.can(world, (rule.rule,), also=without).answer != "no" for world in accounts.alive(rule.rule)
    )
    return "" if free or not set(found) <= set(_URGENT) else " or ".join(found)


def undecided(accounts: Accounts) -> Iterator[Finding]:
    """Two of equal right that differ in who leads: their names decide."""
    policy = accounts.policy
    for (_, one), (_, other) in combinations(policy.rhythms, 2):
        alike = (one.touchpoint, one.precedence, one.every_days, one.fallback)
        if alike != (other.touchpoint, other.precedence, other.every_days, other.fallback):
            continue
        if led(policy, one) == led(policy, other):
            continue
        witness = accounts.together(one.rule, other.rule)
        if witness is not None:
            first, second = sorted((one, other), key=lambda each: each.place)
            who = f"{' over '.join(led(policy, second))} here, {' over '.join(led(policy, first))} in {first.rule}"
            told = f"two rhythms of equal right may hold together with different leads: {who}"
            more = "; narrow one, or give it another precedence"
            yield Finding("contradiction", second.place, second.rule, told + more, witness=witness)


def opposed(accounts: Accounts) -> Iterator[Finding]:
    """Adjustments that always hold together and cancel each other."""
    for (_, one), (_, other) in combinations(accounts.policy.adjustments, 2):
        shared = sorted({*one.touchpoints} & {*other.touchpoints})
        if shared and one.steps + other.steps == 0 and _same(accounts, one, other):
            first, second = sorted((one, other), key=lambda each: each.place)
            told = f"holds whenever {first.rule} does and undoes it for {', '.join(shared)}; take one out"
            yield Finding("contradiction", second.place, second.rule, told)


def unmoving(accounts: Accounts) -> Iterator[Finding]:
    """Adjustments and feedback beside which no rhythm has room to move their way."""
    policy = accounts.policy
    for _, rule in (*policy.adjustments, *(each for found in policy.feedback.values() for each in found)):
        if accounts.alive(rule.rule) and not any(_moves(accounts, rule, each) for _, each in policy.rhythms):
            way = "rarer" if rule.steps > 0 else "denser"
            told = (
                f"moves nothing: where it holds, no rhythm of {', '.join(rule.touchpoints)} may become {way}"
            )
            yield Finding(
                "never-fires", rule.place, rule.rule, f"{told}; widen `within` there, or take it out"
            )


def _moves(accounts: Accounts, rule: Adjustment | Feedback, rhythm: Rhythm) -> bool:
    if rhythm.touchpoint not in rule.touchpoints or rhythm.within is None:
        return False
    ends_elsewhere = isinstance(rule, Feedback) and accounts.policy.content.damping.at_the_end is not None
    far = longest(rhythm) > rhythm.every_days or ends_elsewhere
    if not (far if rule.steps > 0 else shortest(rhythm) < rhythm.every_days):
        return False
    alive = accounts.alive(rule.rule)
    return any(accounts.can(world, (rule.rule, rhythm.rule)).answer != "no" for world in alive)


def _same(accounts: Accounts, one: Adjustment, other: Adjustment) -> bool:
    pairs = ((one.rule, other.rule), (other.rule, one.rule))
    return bool(accounts.alive(one.rule)) and all(
        accounts.can(world, (held,), (failed,)).answer == "no"
        for held, failed in pairs
        for world in accounts.alive(held)
    )
