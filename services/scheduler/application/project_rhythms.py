"""Project digital rhythms beyond the month that is planned ahead, around the times to avoid."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile, tee

from schemas.plans import PlanAdjusted
from services.scheduler.application.reconcile_calendar import DEFAULT_HOURS
from services.scheduler.domain.avoid import Availability, periods_for
from services.scheduler.domain.open_hours import load_zone
from services.scheduler.domain.placing import PlacedSlot, SlotPlacer
from services.scheduler.domain.reconciliation.context import AccountHours
from services.scheduler.domain.reconciliation.occurrence_plan import slots_to_consider
from services.scheduler.domain.reconciliation.rhythms import make_occurrence
from services.scheduler.domain.recurrence import Series, Slot, iterate_slots
from services.scheduler.domain.touchpoint import PEOPLE, Touchpoint

FARTHEST = timedelta(days=731)


def project_rhythms(
    account_id: str,
    series: Iterable[Series],
    now: datetime,
    *,
    to: datetime,
    timezone: str | None = None,
    plan: PlanAdjusted | None = None,
) -> Iterator[Touchpoint]:
    """Occurrences up to `to` that are not planned yet, with the ids they will have and sequence 0.

    `plan` is the one the calendar follows: it has the times to avoid.
    """
    hours = AccountHours(load_zone(timezone).info, DEFAULT_HOURS, {})
    limit = min(to, now + FARTHEST)
    for one in series:
        if not one.active or one.owner in PEOPLE:
            continue
        zone, opening = hours.opening(one.owner, one.csm_id, one.content.topic, one.content.channel)
        periods = () if plan is None else periods_for(plan.avoid, one.type, one.content.topic)
        slots = _coming_slots(one, Availability(periods, zone, opening), plan, now, limit)
        for number, slot in enumerate(slots, one.last_number + 1):
            if isinstance(slot, Slot) and slot.due_at <= limit:
                yield replace(make_occurrence(account_id, one, slot, number), sequence=0)


def _coming_slots(
    series: Series, availability: Availability, plan: PlanAdjusted | None, now: datetime, limit: datetime
) -> Sequence[PlacedSlot]:
    zone, opening = availability.zone, availability.opening
    coming = iterate_slots(series.anchor, series.every_days, zone, opening, after=series.until)
    near, beyond = tee(coming)
    within = list(takewhile(lambda slot: slot.nominal <= limit, near))
    if plan is None or not availability.periods or not within:
        return within
    ahead = slots_to_consider((slot for slot in beyond if slot.nominal > limit), availability)
    never_skip = any(each.touchpoint_type == series.type and each.never_skip for each in plan.rhythms)
    placer = SlotPlacer(availability, timedelta(days=series.every_days), never_skip, now)
    return placer.place([*within, *ahead], series.until)[: len(within)]
