"""Project: what a digital rhythm will do beyond the month that is planned ahead."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from services.scheduler.application.accept import NOBODYS_HOURS
from services.scheduler.domain.calendar import zone
from services.scheduler.domain.plan import Context
from services.scheduler.domain.recurrence import Series, derived, slots
from services.scheduler.domain.touchpoint import HUMAN, Origin, Touchpoint

FARTHEST = timedelta(days=731)


def projected(
    account_id: str, zone_name: str | None, series: Iterable[Series], now: datetime, to: datetime
) -> Iterator[Touchpoint]:
    """Occurrences up to `to` that are not planned yet, with the ids they will have and sequence 0."""
    info: ZoneInfo = zone(zone_name).info
    context = Context(info, NOBODYS_HOURS, {})
    limit = min(to, now + FARTHEST)
    for each in series:
        if not each.active or each.owner in HUMAN:
            continue
        place, opening = context.opening(each.owner, each.csm_id, each.face)
        coming = slots(each.anchor, each.every_days, place, opening, after=each.until)
        within = takewhile(lambda slot: slot.nominal <= limit, coming)
        for number, slot in enumerate(within, each.last_number + 1):
            if slot.due_at > limit:
                break
            yield Touchpoint(
                id=derived("touchpoint", account_id, each.type, str(number)), account_id=account_id,
                type=each.type, origin=Origin.RHYTHM, due_at=slot.due_at, start=slot.nominal, end=slot.deadline,
                deadline=slot.deadline, owner=each.owner, csm_id=each.csm_id, minutes=each.minutes, number=number,
                sequence=0, face=each.face,
            )  # fmt: skip
