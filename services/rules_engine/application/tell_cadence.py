"""Tell customers of their cadence: at the beginning, and once for each change that stands for a day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from services.cadence.account.codec import decode
from services.cadence.evaluation.outlook import project_cadence
from services.rules_engine.domain.account import Account, EvaluationContext
from services.rules_engine.domain.cadence_notice import NoticeState, NoticeStep, decide_notice

BATCH: Final = 5
"""Accounts in one transaction: a year of each is evaluated, and whoever replans one of them waits meanwhile."""
AGAIN: Final = timedelta(hours=1)
"""Service time until an account is looked at again that cannot be evaluated now."""


@dataclass(frozen=True, slots=True)
class NoticeClaim:
    """An account whose cadence may have changed; None: it has ended."""

    account_id: str
    account: Account | None
    state: NoticeState


class NoticeQueue(Protocol):
    """Accounts whose cadence may have changed, inside one transaction; claims skip what another has locked."""

    async def pause_if_long(self) -> None: ...

    async def claim(self, now: datetime, limit: int) -> Sequence[NoticeClaim]:
        """Those whose time has come; none unless customers may be contacted."""
        ...

    async def save(self, account_id: str, step: NoticeStep, now: datetime) -> None:
        """Store the step, and publish its notice."""
        ...


async def tell_cadence(queue: NoticeQueue, context: EvaluationContext, now: datetime) -> int:
    """Look at a batch of accounts; how many there were."""
    claims = await queue.claim(now, BATCH) if context.publish else ()
    for claim in claims:
        await queue.pause_if_long()
        await queue.save(claim.account_id, _decide(claim, context, now), now)
    return len(claims)


def _decide(claim: NoticeClaim, context: EvaluationContext, now: datetime) -> NoticeStep:
    account, state = claim.account, claim.state
    if account is None or account.state is None or account.merged_into is not None:
        return NoticeStep(None)
    if state.announced is None and account.stage != "onboarding":
        return NoticeStep(None)  # established: it needs no look at its year
    if account.undecided is not None or account.latest_generation > context.generation:
        return NoticeStep(state, now + AGAIN)
    try:
        stored = decode(account.account_id, account.state)
        outlook = project_cadence(context.policy, stored.facts, stored.issued, context.portfolio, now)
    except Exception:  # noqa: BLE001 - an account that cannot be evaluated is reported as undecided, and stops no other
        return NoticeStep(replace(state, pending=None, pending_since=None), now + AGAIN)
    return decide_notice(account.account_id, account.version, state, outlook, now)
