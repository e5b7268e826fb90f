"""Why and why not of a stored account: as things are now, or as they were when a decision was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.cadence.account import when
from services.cadence.account.codec import AccountState
from services.cadence.explanation import Inquiry, document
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio


@dataclass(frozen=True, slots=True)
class Question:
    """About one rule, or all that ask for a type of touchpoint; of a decision by its plan version, None: now."""

    account_id: str
    rule: str | None = None
    touchpoint_type: str | None = None
    decision: int | None = None


class NoSuchAccount(Exception):
    """Nothing was heard of the account."""


class NoSuchDecision(Exception):
    """The account has no decision of this plan version, or what it was made under can no longer be read."""


class Explanations(Protocol):
    """What answers questions about stored accounts."""

    async def why(self, question: Question) -> Mapping[str, object]:
        """Raises `NoSuchAccount`, `NoSuchDecision`, and the domain's `NoSuchRule` and `NoSuchTouchpoint`."""
        ...


def explained(question: Question, inquiry: Inquiry, now: datetime) -> dict[str, object]:
    """The answer in the shape of the wire. Raises `NoSuchRule`, `NoSuchTouchpoint`."""
    kind, rule = question.touchpoint_type or "", question.rule
    why = inquiry.touchpoint(kind) if rule is None else inquiry.rule(rule)
    return {
        "account_id": question.account_id,
        "at": now,
        "policy": inquiry.policy.hash,
        "plan_version": question.decision,
        **document(why),
    }


def inquire_then(
    policy: Policy, account_state: AccountState, portfolio: Portfolio, decided_at: datetime
) -> Inquiry:
    """As things were: programs announced since are not known yet."""
    told = int(decided_at.timestamp() * 1_000_000)
    programs = tuple(each for each in portfolio.programs if not each.stamp or when(each.stamp) <= told)
    return Inquiry(
        policy,
        account_state,
        Portfolio(portfolio.generation, portfolio.arr_percentiles, programs),
        decided_at,
    )
