"""The linter: what a sound policy says that is hardly meant. The topmost rung: it reads everything below."""

from collections.abc import Callable, Iterator

from services.cadence.lint import (
    answers,
    firing,
    limits,
    minimum,
    purposes,
    rhythms,
    seasons,
    swings,
)
from services.cadence.lint.accounts import Accounts
from services.cadence.lint.findings import KINDS, Finding
from services.cadence.policy import Policy

__all__ = ["KINDS", "Finding", "lint"]

_LOOKS: tuple[Callable[[Accounts], Iterator[Finding]], ...] = (
    minimum.below,
    firing.unreached,
    firing.never,
    firing.idle,
    rhythms.hidden,
    rhythms.yielding,
    rhythms.undecided,
    rhythms.opposed,
    rhythms.unmoving,
    answers.hidden,
    answers.undecided,
    answers.mistimed,
    swings.swings,
    seasons.seasons,
    limits.limits,
    purposes.purposes,
)
_QUICK: tuple[Callable[[Accounts], Iterator[Finding]], ...] = (answers.mistimed, purposes.purposes)
LARGEST = 1_000
"""Rules that are held against each other."""


def lint(policy: Policy) -> list[Finding]:
    """All findings, in the order of the files. Pure; within a second or two for some hundred rules."""
    accounts = Accounts(policy)
    looks = _LOOKS if len(policy.rules) <= LARGEST else _QUICK
    found = {str(each): each for look in looks for each in look(accounts)}
    if accounts.exhausted or looks is _QUICK:
        told = (
            f"its {len(policy.rules):,} rules are too many or too hard to be looked through in full; split it"
        )
        found[told] = Finding(
            "unfinished", min(each.place for each in policy.rules), "policy", told, "search"
        )
    return sorted(found.values(), key=lambda each: (each.place, each.kind, each.rule, each.message))
