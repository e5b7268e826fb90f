"""Judge one account: decide, compare with the plan in force, and say what changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.cadence.account import FactEvent
from services.cadence.account.codec import AccountState
from services.cadence.evaluation import Decision, changes, document_from_bytes, evaluate_account, plan_bytes
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio
from services.rules_engine.application.ports import Work
from services.rules_engine.domain.account import Account, NewPlan


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """Under what is judged: the policy, the book, and the number of this pairing.

    `publish` is off in observe mode: decisions are made and explained, nobody is commanded.
    """

    policy: Policy
    portfolio: Portfolio
    generation: int
    publish: bool
    retry_after: timedelta
    """Service time until an account whose decision failed is tried again."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The two clocks, read once for a whole batch."""

    service: datetime
    real: datetime


def holds(account: Account, context: EvaluationContext, at: Moment) -> bool:
    """Whether the plan in force is what would be decided now, as long as nothing that it rests on changes."""
    return (
        account.plan_key is not None
        and account.decided_under == context.generation
        and account.undecided is None
        and (account.next_evaluation_at is None or at.service < account.next_evaluation_at)
        and (account.published_key == account.plan_key or not context.publish)
    )


def replan_account(
    account: Account,
    account_state: AccountState,
    context: EvaluationContext,
    at: Moment,
    causes: Sequence[FactEvent],
) -> NewPlan | None:
    """Decide anew; None when the plan stays as it is, or when the decision failed (`account.undecided` says why).

    An account that was decided under a later epoch is left to whoever is there already: an older policy must not take
    back what a newer one asked for. Its number, turned negative, tells the sweep that it waits.
    """
    if abs(account.decided_under) > context.generation:
        account.decided_under = -abs(account.decided_under)
        return None
    account.decided_under = context.generation
    try:
        decision = evaluate_account(
            context.policy, account_state.facts, account_state.issued, context.portfolio, at.service
        )
    except Exception as problem:  # noqa: BLE001 - a policy that fails on one account must not stop the others
        account.undecided = f"{type(problem).__name__}: {problem}"[:2000]
        account.next_evaluation_at = at.service + context.retry_after
        return None
    account.undecided = None
    _place(account, decision)
    unpublished = context.publish and account.published_key != decision.key
    if account.plan_key == decision.key and not unpublished:
        return None
    return _new_plan(account, decision, context, at, tuple(causes))


def _new_plan(
    account: Account,
    decision: Decision,
    context: EvaluationContext,
    at: Moment,
    causes: tuple[FactEvent, ...],
) -> NewPlan:
    previous = account.version
    # Milliseconds of the real clock, so that versions also grow after a restored backup.
    account.version = max(account.version + 1, int(at.real.timestamp() * 1000))
    account.plan_key = decision.key
    account.decided_at = at.service
    if context.publish:
        account.published_key = decision.key
    return NewPlan(
        account=account,
        decision=decision,
        plan=plan_bytes(decision.document),
        policy=context.policy.hash,
        causes=causes,
        decided_at=at.service,
        previous=previous,
    )


def _place(account: Account, decision: Decision) -> None:
    account.next_evaluation_at = decision.next_evaluation_at
    standing = (decision.segment, decision.stage, decision.color)
    account.introduce |= standing != (account.segment, account.stage, account.color)
    account.segment, account.stage, account.color = standing


async def record(work: Work, new_plans: Sequence[NewPlan], *, publish: bool) -> None:
    """Store the decisions with what each changes from the plan before."""
    before = await work.plans({each.account.account_id: each.previous for each in new_plans if each.previous})
    explained: list[NewPlan] = []
    for each in new_plans:
        old = before.get(each.account.account_id)
        changed = changes(None if old is None else document_from_bytes(old), each.decision.document)
        explained.append(replace(each, changes=tuple(changed)))
    await work.record(explained, publish=publish)
