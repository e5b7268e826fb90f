"""Sweep accounts: evaluate those for which time alone, or a new policy or portfolio, may have changed the plan."""

from collections.abc import Sequence

from services.cadence.account.codec import decode
from services.rules_engine.application.ports import UnitOfWork
from services.rules_engine.application.replan_account import mark_undecided, record_plans, replan_account
from services.rules_engine.domain.account import Clocks, EvaluationContext, NewPlan


async def sweep_accounts(
    work: UnitOfWork, account_ids: Sequence[str], context: EvaluationContext, clocks: Clocks
) -> int:
    """Evaluate these accounts in the caller's transaction and return how many plans changed."""
    accounts = await work.accounts(account_ids)
    new_plans: list[NewPlan] = []
    for account_id in account_ids:
        await work.pause_if_long()
        account = accounts[account_id]
        try:
            account_state = decode(account_id, account.state)
        except Exception as problem:  # noqa: BLE001 - one unreadable account must not stop the others
            mark_undecided(account, problem, context, clocks)
            continue
        new_plan = replan_account(account, account_state, context, clocks, ())
        account.take_state(account_state, context)
        if new_plan is not None:
            new_plans.append(new_plan)
    await work.publish_directory(
        [account for account in accounts.values() if account.directory_changed], clocks.real
    )
    await work.save(list(accounts.values()))
    await record_plans(work, new_plans, publish=context.publish)
    return len(new_plans)
