"""Sweep: judge again the accounts for whom time alone, or a new policy or book, may have changed the answer."""

from collections.abc import Sequence

from services.cadence.account.codec import decode
from services.rules_engine.application.ports import Work
from services.rules_engine.application.replan_account import EvaluationContext, Moment, record, replan_account
from services.rules_engine.domain.account import NewPlan


async def sweep(work: Work, account_ids: Sequence[str], context: EvaluationContext, at: Moment) -> int:
    """Judge these accounts in the caller's transaction; answer how many plans changed."""
    accounts = await work.accounts(account_ids)
    new_plans: list[NewPlan] = []
    for account_id in account_ids:
        account = accounts[account_id]
        account_state = decode(account_id, account.memory)
        new_plan = replan_account(account, account_state, context, at, ())
        account.remember(account_state)
        if new_plan is not None:
            new_plans.append(new_plan)
    everybody = list(accounts.values())
    await work.introduce([account for account in everybody if account.introduce], at.real)
    await work.save(everybody)
    await record(work, new_plans, publish=context.publish)
    return len(new_plans)
