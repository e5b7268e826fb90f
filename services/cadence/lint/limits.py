"""Limits that hold nothing back, and limits that the plan itself leaves no room in."""

from collections.abc import Iterator
from datetime import timedelta
from math import ceil

from services.cadence.lint.accounts import Accounts, World
from services.cadence.lint.answers import span
from services.cadence.lint.findings import Finding
from services.cadence.lint.standing import guarantees, longest, of_type, shortest
from services.cadence.policy import Limit, Policy, Rhythm, Step, Trigger

_DAY = timedelta(days=1)
_UNBOUNDED = 10**9


def limits(accounts: Accounts) -> Iterator[Finding]:
    for limit in accounts.policy.limits:
        told = _idle(accounts.policy, limit) or _full(accounts, limit)
        if told:
            yield Finding("limit", limit.place, limit.rule, told)


def _said(limit: Limit) -> str:
    return f"{limit.cap.count} per {span(limit.cap.per)}"


def _idle(policy: Policy, limit: Limit) -> str:
    """Why it never holds anything back, if so."""
    triggers = [each for each in policy.content.triggers if each.touchpoint in limit.touchpoints]
    if not triggers:
        return "no trigger asks for any of its kinds, and only triggers wait for room; take it out"
    most = sum(_most(policy, kind, limit.cap.per) for kind in limit.touchpoints)
    if most > limit.cap.count:
        return ""
    return (
        f"its kinds come to {most} in {span(limit.cap.per)} at most, by their own cool-downs, caps and intervals, "
        f"so {_said(limit)} is never reached; make it smaller or take it out"
    )


def _most(policy: Policy, kind: str, per: timedelta) -> int:
    """How many of a kind can come in that time."""
    triggers = [each for each in policy.content.triggers if each.touchpoint == kind]
    steps = [each for each in policy.content.steps if each.touchpoint == kind]
    rhythms = [each for _, each in policy.rhythms if each.touchpoint == kind]
    if any(each.anchor == "program" for each in steps):
        return _UNBOUNDED
    regular = ceil(per / (min(map(shortest, rhythms)) * _DAY)) if rhythms else 0
    return regular + len(steps) + _answers(triggers, per)


def _answers(triggers: list[Trigger], per: timedelta) -> int:
    if not triggers:
        return 0
    if all(each.cooldown for each in triggers):
        return ceil(per / min(each.cooldown for each in triggers if each.cooldown))
    caps = [each.cap for each in triggers if each.cap is not None]
    if len(caps) == len(triggers):
        return sum(cap.count * ceil(per / cap.per) for cap in caps)
    return _UNBOUNDED


def _full(accounts: Accounts, limit: Limit) -> str:
    """Which accounts' rhythms and steps alone take more than it allows, or leave its triggers no room ever."""
    for world in accounts.worlds:
        regular = [
            rule for kind in limit.touchpoints if (rule := _regular(accounts, kind, world)) is not None
        ]
        taken = sum(limit.cap.per // (longest(each) * _DAY) for each in regular)
        steps = _crowd(accounts, limit, world)
        waits = any(
            world in accounts.alive(each.rule)
            for each in accounts.policy.content.triggers
            if each.touchpoint in limit.touchpoints
        )
        if taken + len(steps) > limit.cap.count or (taken >= limit.cap.count and waits):
            names = ", ".join(each.rule for each in (*regular, *steps)[:4])
            where = f"{world.segment} accounts in {world.stage}"
            need = f"{taken + len(steps)} in {span(limit.cap.per)} by themselves ({names})"
            return f"for {where} rhythms and timelines need {need}, so {_said(limit)} leaves no room; make it larger"
    return ""


def _regular(accounts: Accounts, kind: str, world: World) -> Rhythm | None:
    """A rhythm that every account of this world has, so that the kind comes at least so often."""
    found = [
        each
        for each in of_type(accounts.policy, kind)
        if accounts.can(world, fail=(each.rule,)).answer == "no"
    ]
    sure = [each for each in found if guarantees(each) or len(of_type(accounts.policy, kind)) == len(found)]
    return min(sure, key=longest, default=None)


def _crowd(accounts: Accounts, limit: Limit, world: World) -> list[Step]:
    """The most steps of one anchor that begin within the time of the limit for one account."""
    fullest: list[Step] = []
    for timeline in accounts.policy.timelines.values():
        own = [
            step
            for _, step, _, _ in timeline.steps
            if step.touchpoint in limit.touchpoints and world in accounts.alive(step.rule)
        ]
        for first in own:
            near = [each for each in own if timedelta(0) <= (each.days - first.days) * _DAY < limit.cap.per]
            if len(near) > len(fullest) and accounts.can(world, [each.rule for each in near]).answer == "yes":
                fullest = near
    return fullest
