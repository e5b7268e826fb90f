"""A contact's channel wish is heard where both channels are possible (point 7)."""

import pytest

from services.cadence.account import FactEvent
from services.cadence.evaluation.preferred_channels import preferred_channel
from services.cadence.policy import Policy
from tests.unit.cadence.events import DAY, HOUR, NOW, decided, make_event, one_offs, shipped
from tests.unit.cadence.events import rhythm as item
from tests.unit.cadence.policies import evaluated, policy, rhythm, trigger

CHAMPION = make_event("contact.described", NOW - 40 * DAY, contact_id="ann", role="champion")
LED = make_event("account.described", NOW - 400 * DAY, arr=200_000, csm_id="dana")
ASKED = make_event("request.received", NOW - HOUR, request_id="r1")


def prefers(channel: str, days: float = 1, who: str = "ann", **more: object) -> FactEvent:
    return make_event("preference.changed", NOW - days * DAY, contact_id=who, channel=channel, **more)


def channel_of(*events: FactEvent, kind: str = "check_in") -> str:
    found = item(decided(LED, CHAMPION, *events), kind)
    assert found is not None
    return found.channel


@pytest.mark.parametrize(
    ("rule", "channel", "heard"),
    [
        ("enterprise-check-in/growth", "meeting", True),
        ("enterprise-check-in/growth", "email", True),
        ("enterprise-check-in/growth", "in_app", False),
        ("enterprise-check-in/growth", "call", False),
        ("enterprise-business-review", "call", True),
        ("enterprise-business-review", "email", False),
        ("enterprise-value-watch", "email", False),
        ("enterprise-newsletter", "in_app", True),
        ("enterprise-newsletter", "call", False),
        ("small-business-check-in", "in_app", True),
        ("adoption-guide", "email", True),
        ("monthly-webinar", "email", False),
        ("mid-market-workshop", "call", False),
    ],
)
def test_persons_call_meet_or_write_and_messages_go_by_mail_or_in_the_product(
    rule: str, channel: str, *, heard: bool
) -> None:
    under = shipped()
    (found,) = [each for _, each in under.rhythms if each.rule == rule]
    topics = {kind.topic: channel for kind in under.catalogue.values() if kind.topic is not None}

    assert preferred_channel(under, found, topics) == (channel if heard else None)


def test_a_rhythm_and_a_one_off_follow_the_wish_and_say_so() -> None:
    asked = prefers("meeting", topic="account")
    decision = decided(LED, CHAMPION, ASKED, asked)
    calls = [item(decision, "check_in"), *one_offs(decision, "ad_hoc_call")]

    assert len(calls) == 2
    for found in calls:
        assert found is not None
        assert found.channel == "meeting"
        assert found.reason.text.endswith("The customer wishes to be reached by meeting.")
        (fact,) = [each for each in found.reason.facts if each.name == "preferred_channel"]
        assert (fact.id, fact.value) == (asked.provenance.id, "meeting")


@pytest.mark.parametrize(
    ("events", "channel"),
    [
        ([prefers("meeting")], "meeting"),
        ([prefers("meeting", topic="training")], "call"),
        ([prefers("meeting", 2), prefers("email", 1)], "email"),
        ([prefers("meeting", 2), prefers("email", 1, "bob")], "meeting"),
        ([prefers("email", frequency="weekly", opted_in=True)], "email"),
        ([prefers("email", opted_in=True)], "call"),
        ([prefers("email", opted_in=False)], "call"),
        ([prefers("email", 2), prefers("email", 1, opted_in=False)], "call"),
        ([prefers("email", 2), prefers("email", 1, opted_in=False, by_contact=True)], "call"),
        ([prefers("email", 2), make_event("contact.left", NOW, contact_id="ann")], "call"),
        ([prefers("email"), make_event("health.scored", NOW, color="red")], "call"),
    ],
)
def test_the_newest_wish_of_a_stakeholder_counts_and_what_only_allows_a_channel_is_none(
    events: list[FactEvent], channel: str
) -> None:
    assert channel_of(*events) == channel


def test_the_key_follows_a_channel_that_prefersed() -> None:
    under: Policy = policy(
        rhythm("base", "check_in", 14), trigger("ask", "request.received", "advocacy_ask", 2)
    )

    assert evaluated(under).key != evaluated(under, prefers("meeting")).key
    one_off = policy(trigger("ask", "request.received", "advocacy_ask", 2))
    assert evaluated(one_off, ASKED).key != evaluated(one_off, ASKED, prefers("meeting")).key
    assert evaluated(under).key == evaluated(under, prefers("in_app")).key
