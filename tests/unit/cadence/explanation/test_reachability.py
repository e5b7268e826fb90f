"""Reachability follows consent: what a tool reports lifts nothing that the contact refused."""

import pytest

from schemas.plans import RhythmItem
from services.cadence.explanation.reachability import unreachable_reason
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event

TIPS = RhythmItem.of_valid(
    touchpoint_type="tips", owner="automation", channel="email", topic="education", audience=()
)


@pytest.mark.parametrize(
    ("refused_by_contact", "lifted_by_contact", "is_reachable"),
    [(True, None, False), (True, True, True), (None, None, True), (None, True, True)],
)
def test_only_the_contact_lifts_what_the_contact_refused(
    *, refused_by_contact: bool | None, lifted_by_contact: bool | None, is_reachable: bool
) -> None:
    """Row 41."""
    refused = {"contact_id": "ann", "opted_in": False, "by_contact": refused_by_contact}
    lifted = {"contact_id": "ann", "opted_in": True, "by_contact": lifted_by_contact}
    facts = facts_after(
        [
            make_event("contact.described", NOW, contact_id="ann", role="champion"),
            make_event("preference.changed", NOW, **refused),
            make_event("preference.changed", NOW + DAY, **lifted),
        ]
    )

    assert (unreachable_reason(facts, TIPS) == "") is is_reachable
