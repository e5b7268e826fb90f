"""The linter: what a sound policy says that is hardly meant. The topmost rung: it reads everything below."""

from collections.abc import Callable, Iterator

from services.rules_engine.domain.lint import (
    answers,
    firing,
    limits,
    minimum,
    purposes,
    rhythms,
    seasons,
    swings,
)
from services.rules_engine.domain.lint.accounts import Accounts
from services.rules_engine.domain.lint.findings import KINDS, Finding
from services.rules_engine.domain.policy import Policy

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
    answers.hidden,
    answers.undecided,
    answers.mistimed,
    swings.swings,
    seasons.seasons,
    limits.limits,
    purposes.purposes,
)


def lint(policy: Policy) -> list[Finding]:
    """All findings, in the order of the files. Pure; within a second or two for some hundred rules."""
    accounts = Accounts(policy)
    found = {str(each): each for look in _LOOKS for each in look(accounts)}
    return sorted(found.values(), key=lambda each: (each.place, each.kind, each.rule, each.message))
