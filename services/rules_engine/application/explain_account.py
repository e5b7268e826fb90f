"""Explain a stored account: as things are now, or as they were when a decision was made."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.cadence.account import micros, when
from services.cadence.account.codec import AccountState
from services.cadence.explanation import Explainer
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio


@dataclass(frozen=True, slots=True)
class Question:
    """About one rule, or all rules for a type of touchpoint; `decision`: the plan version of a decision, None: now."""

    account_id: str
    rule: str | None = None
    touchpoint_type: str | None = None
    decision: int | None = None


def explanation_document(question: Question, explainer: Explainer, now: datetime) -> dict[str, object]:
    """The answer as JSON-ready document. Raises `NoSuchRule`, `NoSuchTouchpoint`."""
    if question.rule is None:
        explanation = explainer.explain_touchpoint(question.touchpoint_type or "")
    else:
        explanation = explainer.explain_rule(question.rule)
    return {
        "account_id": question.account_id,
        "at": now,
        "policy": explainer.policy.hash,
        "plan_version": question.decision,
        **explanation.document(),
    }


def explainer_as_of(
    policy: Policy, account_state: AccountState, portfolio: Portfolio, decided_at: datetime
) -> Explainer:
    """As things were: without programs that were announced since; at the exchange rates of now."""
    decided = micros(decided_at)
    programs = tuple(
        program for program in portfolio.programs if not program.stamp or when(program.stamp) <= decided
    )
    return Explainer(policy, account_state, replace(portfolio, programs=programs), decided_at)
