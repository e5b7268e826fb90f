"""The linter: probable mistakes in a valid policy."""

from collections.abc import Callable, Iterator

from services.cadence.lint import (
    blackout,
    budget,
    firing,
    limit,
    minimum,
    one_offs,
    oscillation,
    purpose,
    reached,
    rhythms,
)
from services.cadence.lint.accounts import PossibleAccounts
from services.cadence.lint.findings import KINDS, Finding
from services.cadence.policy import Policy

__all__ = ["KINDS", "Finding", "lint"]

_Check = Callable[[PossibleAccounts], Iterator[Finding]]
_QUICK: tuple[_Check, ...] = (one_offs.mistimed, purpose.purposes)
_CHECKS: tuple[_Check, ...] = (
    *_QUICK,
    minimum.below,
    firing.unreached,
    firing.never,
    firing.without_effect,
    rhythms.overridden,
    rhythms.stretched,
    rhythms.undecided,
    rhythms.opposed,
    rhythms.unmoving,
    one_offs.repeated,
    oscillation.oscillations,
    blackout.blackouts,
    limit.limits,
    budget.contact_budgets,
    reached.persons,
)
_LARGEST = 1_000
"""Rules beyond which only the quick checks run."""


def lint(policy: Policy) -> list[Finding]:
    """All findings, in the order of the files. Pure; a policy of some hundred rules takes a second or two."""
    accounts = PossibleAccounts(policy)
    is_small = len(policy.rules) <= _LARGEST
    findings = {
        str(finding): finding for check in (_CHECKS if is_small else _QUICK) for finding in check(accounts)
    }
    if accounts.is_exhausted or not is_small:
        place = min(rule.place for rule in policy.rules)
        message = f"its {len(policy.rules):,} rules are too many or too complex to check in full; split it"
        findings[message] = Finding("unfinished", place, "policy", message, "search")
    return sorted(
        findings.values(), key=lambda finding: (finding.place, finding.kind, finding.rule, finding.message)
    )
