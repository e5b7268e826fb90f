"""Which rhythms always come before others of their type, and how rarely a type can be held at most."""

from functools import lru_cache

from services.cadence.lint.accounts import Accounts
from services.cadence.policy import PRECEDENCES, Policy, Rhythm

GUARANTEES = frozenset({"floor", "escalation"})
MOST = 40
_STRENGTH = {name: index for index, name in enumerate(PRECEDENCES)}


def led(policy: Policy, rule: Rhythm) -> tuple[str, str]:
    """Owner and channel."""
    kind = policy.catalogue[rule.touchpoint]
    return rule.owner or kind.owner, rule.channel or kind.channel


def reaches(policy: Policy, rule: Rhythm) -> bool:
    """Does a customer hear of it?"""
    return policy.catalogue[rule.touchpoint].topic is not None


def guarantees(rule: Rhythm) -> bool:
    return rule.precedence in GUARANTEES


def shortest(rule: Rhythm) -> int:
    return rule.every_days if rule.within is None else min(rule.within[0], rule.every_days)


def longest(rule: Rhythm) -> int:
    return rule.every_days if rule.within is None else max(rule.within[1], rule.every_days)


def before(one: Rhythm, other: Rhythm) -> bool:
    """Of two that may be moved, or two of a kind: which is taken first."""
    return _rank(one) < _rank(other)


def _rank(rule: Rhythm) -> tuple[int, int, str]:
    return -_STRENGTH[rule.precedence], rule.every_days, rule.rule


def of_type(policy: Policy, touchpoint: str) -> list[Rhythm]:
    """Those of a type that are no fallbacks, in the order of their names."""
    return [each for _, each in policy.rhythms if each.touchpoint == touchpoint and not each.fallback]


def sure(policy: Policy, days: int) -> list[Rhythm]:
    """Rhythms that, where they hold, let the customer hear of us at least this often, whatever else holds."""
    found: list[Rhythm] = []
    for _, each in policy.rhythms:
        if not reaches(policy, each) or each.every_days > days:
            continue
        if each.fallback or guarantees(each) or _held_to(policy, each, days):
            found.append(each)
    return found


def _held_to(policy: Policy, rule: Rhythm, days: int) -> bool:
    """Neither it nor any that is taken before it can become rarer."""
    return _rarest(policy)[rule.rule] <= days


@lru_cache(maxsize=2)
def _rarest(policy: Policy) -> dict[str, int]:
    """By rhythm that may be moved: how rare its type may become where it holds."""
    found: dict[str, int] = {}
    so_far: dict[str, int] = {}
    for rule in sorted((each for _, each in policy.rhythms if not guarantees(each)), key=_rank):
        so_far[rule.touchpoint] = max(longest(rule), so_far.get(rule.touchpoint, 0))
        found[rule.rule] = so_far[rule.touchpoint]
    return found


def beaters(policy: Policy, rule: Rhythm) -> list[Rhythm]:
    """Rhythms of its type beside which it never stands, at most `MOST` of them."""
    if rule.fallback:
        ahead = [each for each in sure(policy, rule.every_days) if each is not rule]
        return [each for each in ahead if not each.fallback or before(each, rule)][:MOST]
    others = [each for each in of_type(policy, rule.touchpoint) if each is not rule]
    return [each for each in others if _beats(policy, each, rule)][:MOST]


def _beats(policy: Policy, one: Rhythm, other: Rhythm) -> bool:
    match guarantees(one), guarantees(other):
        case False, False:
            return before(one, other)
        case True, True:
            return (one.every_days, *_rank(one)) < (other.every_days, *_rank(other))
        case True, False:
            return one.every_days < shortest(other) + (one.precedence == "escalation")
        case _:
            most = other.every_days - (other.precedence == "escalation")
            return one.every_days <= most and _held_to(policy, one, most)


def met(accounts: Accounts, rule: Rhythm, others: list[Rhythm]) -> bool:
    """Does one of the others hold wherever this rule does?"""
    names = [each.rule for each in others]
    return bool(names) and all(
        accounts.can(world, (rule.rule,), names).answer == "no" for world in accounts.alive(rule.rule)
    )
