"""Reachability follows consent: what a tool reports lifts nothing that the contact refused."""

import pytest

from schemas.plans import RhythmItem
from services.cadence.account import FactEvent
from services.cadence.explanation.reachability import undelivered, unreachable
from tests.unit.cadence.events import DAY, HOUR, NOW, facts_after, issued, make_event

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

    assert (unreachable(facts, TIPS) is None) is is_reachable


def finished(hours_ago: float, cause: str | None, touchpoint: str = "t1", **more: object) -> FactEvent:
    """A delivery about tips in its final state; without a cause it was sent."""
    fields: dict[str, object] = {
        "delivery_id": f"{touchpoint}-{hours_ago}",
        "touchpoint_id": touchpoint,
        "touchpoint_type": "tips",
        "channel": "email",
        "recipient": {"kind": "contact", "id": "ann"},
        "state": "sent" if cause is None else "suppressed",
        "cause": cause,
        "reason": None if cause is None else f"because of {cause}",
        "at": NOW - hours_ago * HOUR,
    }
    return make_event("delivery.finished", NOW - hours_ago * HOUR, "/drumbeat/notifier", **(fields | more))


@pytest.mark.parametrize(
    ("deliveries", "cause"),
    [
        ([], None),
        ([finished(2, "quiet_hours")], "quiet_hours"),
        ([finished(2, "quiet_hours"), finished(1, None, "t2")], None),
        ([finished(2, None), finished(1, "channel", "t2")], "channel"),
        ([finished(2, None), finished(1, "no_recipient")], None),
        ([finished(2, "no_address"), finished(1, "withdrawn", "t2")], None),
        (
            [finished(2, "failed"), finished(1, "deadline", recipient={"kind": "subscription", "id": "s"})],
            "failed",
        ),
        ([finished(2, "on_hold", touchpoint_type="newsletter")], None),
        ([finished(1, "channel", channel="sms")], None),
        ([finished(1, "on_hold", channel="sms")], "on_hold"),
    ],
)
def test_the_verdict_on_the_newest_message_of_a_type_counts_f3(
    deliveries: list[FactEvent], cause: str | None
) -> None:
    stopped = undelivered(facts_after([]), issued(deliveries).verdicts, TIPS)

    assert (None if stopped is None else stopped.cause) == cause
    assert stopped is None or stopped.text == f"its newest message was not sent: because of {cause}"


@pytest.mark.parametrize(
    ("cause", "news", "holds"),
    [
        ("no_recipient", make_event("contact.described", NOW, contact_id="bob", role="champion"), False),
        ("no_recipient", make_event("account.described", NOW, csm_id="dana"), False),
        ("no_recipient", make_event("health.scored", NOW, score=50), True),
        ("no_recipient", make_event("contact.described", NOW - DAY, contact_id="bob", role="champion"), True),
        ("quiet_hours", make_event("account.described", NOW, timezone="Asia/Tokyo"), False),
        ("pause", make_event("outreach.resumed", NOW, reason="over"), False),
        ("on_hold", make_event("account.described", NOW, csm_id="dana"), True),
    ],
)
def test_a_verdict_holds_until_news_may_change_it_f3(cause: str, news: FactEvent, *, holds: bool) -> None:
    stopped = undelivered(facts_after([news]), issued([finished(1, cause)]).verdicts, TIPS)

    assert (stopped is not None) is holds
