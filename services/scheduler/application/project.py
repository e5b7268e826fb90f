"""Project: what a digital rhythm will do beyond the month that is planned ahead, around what is to be avoided."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import takewhile, tee
from zoneinfo import ZoneInfo

from services.scheduler.application.accept import NOBODYS_HOURS
from services.scheduler.domain.avoid import Ground, concerning
from services.scheduler.domain.calendar import zone
from services.scheduler.domain.placing import Placed, Placing, place
from services.scheduler.domain.plan import Context, Plan
from services.scheduler.domain.plan.courses import outlook
from services.scheduler.domain.recurrence import Series, Slot, derived, slots
from services.scheduler.domain.touchpoint import HUMAN, Origin, Touchpoint

FARTHEST = timedelta(days=731)


def projected(
    account_id: str,
    series: Iterable[Series],
    now: datetime,
    *,
    to: datetime,
    zone_name: str | None = None,
    plan: Plan | None = None,
) -> Iterator[Touchpoint]:
    """Occurrences up to `to` that are not planned yet, with the ids they will have and sequence 0.

    `plan` is the one the calendar follows: it says what to avoid.
    """
    info: ZoneInfo = zone(zone_name).info
    context = Context(info, NOBODYS_HOURS, {})
    limit = min(to, now + FARTHEST)
    for each in series:
        if not each.active or each.owner in HUMAN:
            continue
        home, opening = context.opening(each.owner, each.csm_id, each.face)
        windows = () if plan is None else concerning(plan.avoid, each.type, each.face.topic)
        coming = _coming(each, Ground(windows, home, opening), plan, now, limit)
        for number, slot in enumerate(coming, each.last_number + 1):
            if not isinstance(slot, Slot) or slot.due_at > limit:
                continue
            yield Touchpoint(
                id=derived("touchpoint", account_id, each.type, str(number)), account_id=account_id,
                type=each.type, origin=Origin.RHYTHM, due_at=slot.due_at, start=slot.nominal, end=slot.deadline,
                deadline=slot.owed_by, owner=each.owner, csm_id=each.csm_id, minutes=each.minutes, number=number,
                sequence=0, face=each.face, shift=slot.shift,
            )  # fmt: skip


def _coming(
    series: Series, ground: Ground, plan: Plan | None, now: datetime, limit: datetime
) -> Sequence[Placed]:
    every = series.every_days
    coming = slots(series.anchor, every, ground.info, ground.opening, after=series.until)
    near, beyond = tee(coming)
    within = list(takewhile(lambda slot: slot.nominal <= limit, near))
    if plan is None or not ground.windows or not within:
        return within
    ahead = outlook((each for each in beyond if each.nominal > limit), ground)
    never_skip = any(each.type == series.type and each.never_skip for each in plan.rhythms)
    by = Placing(ground, timedelta(days=every), never_skip, now)
    return place([*within, *ahead], series.until, by)[: len(within)]
