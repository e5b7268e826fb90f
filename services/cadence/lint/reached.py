"""Whom persons are led to: small businesses and self-service accounts are led by automation.

A person comes to them for a reason: they asked for one, or bought a success package; to a small business also when its
health flags a problem.
"""

from collections.abc import Iterator, Mapping

from services.cadence.account import Plain
from services.cadence.expressions.tree import Node
from services.cadence.lint.accounts import Cohort, PossibleAccounts
from services.cadence.lint.conditions import condition
from services.cadence.lint.findings import Finding, finding
from services.cadence.lint.precedence import leader
from services.cadence.policy import PERSONS, Rhythm, Step, Trigger

_REQUEST = "request.received"
_NO_REQUEST = ("not paid_success", "open_requests == 0", "requests_28d == 0")
_GREEN = 'color is null or color == "green"'
_STEADY = (_GREEN, "score_drop is null or score_drop <= 0")


def _no_reason(segment: str) -> tuple[Node, ...]:
    texts = [condition(text) for text in _NO_REQUEST]
    if segment == "small_business":
        texts += [condition(_GREEN), *(condition(text, "health.scored:") for text in _STEADY)]
    return tuple(texts)


_WITHOUT_REASON: Mapping[str, tuple[Node, ...]] = {
    segment: _no_reason(segment) for segment in ("small_business", "self_service")
}
"""What holds of an account of a segment without any reason for a person."""


def persons(accounts: PossibleAccounts) -> Iterator[Finding]:
    """Rules that may lead a person to such an account without a reason; the first account of each rule."""
    policy = accounts.policy
    for rule in policy.rules:
        if not isinstance(rule, Rhythm | Trigger | Step) or (
            isinstance(rule, Trigger) and rule.on == _REQUEST
        ):
            continue
        owner, _ = leader(policy, rule)
        if owner not in PERSONS or policy.catalogue[rule.touchpoint].topic is None:
            continue
        found = next(_without_reason(accounts, rule.rule), None)
        if found is not None:
            cohort, witness = found
            health = "a health colour, " if cohort.segment == "small_business" else ""
            message = (
                f"may lead {owner} to a {cohort.segment} account that neither asked for a person nor needs one; narrow "
                f"`segment`, ask for {health}`paid_success` or a request in `when`, or give it to automation"
            )
            yield finding("person", rule, message, witness=witness)


def _without_reason(
    accounts: PossibleAccounts, rule: str
) -> Iterator[tuple[Cohort, Mapping[str, Plain] | None]]:
    for cohort in accounts.cohorts_of(rule):
        none = _WITHOUT_REASON.get(cohort.segment)
        result = None if none is None else accounts.query(cohort, (rule, *none))
        if result is not None and result.answer != "no":
            yield cohort, result.witness
