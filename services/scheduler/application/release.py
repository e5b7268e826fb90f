"""Release: what is due is said to be due, once, late rather than lost, and never before its time."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.scheduler.application.ports import Claimed, Queue
from services.scheduler.domain.touchpoint import HUMAN, Origin, Verdict, misfire

BATCH = 500


async def release(queue: Queue, now: datetime, grace: timedelta) -> int:
    """One pass; answers how many were claimed. Only what is later than `grace` may be judged a misfire."""
    claimed = await queue.claim_due(now, BATCH)
    if claimed:
        late = queue.late(now - grace)
        await queue.announce(await _misfires(late, queue, now) if late else {}, now)
    return claimed


async def _misfires(late: Sequence[Claimed], queue: Queue, now: datetime) -> dict[int, Verdict]:
    rhythms = {
        (each.account_id, each.type)
        for each in late
        if each.origin is Origin.RHYTHM and each.owner not in HUMAN
    }
    newest: Mapping[tuple[str, str], int] = await queue.newest_due(rhythms, now) if rhythms else {}
    verdicts: dict[int, Verdict] = {}
    for each in late:
        superseded = newest.get((each.account_id, each.type), 0) > (each.number or 0)
        lapsed_at = each.lapses_at if each.lapses_at is not None and each.lapses_at <= now else None
        verdict = misfire(each.origin, each.owner, lapsed_at, superseded=superseded)
        if verdict is not None:
            verdicts[each.key] = verdict
    return verdicts
