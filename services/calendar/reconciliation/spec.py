"""Tells plans apart that put touchpoints at other moments: while it is the same, a calendar need not be reconciled."""

from hashlib import blake2b

from schemas.plans import PlanAdjusted
from services.calendar.reconciliation.context import AccountHours


def hash_spec(plan: PlanAdjusted, hours: AccountHours) -> bytes:
    """A digest of the part of a plan that decides when touchpoints are, and of the content of one-offs.

    It leaves out what only the start of a rhythm reads (its urgency, the last contact) and the reasons of rhythms,
    which are stored with the rhythm for all its occurrences.
    """
    rhythms = [
        (
            rhythm.touchpoint_type, rhythm.every_days, rhythm.owner, rhythm.csm_id, rhythm.minutes, rhythm.topic,
            rhythm.channel, rhythm.never_skip, rhythm.folds_into, *([rhythm.rrule] if rhythm.rrule else ()),
        )
        for rhythm in plan.rhythms
    ]  # fmt: skip
    csm_ids = sorted({item.csm_id or "" for item in (*plan.rhythms, *plan.touchpoints)})
    zones = " ".join(zone.key for zone in (hours.zone, *hours.also_in))
    by_csm = [(csm_id, hours.of_csm(csm_id)) for csm_id in csm_ids]
    spec = [zones, plan.quiet_hours, rhythms, by_csm, hours.customer]
    digest = blake2b(repr(spec).encode("utf-8", "replace"), digest_size=16)
    for item in (*plan.touchpoints, *plan.avoid):
        digest.update(item.write())
    return digest.digest()
