"""Limits that never hold anything back, and limits that the plan itself uses up."""

from collections.abc import Iterator
from datetime import timedelta
from math import ceil

from services.cadence.lint.accounts import Cohort, PossibleAccounts
from services.cadence.lint.findings import Finding, finding, listed
from services.cadence.lint.precedence import is_guarantee, of_type, reach
from services.cadence.policy import Limit, Policy, Rhythm, Step
from services.cadence.policy.document import span

_DAY = timedelta(days=1)
_UNBOUNDED = 10**9


def limits(accounts: PossibleAccounts) -> Iterator[Finding]:
    for limit in accounts.policy.limits:
        message = _without_effect(accounts.policy, limit) or _used_up(accounts, limit)
        if message:
            yield finding("limit", limit, message)


def _format(limit: Limit) -> str:
    return f"{limit.cap.count} per {span(limit.cap.per)}"


def _without_effect(policy: Policy, limit: Limit) -> str:
    """Why the limit never holds anything back; empty where it may."""
    if not any(trigger.touchpoint in limit.touchpoints for trigger in policy.content.triggers):
        return "no trigger plans any of its types, and only triggers wait for room; remove it"
    most = sum(_most(policy, kind, limit.cap.per) for kind in limit.touchpoints)
    if most > limit.cap.count:
        return ""
    return (
        f"cool-downs, caps and intervals allow at most {most} touchpoints of its types in "
        f"{span(limit.cap.per)}, so {_format(limit)} is never reached; make it smaller or remove it"
    )


def _most(policy: Policy, kind: str, per: timedelta) -> int:
    """How many touchpoints of a type are possible in that time."""
    triggers = [trigger for trigger in policy.content.triggers if trigger.touchpoint == kind]
    cooldowns = [trigger.cooldown for trigger in triggers if trigger.cooldown]
    caps = [trigger.cap for trigger in triggers if trigger.cap is not None]
    steps = [step for step in policy.content.steps if step.touchpoint == kind]
    intervals = [reach(rhythm)[0] for _, rhythm in policy.rhythms if rhythm.touchpoint == kind]
    most = len(steps) + (ceil(per / (min(intervals) * _DAY)) if intervals else 0)
    if any(step.anchor == "program" for step in steps):
        return _UNBOUNDED
    if len(cooldowns) == len(triggers):
        return most + (ceil(per / min(cooldowns)) if cooldowns else 0)
    by_caps = sum(cap.count * ceil(per / cap.per) for cap in caps)
    return most + by_caps if len(caps) == len(triggers) else _UNBOUNDED


def _used_up(accounts: PossibleAccounts, limit: Limit) -> str:
    """Accounts whose rhythms and steps alone need more than the limit, or leave its triggers no room ever."""
    triggers = [rule for rule in accounts.policy.content.triggers if rule.touchpoint in limit.touchpoints]
    for cohort in accounts.cohorts:
        regular = _regular(accounts, limit, cohort)
        taken = sum(limit.cap.per // (reach(rule)[1] * _DAY) for rule in regular)
        steps = _simultaneous(accounts, limit, cohort)
        waits = any(cohort in accounts.cohorts_of(trigger.rule) for trigger in triggers)
        if taken + len(steps) > limit.cap.count or (taken >= limit.cap.count and waits):
            names = listed([rule.rule for rule in (*regular, *steps)])
            return (
                f"for {cohort.segment} accounts in {cohort.stage}, rhythms and timelines alone need "
                f"{taken + len(steps)} in {span(limit.cap.per)} ({names}), so {_format(limit)} leaves no room"
                "; make it larger"
            )
    return ""


def _regular(accounts: PossibleAccounts, limit: Limit, cohort: Cohort) -> list[Rhythm]:
    """By type, the rhythm that all accounts of the cohort have with the shortest of the longest intervals."""
    regular: list[Rhythm] = []
    for kind in limit.touchpoints:
        rhythms = of_type(accounts.policy, kind)
        always = [rule for rule in rhythms if not accounts.possible((), (rule.rule,), (cohort,))]
        certain = [rule for rule in always if is_guarantee(rule) or len(always) == len(rhythms)]
        regular += sorted(certain, key=lambda rule: reach(rule)[1])[:1]
    return regular


def _simultaneous(accounts: PossibleAccounts, limit: Limit, cohort: Cohort) -> list[Step]:
    """The most steps of one anchor that begin within the time of the limit for one account."""
    most: list[Step] = []
    for timeline in accounts.policy.timelines.values():
        steps = [step for _, step, _, _ in timeline.steps if step.touchpoint in limit.touchpoints]
        steps = [step for step in steps if cohort in accounts.cohorts_of(step.rule)]
        for first in steps:
            near = [step for step in steps if timedelta(0) <= (step.days - first.days) * _DAY < limit.cap.per]
            if len(near) > len(most) and accounts.query(cohort, [step.rule for step in near]).answer == "yes":
                most = near
    return most
