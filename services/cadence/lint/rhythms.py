"""Rhythms that are never selected, that may be stretched where they must not, or that leave their owner open."""

from collections.abc import Iterator
from itertools import combinations

from services.cadence.evaluation.rhythms import selection_rank
from services.cadence.features.feature import COLORS
from services.cadence.lint.accounts import PossibleAccounts
from services.cadence.lint.conditions import condition
from services.cadence.lint.findings import Finding, finding, listed
from services.cadence.lint.precedence import is_guarantee, leader, overriding, reach, reaches_customer
from services.cadence.policy import Adjustment, Feedback, Rhythm, Trigger


def overridden(accounts: PossibleAccounts) -> Iterator[Finding]:
    """Rhythms that others always come before."""
    for _, rule in accounts.policy.rhythms:
        others = _needed(accounts, rule, overriding(accounts.policy, rule))
        names, days = listed([other.rule for other in others]), rule.every_days
        names = f"one of {names}" if len(others) > 1 else names
        if not others:
            continue
        if rule.fallback:
            message = f"never needed: wherever it holds, {names} reaches customers every {days} days already"
            yield finding("contradiction", rule, f"{message}; remove it, or change the other")
        elif is_guarantee(rule) and all(other.within is not None for other in others):
            message = f"every {days} days is rarer than the `within` of {names} ever allows"
            yield finding("contradiction", rule, f"{message}; make it shorter, or widen `within`")
        else:
            message = f"never selected: wherever it holds, {names} comes first"
            yield finding("shadowed", rule, f"{message}; remove it, or narrow the other")


def _needed(accounts: PossibleAccounts, rule: Rhythm, others: list[Rhythm]) -> list[Rhythm]:
    """As few as it takes for one to hold wherever the rule does, if possible such as may be stretched; empty: too few."""
    needed = sorted(others, key=lambda other: other.within is not None)
    if not accounts.implies(rule.rule, [other.rule for other in needed]):
        return []
    for other in tuple(needed):
        fewer = [kept for kept in needed if kept is not other]
        if accounts.implies(rule.rule, [kept.rule for kept in fewer]):
            needed = fewer
    return needed


def stretched(accounts: PossibleAccounts) -> Iterator[Finding]:
    """Answers to red and yellow that a preference, feedback or another rhythm may stretch."""
    for _, rule in accounts.policy.rhythms:
        if is_guarantee(rule) or not reaches_customer(accounts.policy, rule):
            continue
        colors = _urgent_colors(accounts, rule)
        if colors:
            most = f"to {rule.within[1]} days" if rule.within else "by any rhythm that comes before it"
            message = f"answers {colors} every {rule.every_days} days, but may be stretched {most}"
            advice = "give it `precedence: escalation` and remove `within`"
            yield finding("contradiction", rule, f"{message}; {advice}")


def _urgent_colors(accounts: PossibleAccounts, rule: Rhythm) -> str:
    """The colours an account has whenever the rule holds, where these are urgent ones; empty where it never does."""
    tests = {color: f'color is not null and color == "{color}"' for color in COLORS} | {"": "color is null"}
    colors = [color for color, text in tests.items() if accounts.possible((rule.rule, condition(text)))]
    return " or ".join(colors) if {"red", "yellow"}.issuperset(colors) else ""


def undecided(accounts: PossibleAccounts) -> Iterator[Finding]:
    """Two rhythms, or triggers on one event, that differ in owner or channel alone, so that their names decide."""
    policy = accounts.policy
    pairs: list[tuple[Rhythm | Trigger, Rhythm | Trigger]] = [
        (one, other)
        for (_, one), (_, other) in combinations(policy.rhythms, 2)
        if selection_rank(one)[:2] == selection_rank(other)[:2] and one.fallback == other.fallback
    ]
    for triggers in policy.triggers.values():
        pairs += [(one, other) for (_, one), (_, other) in combinations(triggers, 2)]
    for pair in pairs:
        first, second = sorted(pair, key=lambda rule: rule.place)
        there, here = (" by ".join(leader(policy, rule)) for rule in (first, second))
        is_open = first.touchpoint == second.touchpoint and here != there
        witness = accounts.example(*(rule.rule for rule in pair)) if is_open else None
        if witness is not None:
            message = f"may hold together with {first.rule}, and only their names decide who leads"
            advice = "narrow one, or change its precedence" if isinstance(first, Rhythm) else "narrow one"
            message = f"{message} ({here} here, {there} there); {advice}"
            yield finding("contradiction", second, message, witness=witness)


def opposed(accounts: PossibleAccounts) -> Iterator[Finding]:
    """Adjustments that always hold together and cancel each other."""
    for (_, one), (_, other) in combinations(accounts.policy.adjustments, 2):
        shared = sorted({*one.touchpoints} & {*other.touchpoints})
        if not shared or one.steps + other.steps != 0:
            continue
        if accounts.implies(one.rule, (other.rule,)) and accounts.implies(other.rule, (one.rule,)):
            first, second = sorted((one, other), key=lambda rule: rule.place)
            message = f"holds whenever {first.rule} does and cancels it for {', '.join(shared)}; remove one"
            yield finding("contradiction", second, message)


def unmoving(accounts: PossibleAccounts) -> Iterator[Finding]:
    """Adjustments and feedback that no rhythm has room to follow."""
    policy = accounts.policy
    feedback = (rule for rules in policy.feedback.values() for rule in rules)
    for _, rule in (*policy.adjustments, *feedback):
        moved = any(_moves(accounts, rule, rhythm) for _, rhythm in policy.rhythms)
        if not moved and accounts.cohorts_of(rule.rule):
            types, way = ", ".join(rule.touchpoints), "rarer" if rule.steps > 0 else "denser"
            message = f"moves nothing: where it holds, no rhythm of {types} may become {way}"
            yield finding("never-fires", rule, f"{message}; widen `within` there, or remove it")


def _moves(accounts: PossibleAccounts, rule: Adjustment | Feedback, rhythm: Rhythm) -> bool:
    if rhythm.touchpoint not in rule.touchpoints or rhythm.within is None:
        return False
    shortest, longest = reach(rhythm)
    has_room = longest > rhythm.every_days if rule.steps > 0 else shortest < rhythm.every_days
    if isinstance(rule, Feedback) and rule.steps > 0:
        has_room = has_room or accounts.policy.content.damping.at_the_end is not None
    return has_room and accounts.possible((rule.rule, rhythm.rule))
