"""Project digital rhythms beyond the month that is planned ahead, around the times to avoid."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import tee

from schemas.plans import PlanAdjusted
from schemas.zones import UTC_ZONE, TimeZone
from services.calendar.avoid import Availability, periods_for
from services.calendar.person_hours import DEFAULT_HOURS
from services.calendar.placing import PlacedSlot, SlotPlacer
from services.calendar.reconciliation.context import AccountHours
from services.calendar.reconciliation.occurrence_plan import slots_to_consider
from services.calendar.reconciliation.rhythms import make_occurrence
from services.calendar.recurrence import Series, Slot, slots_until
from services.calendar.touchpoint import PEOPLE, Touchpoint

FARTHEST = timedelta(days=731)


def project_rhythms(
    account_id: str,
    series: Iterable[Series],
    now: datetime,
    *,
    to: datetime,
    zones: Sequence[TimeZone] = (UTC_ZONE,),
    plan: PlanAdjusted | None = None,
) -> Iterator[Touchpoint]:
    """Occurrences up to `to` that are not planned yet, with the ids they will have and sequence 0.

    `zones` are those of the account. `plan` is the one the calendar follows: it has the times to avoid.
    """
    hours = AccountHours(zones[0], DEFAULT_HOURS, {}, tuple(zones[1:]))
    limit = min(to, now + FARTHEST)
    for rhythm in series:
        if not rhythm.active or rhythm.owner in PEOPLE:
            continue
        zone, opening = hours.opening_of(rhythm)
        periods = (
            () if plan is None else periods_for(plan.avoid, rhythm.type, rhythm.content.topic, tuple(zones))
        )
        slots = _coming_slots(rhythm, Availability(periods, zone, opening), plan, now, limit)
        for number, slot in enumerate(slots, rhythm.last_number + 1):
            if isinstance(slot, Slot) and slot.due_at <= limit:
                yield make_occurrence(account_id, rhythm, slot, number)._replace(sequence=0)


def _coming_slots(
    series: Series, availability: Availability, plan: PlanAdjusted | None, now: datetime, limit: datetime
) -> Sequence[PlacedSlot]:
    near, beyond = tee(series.slots(availability.zone, availability.opening, series.until))
    within = slots_until(near, limit)
    if plan is None or not availability.periods or not within:
        return within
    ahead = slots_to_consider((slot for slot in beyond if slot.nominal > limit), availability)
    never_skip = any(rhythm.touchpoint_type == series.type and rhythm.never_skip for rhythm in plan.rhythms)
    placer = SlotPlacer(availability, timedelta(days=series.every_days), never_skip, now)
    return placer.place([*within, *ahead], series.until)[: len(within)]
