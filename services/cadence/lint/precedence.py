"""Which rhythms always come before others of their type, and how rare a type may become."""

from functools import lru_cache

from services.cadence.evaluation.rhythms import selection_rank
from services.cadence.policy import Policy, Rhythm, Step, Trigger

MOST = 40
"""Rules that one rule is compared with."""


def leader(policy: Policy, rule: Rhythm | Trigger | Step) -> tuple[str, str]:
    """Owner and channel of the touchpoints of a rule."""
    kind = policy.catalogue[rule.touchpoint]
    return rule.owner or kind.owner, rule.channel or kind.channel


def reaches_customer(policy: Policy, rule: Rhythm) -> bool:
    return policy.catalogue[rule.touchpoint].topic is not None


def is_guarantee(rule: Rhythm) -> bool:
    return rule.precedence in {"floor", "escalation"}


def reach(rule: Rhythm) -> tuple[int, int]:
    """The shortest and the longest interval in days that the rhythm may have."""
    ends = (rule.every_days, *(rule.within or ()))
    return min(ends), max(ends)


def of_type(policy: Policy, touchpoint: str) -> list[Rhythm]:
    """Those of a type that are no fallbacks."""
    return [rule for _, rule in policy.rhythms if rule.touchpoint == touchpoint and not rule.fallback]


def certain(policy: Policy, days: int) -> list[str]:
    """Rhythms that, where they hold, reach the customer at least this often, whatever else holds."""
    return [
        rule.rule
        for _, rule in policy.rhythms
        if (rule.every_days <= days and reaches_customer(policy, rule))
        and (rule.fallback or is_guarantee(rule) or _rarest(policy)[rule.rule] <= days)
    ]


@lru_cache(maxsize=2)
def _rarest(policy: Policy) -> dict[str, int]:
    """Rhythm without a guarantee -> the longest interval in days that its type may have where it holds."""
    rarest: dict[str, int] = {}
    by_type: dict[str, int] = {}
    for rule in sorted((rule for _, rule in policy.rhythms if not is_guarantee(rule)), key=selection_rank):
        by_type[rule.touchpoint] = max(reach(rule)[1], by_type.get(rule.touchpoint, 0))
        rarest[rule.rule] = by_type[rule.touchpoint]
    return rarest


def overriding(policy: Policy, rule: Rhythm) -> list[Rhythm]:
    """Rhythms beside which this one is never selected, at most `MOST` of them."""
    if rule.fallback:
        reaching = certain(policy, rule.every_days)
        others = [other for _, other in policy.rhythms if other.rule in reaching and other is not rule]
        return [
            other for other in others if not other.fallback or selection_rank(other) < selection_rank(rule)
        ][:MOST]
    others = [other for other in of_type(policy, rule.touchpoint) if other is not rule]
    return [other for other in others if _overrides(policy, other, rule)][:MOST]


def _overrides(policy: Policy, one: Rhythm, other: Rhythm) -> bool:
    match is_guarantee(one), is_guarantee(other):
        case False, False:
            return selection_rank(one) < selection_rank(other)
        case True, True:
            return (one.every_days, *selection_rank(one)) < (reach(other)[0], *selection_rank(other))
        case True, False:
            return one.every_days < reach(other)[0] + (one.precedence == "escalation")
        case _:
            most = reach(other)[0] - (other.precedence == "escalation")
            return one.every_days <= most and _rarest(policy)[one.rule] <= most
