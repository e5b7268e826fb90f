"""Sweep accounts: evaluate those for which time alone, or a new policy or portfolio, may have changed the plan."""

from collections.abc import Sequence
from enum import Enum

from services.cadence.account.codec import decode
from services.rules_engine.application.ports import UnitOfWork
from services.rules_engine.application.replan_account import (
    mark_undecided,
    publish_records,
    record_plans,
    replan_account,
)
from services.rules_engine.domain.account import Account, Clocks, EvaluationContext, NewPlan


class SweepPhase(Enum):
    """Of the sweep of a generation: every account is evaluated, some may be left, or a later generation is in force."""

    COMPLETE = "complete"
    RUNNING = "running"
    SUPERSEDED = "superseded"


def find_affected(accounts: Sequence[Account], context: EvaluationContext, clocks: Clocks) -> list[str]:
    """The ids of the accounts that an evaluation would write.

    The accounts are copies that nobody saves. One that is not in the answer is decided under the context as it is stored.
    """
    return [account.account_id for account in accounts if _is_affected(account, context, clocks)]


def _is_affected(account: Account, context: EvaluationContext, clocks: Clocks) -> bool:
    if account.latest_generation > context.generation or account.is_current(context, clocks):
        return False  # it is left to a replica of that generation, or was evaluated with an event
    new_plan = _evaluate(account, context, clocks)
    return new_plan is not None or account.directory_changed or not account.is_as_loaded()


async def sweep_accounts(
    work: UnitOfWork, account_ids: Sequence[str], context: EvaluationContext, clocks: Clocks
) -> int:
    """Evaluate these accounts in the caller's transaction, write what changed, and return how many plans changed."""
    # Announced: one that was erased meanwhile does not come back.
    accounts = list((await work.accounts(account_ids, account_ids)).values())
    new_plans: list[NewPlan] = []
    for account in accounts:
        await work.pause_if_long()
        if (new_plan := _evaluate(account, context, clocks)) is not None:
            new_plans.append(new_plan)
    await publish_records(work, accounts, context, clocks)
    await work.save([account for account in accounts if not account.is_as_loaded()])
    await record_plans(work, new_plans, publish=context.publish)
    return len(new_plans)


async def give_up_account(
    work: UnitOfWork, account_id: str, problem: Exception, context: EvaluationContext, clocks: Clocks
) -> None:
    """Mark an account undecided of which an evaluation cannot be stored."""
    for account in (await work.accounts([account_id], [account_id])).values():
        mark_undecided(account, problem, context, clocks)
        await work.save([account])


def _evaluate(account: Account, context: EvaluationContext, clocks: Clocks) -> NewPlan | None:
    """The state stays as it is stored; the columns beside it follow from it."""
    if account.state is None:
        return None
    try:
        account_state = decode(account.account_id, account.state)
        new_plan = replan_account(account, account_state, context, clocks, ())
        account.take_facts(account_state.facts, context)
    except Exception as problem:  # noqa: BLE001 - one unreadable account must not stop the others
        account.reset()
        mark_undecided(account, problem, context, clocks)
        return None
    return new_plan
