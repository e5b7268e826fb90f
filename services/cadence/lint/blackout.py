"""Blackouts that can cover a whole window, or that last too long."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import compress

from services.cadence.lint.accounts import Cohort, PossibleAccounts
from services.cadence.lint.findings import Finding, finding, listed
from services.cadence.lint.minimum import DAYS, monthly
from services.cadence.policy import Blackout, Policy, Rhythm, Step, Trigger
from services.cadence.policy.document import span
from services.cadence.policy.model import SeasonDay

_LEAP_YEAR = 2024
_YEAR = 366
_ALL_DAYS = (1 << _YEAR) - 1
_LISTED = 5
"""Touchpoints covered by the same blackouts that are reported one by one."""
_STRETCH = 1.5
"""The latest a touchpoint that is never skipped may come, as a multiple of its interval."""
_Planned = Trigger | Step | Rhythm
_Run = tuple[int, tuple[str, ...]]
"""Bits of the days of a leap year, without a break, and the blackouts that cover them."""


def blackouts(accounts: PossibleAccounts) -> Iterator[Finding]:
    policy = accounts.policy
    yield from _without_minimum(accounts)
    lost: dict[tuple[str, ...], list[Finding]] = {}
    for rule in (rule for rule in policy.rules if isinstance(rule, _Planned)):
        days, covering = _longest(accounts, rule)
        message = _lost(policy, rule, days.bit_count(), " and ".join(covering)) if covering else ""
        if message:
            lost.setdefault(covering, []).append(finding("blackout", rule, message))
    for rules, findings in lost.items():
        yield from findings if len(findings) <= _LISTED else [_together(policy, rules, findings)]


def _together(policy: Policy, rules: tuple[str, ...], findings: list[Finding]) -> Finding:
    """One finding for a blackout that covers many touchpoints."""
    blackout = next(other for _, other in policy.blackouts if other.rule == rules[0])
    names = listed([item.rule for item in findings], _LISTED)
    message = f"it can cover {len(findings)} touchpoints: {names}; name fewer types in `touchpoints`"
    return finding("blackout", blackout, message)


def _lost(policy: Policy, rule: _Planned, days: int, names: str) -> str:
    never_skip = policy.catalogue[rule.touchpoint].never_skip
    if isinstance(rule, Rhythm):
        if days == _YEAR:
            return f"no day of the year lies outside {names}; leave some days open"
        if never_skip and days > _STRETCH * rule.every_days:
            most = f"{_STRETCH} times its interval of {rule.every_days} days"
            return f"never skipped, but the {days} days of {names} are more than {most}; shorten the blackout"
        return ""
    # From when it may be held until it is too late.
    room = rule.within if rule.deadline is None else min(rule.within, rule.deadline)
    room -= rule.after if isinstance(rule, Trigger) else timedelta(0)
    if never_skip or room > timedelta(days=days):
        return ""
    return (
        f"its window of {span(room)} can lie wholly inside {names} ({days} days), and then it is dropped; "
        f"make `within` longer than the blackout, or leave {rule.touchpoint} out of it"
    )


def _without_minimum(accounts: PossibleAccounts) -> Iterator[Finding]:
    """Blackouts that hold back all monthly contact."""
    types = {rule.touchpoint for rule in monthly(accounts.policy)}
    for _, blackout in accounts.policy.blackouts:
        days = _days(blackout).bit_count()
        if types and types <= {*blackout.touchpoints} and days > DAYS and accounts.cohorts_of(blackout.rule):
            message = f"for {days} days it holds back everything that reaches a customer within {DAYS} days"
            yield finding("blackout", blackout, f"{message}; leave one monthly type out of `touchpoints`")


def _longest(accounts: PossibleAccounts, rule: _Planned) -> _Run:
    """The longest time without a break that blackouts cover for an account that the rule holds for."""
    runs: list[_Run] = [(0, ())]
    own = [blackout for _, blackout in accounts.policy.blackouts if rule.touchpoint in blackout.touchpoints]
    for cohort in accounts.cohorts_of(rule.rule):
        able = [other for other in own if accounts.query(cohort, (rule.rule, other.rule)).answer == "yes"]
        runs += [_extended(accounts, cohort, rule, first, able) for first in able]
    return max(runs, key=lambda run: run[0].bit_count())


def _extended(
    accounts: PossibleAccounts, cohort: Cohort, rule: _Planned, first: Blackout, others: list[Blackout]
) -> _Run:
    """A blackout and those that join it without a day between, for one account."""
    days, rules = _days(first), (first.rule,)
    while True:
        # The last day of the year comes before the first.
        near = days | days << 1 | days >> 1 | days << (_YEAR - 1) | days >> (_YEAR - 1)
        joining = [other for other in others if _days(other) & near and _days(other) | days != days]
        met = (accounts.query(cohort, (rule.rule, *rules, other.rule)).answer == "yes" for other in joining)
        taken = next(compress(joining, met), None)
        if taken is None:
            return days, rules
        days, rules = days | _days(taken), (*rules, taken.rule)


def _days(blackout: Blackout) -> int:
    first, last = (_day_of_year(day) for day in (blackout.first, blackout.last))
    length = (last - first) % _YEAR + 1
    if isinstance(blackout.first, date) and isinstance(blackout.last, date):
        length = min((blackout.last - blackout.first).days + 1, _YEAR)
    days = ((1 << length) - 1) << first
    return (days | days >> _YEAR) & _ALL_DAYS


def _day_of_year(day: SeasonDay) -> int:
    month_day = (day.month, day.day) if isinstance(day, date) else day
    return date(_LEAP_YEAR, *month_day).timetuple().tm_yday - 1
