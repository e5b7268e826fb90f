"""Release what is due and mark what is overdue: once, late rather than lost, and never before its time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.calendar.misfire import USUAL, check_misfire, is_coalesced
from services.calendar.touchpoint import (
    Cancellation,
    Touchpoint,
    become_overdue,
    cancel,
    release,
)
from services.scheduler.application.ports import TouchpointQueue

BATCH = 500


async def release_due(queue: TouchpointQueue, now: datetime, grace: timedelta) -> int:
    """Release one batch; the number claimed. Only what is due for longer than `grace` can be a misfire."""
    claimed = await queue.claim_due(now, BATCH)
    if claimed:
        late = [touchpoint for touchpoint in claimed if touchpoint.due_at < now - grace]
        misfires = await _find_misfires(late, queue, now) if late else {}
        released = [
            cancel(touchpoint, misfires[touchpoint.id])
            if touchpoint.id in misfires
            else release(touchpoint, now)
            for touchpoint in claimed
        ]
        await queue.save(released, now)
    return len(claimed)


async def mark_overdue(queue: TouchpointQueue, now: datetime) -> int:
    """Mark one batch overdue of what people owe beyond its deadline; the number claimed."""
    claimed = await queue.claim_overdue(now, BATCH)
    if claimed:
        await queue.save([become_overdue(touchpoint) for touchpoint in claimed], now)
    return len(claimed)


async def _find_misfires(
    late: Sequence[Touchpoint], queue: TouchpointQueue, now: datetime
) -> dict[str, Cancellation]:
    policies = await queue.load_misfires()
    coalesced = {
        (touchpoint.account_id, touchpoint.type)
        for touchpoint in late
        if is_coalesced(touchpoint, policies.get(touchpoint.type, USUAL))
    }
    newest: Mapping[tuple[str, str], int] = await queue.find_newest_due(coalesced, now) if coalesced else {}
    misfires: dict[str, Cancellation] = {}
    for touchpoint in late:
        superseded = newest.get((touchpoint.account_id, touchpoint.type), 0) > (touchpoint.number or 0)
        policy = policies.get(touchpoint.type, USUAL)
        cancellation = check_misfire(touchpoint, now, superseded=superseded, policy=policy)
        if cancellation is not None:
            misfires[touchpoint.id] = cancellation
    return misfires
