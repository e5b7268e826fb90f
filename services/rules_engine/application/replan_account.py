"""Replan an account: evaluate it, compare with the plan in force, and state what changed."""

from collections.abc import Sequence
from dataclasses import replace

from services.cadence.account import FactEvent
from services.cadence.account.codec import AccountState
from services.cadence.evaluation import Decision, evaluate_account, plan_changes
from services.rules_engine.application.ports import UnitOfWork
from services.rules_engine.domain.account import Account, Clocks, EvaluationContext, NewPlan, reason_of


def replan_account(
    account: Account,
    account_state: AccountState,
    context: EvaluationContext,
    clocks: Clocks,
    causes: Sequence[FactEvent],
) -> NewPlan | None:
    """Evaluate an account; None when its plan does not change or the evaluation failed (`account.undecided` says why).

    An account that was decided under a later generation, or may have been by its sweep, is left to a replica of that
    generation: an older policy must not undo what a newer one decided. Its generation, turned negative, tells the sweep
    that it waits. The facts may change after the call: the plan is built.
    """
    if _is_left_to_later_generation(account, context):
        return None
    try:
        decision = evaluate_account(
            context.policy, account_state.facts, account_state.issued, context.portfolio, clocks.service
        )
        document = decision.plan.write() if _is_new(account, decision, context) else None
    except Exception as problem:  # noqa: BLE001 - a policy that fails on one account must not stop the others
        mark_undecided(account, problem, context, clocks)
        return None
    account.decided_under = context.generation
    account.take_decision(decision)
    if document is None:
        return None
    previous = account.version
    _take_plan(account, decision, context, clocks)
    return NewPlan(
        account=account,
        decision=decision,
        plan=decision.plan,
        document=document,
        policy=context.policy.hash,
        causes=tuple(causes),
        decided_at=clocks.service,
        previous=previous,
    )


def mark_undecided(account: Account, problem: Exception, context: EvaluationContext, clocks: Clocks) -> None:
    """Its plan stays in force; the sweep tries again after `context.retry_after`."""
    if _is_left_to_later_generation(account, context):
        return
    account.decided_under = context.generation
    account.undecided = reason_of(problem)
    account.next_evaluation_at = clocks.service + context.retry_after


def _is_left_to_later_generation(account: Account, context: EvaluationContext) -> bool:
    if account.latest_generation <= context.generation:
        return False
    account.decided_under = -account.latest_generation
    return True


def _is_new(account: Account, decision: Decision, context: EvaluationContext) -> bool:
    unpublished = context.publish and account.published_key != decision.key
    return account.plan_key != decision.key or unpublished


def _take_plan(account: Account, decision: Decision, context: EvaluationContext, clocks: Clocks) -> None:
    # Milliseconds of the real clock, so that versions also grow after a restored backup.
    account.version = max(account.version + 1, int(clocks.real.timestamp() * 1000))
    account.plan_key = decision.key
    account.decided_at = clocks.service
    if context.publish:
        account.published_key = decision.key


async def record_plans(work: UnitOfWork, new_plans: Sequence[NewPlan], *, publish: bool) -> None:
    """Store new plans, each with its changes from the plan before."""
    previous = await work.plans({new.account.account_id: new.previous for new in new_plans if new.previous})
    with_changes: list[NewPlan] = []
    for new in new_plans:
        await work.pause_if_long()
        with_changes.append(
            replace(new, changes=plan_changes(previous.get(new.account.account_id), new.plan))
        )
    await work.record(with_changes, publish=publish)


async def publish_records(
    work: UnitOfWork, accounts: Sequence[Account], context: EvaluationContext, clocks: Clocks
) -> int:
    """Publish the directory records that changed; returns how many accounts are undecided as theirs cannot be made."""
    changed = [account for account in accounts if account.directory_changed]
    failed = await work.publish_directory(changed, clocks.real)
    newly = sum(account.undecided is None for account, _ in failed)
    for account, problem in failed:
        mark_undecided(account, problem, context, clocks)
    return newly
