"""Sweep: judge again the accounts for whom time alone, or a new policy or book, may have changed the answer."""

from collections.abc import Sequence

from services.rules_engine.application.account import Judgement
from services.rules_engine.application.judge import Bench, Moment, judge, record
from services.rules_engine.application.ports import Work
from services.rules_engine.domain.codec import decode


async def sweep(work: Work, account_ids: Sequence[str], bench: Bench, at: Moment) -> int:
    """Judge these accounts in the caller's transaction; answer how many plans changed."""
    accounts = await work.accounts(account_ids)
    judgements: list[Judgement] = []
    for account_id in account_ids:
        account = accounts[account_id]
        belief = decode(account_id, account.memory)
        judgement = judge(account, belief, bench, at, ())
        account.remember(belief)
        if judgement is not None:
            judgements.append(judgement)
    everybody = list(accounts.values())
    await work.introduce([account for account in everybody if account.introduce], at.real)
    await work.save(everybody)
    await record(work, judgements, publish=bench.publish)
    return len(judgements)
