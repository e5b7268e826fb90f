"""Seasons: what a blackout can swallow whole, and blackouts that last too long."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from services.cadence.lint.accounts import Accounts, World
from services.cadence.lint.answers import span
from services.cadence.lint.findings import Finding
from services.cadence.lint.minimum import DAYS
from services.cadence.lint.standing import reaches, sure
from services.cadence.policy import Blackout, Policy, Rhythm, Step, Trigger

_LEAP = 2024
_YEAR = 366
_DAY = timedelta(days=1)
_TOLD = 5
"""So many that a season swallows are told each for itself."""
_STRETCH = 1.5
"""Of its interval: as late as what is never skipped may come."""


class _Run(NamedTuple):
    """Days of a leap year, counted from its first; `last` may lie in the year after."""

    first: int
    last: int
    rules: tuple[str, ...]

    @property
    def days(self) -> int:
        return min(_YEAR, self.last - self.first + 1)


def seasons(accounts: Accounts) -> Iterator[Finding]:
    policy = accounts.policy
    yield from _silent(accounts)
    lost: dict[tuple[str, ...], list[Finding]] = {}
    for rule in policy.rules:
        if isinstance(rule, Trigger | Step | Rhythm):
            run = _longest(accounts, rule)
            told = "" if run is None else _lost(policy, rule, run)
            if run is not None and told:
                found = Finding("blackout", rule.place, rule.rule, told)
                lost.setdefault(run.rules, []).append(found)
    for rules, found in lost.items():
        yield from found if len(found) <= _TOLD else [_together(policy, rules, found)]


def _together(policy: Policy, rules: tuple[str, ...], found: list[Finding]) -> Finding:
    """Where a season swallows a great deal, it is the season that is to be looked at."""
    blackout = next(each for _, each in policy.blackouts if each.rule == rules[0])
    names = ", ".join(each.rule for each in found[:_TOLD])
    told = f"it can swallow {len(found)} touchpoints: {names} and {len(found) - _TOLD} more"
    return Finding("blackout", blackout.place, blackout.rule, f"{told}; name fewer kinds in `touchpoints`")


def _lost(policy: Policy, rule: Trigger | Step | Rhythm, run: _Run) -> str:
    kind = policy.catalogue[rule.touchpoint]
    named = " and ".join(run.rules)
    if isinstance(rule, Rhythm):
        if run.days >= _YEAR:
            return f"{named} leave no day of the year for it; leave some days open"
        if kind.never_skip and run.days > _STRETCH * rule.every_days:
            most = f"{_STRETCH} times its {rule.every_days} days"
            return f"never skipped, but {named} lasts {run.days} days, more than {most}; shorten the season"
        return ""
    room = _room(rule)
    if kind.never_skip or room > run.days * _DAY:
        return ""
    told = f"its window of {span(room)} can lie wholly inside {named} ({run.days} days), and then it is lost"
    return f"{told}; widen `within` beyond the season, or leave {rule.touchpoint} out of it"


def _room(rule: Trigger | Step) -> timedelta:
    """From when it may be held until it is too late."""
    close = rule.within if rule.deadline is None else min(rule.within, rule.deadline)
    return close - rule.after if isinstance(rule, Trigger) else close


def _silent(accounts: Accounts) -> Iterator[Finding]:
    """Seasons that hush even the monthly word."""
    policy = accounts.policy
    often = {each.touchpoint for each in sure(policy, DAYS)}
    often |= {
        each.touchpoint for _, each in policy.rhythms if reaches(policy, each) and each.every_days <= DAYS
    }
    for _, blackout in policy.blackouts:
        run = _run(blackout)
        if often and often <= {*blackout.touchpoints} and run.days > DAYS and accounts.alive(blackout.rule):
            told = f"for {run.days} days it holds back everything a customer hears within {DAYS} days"
            yield Finding(
                "blackout",
                blackout.place,
                blackout.rule,
                f"{told}; leave one monthly kind out of `touchpoints`",
            )


def _longest(accounts: Accounts, rule: Trigger | Step | Rhythm) -> _Run | None:
    """The longest time without a break in which seasons hold for an account that the rule holds for."""
    runs: list[_Run] = []
    for world in accounts.alive(rule.rule):
        held = _holding(accounts, rule, world)
        runs += [_grown(accounts, (rule.rule, first.rule), held, world) for first in held]
    return max(runs, key=lambda run: run.days, default=None)


def _holding(accounts: Accounts, rule: Trigger | Step | Rhythm, world: World) -> list[Blackout]:
    own = [each for _, each in accounts.policy.blackouts if rule.touchpoint in each.touchpoints]
    return [each for each in own if accounts.can(world, (rule.rule, each.rule)).answer == "yes"]


def _grown(accounts: Accounts, held: tuple[str, ...], others: list[Blackout], world: World) -> _Run:
    """A season and those that join it without a day between, for one account."""
    run = _run(next(each for each in others if each.rule == held[-1]))
    left = [each for each in others if each.rule not in held]
    while run.days < _YEAR:
        joined = [(each, wider) for each in left if (wider := _joined(run, each)) is not None]
        able = [pair for pair in joined if accounts.can(world, (*held, pair[0].rule)).answer == "yes"]
        if not able:
            break
        (taken, run), left = able[0], [each for each in left if each is not able[0][0]]
        held = (*held, taken.rule)
    return run


def _run(blackout: Blackout) -> _Run:
    first, last = (date(_LEAP, *day).timetuple().tm_yday - 1 for day in (blackout.first, blackout.last))
    return _Run(first, last + (_YEAR if last < first else 0), (blackout.rule,))


def _joined(run: _Run, blackout: Blackout) -> _Run | None:
    """Both together, where the other makes it longer without a break."""
    other = _run(blackout)
    for turn in (-_YEAR, 0, _YEAR):
        first, last = other.first + turn, other.last + turn
        wider = _Run(min(run.first, first), max(run.last, last), (*run.rules, blackout.rule))
        if first <= run.last + 1 and last >= run.first - 1 and wider.days > run.days:
            return wider
    return None
