"""Who is reminded of what comes soon: whoever leads it, and the contacts with whom it takes place (S169, S190)."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.directory import ContactRecord, CsmRecord, PreferenceRecord
from schemas.touchpoints import TouchpointOwner
from services.notifier.domain.decision import Action, DeliveryDecision, Reason
from services.notifier.domain.delivery import State
from services.notifier.domain.delivery_cause import cause_of
from services.notifier.domain.delivery_policy import decide_delivery, decide_recipients
from services.notifier.domain.event import REMINDER, Event
from services.notifier.domain.mode import Mode
from services.notifier.domain.people import Account
from services.notifier.domain.situation import Directory, Situation
from tests.unit.notifier.events import due

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
REVIEW_AT = NOW + timedelta(hours=48)
CARL = CsmRecord(csm_id="carl", email="carl@vendor.example", version=1)
MARA = CsmRecord(csm_id="mara", email="mara@vendor.example", role="manager", version=1)
ADA = ContactRecord(contact_id="ada", email="ada@acme.example", role="champion")
BEN = ContactRecord(contact_id="ben", email="ben@acme.example", role="decision_maker")


def reminder(**more: object) -> Event:
    """Of a review in 48 hours."""
    fields: dict[str, object] = {
        "touchpoint_type": "business_review", "status": "planned", "due_at": REVIEW_AT, "topic": "account",
        "audience": ("decision_maker",), "sequence": 3,
        **more,
    }  # fmt: skip
    owner = "automation" if more.get("owner") else "csm"
    event = due(owner, channel="meeting", **fields)
    return Event("t1:reminder", REMINDER, NOW, event.data, event.content)


def situation(**more: object) -> Situation:
    known = {"csms": {"carl": CARL, "mara": MARA}, **more}
    directory = Directory(
        accounts={"acme": Account("acme", "Acme", ("Europe/Berlin",), (ADA, BEN), csm_id="carl")},
        **known,  # pyright: ignore[reportArgumentType]
    )
    return directory.situation_of(reminder())


def decisions(
    event: Event, among: Situation, now: datetime = NOW
) -> dict[tuple[str | None, str], DeliveryDecision]:
    return {(one.recipient.id, one.channel): one.decision for one in decide_recipients(event, among, now)}


def test_the_owner_is_told_at_once_by_mail_and_in_the_app_and_the_audience_by_mail() -> None:
    found = decisions(reminder(), situation())

    assert {who: decision.action for who, decision in found.items()} == {
        ("carl", "email"): Action.SEND, ("carl", "in_app"): Action.SEND, ("ben", "email"): Action.SEND,
    }  # fmt: skip
    timing = found["carl", "email"].timing
    assert timing is not None
    assert (timing.fold_key, timing.planned_at) == ("reminder:csm:carl", None)


def test_of_internal_work_no_customer_is_reminded() -> None:
    assert set(decisions(reminder(topic=None), situation())) == {("carl", "email"), ("carl", "in_app")}


def test_without_a_contact_of_the_audience_nobody_else_at_the_customer_is_reminded() -> None:
    found = decisions(reminder(audience=("executive_sponsor",)), situation())

    assert found[None, "email"].reason is Reason.NO_AUDIENCE
    assert set(found) == {("carl", "email"), ("carl", "in_app"), (None, "email")}


def test_what_nobody_leads_is_told_to_the_manager() -> None:
    nobody = TouchpointOwner(kind="csm")

    assert ("mara", "email") in decisions(reminder(owner=nobody), situation())


def test_a_contact_who_may_not_be_written_to_is_not_reminded() -> None:
    refusal = PreferenceRecord(
        contact_id="ben", topic="account", channel="email", opted_in=False, id="p", source="/", time=NOW
    )
    refused = decisions(reminder(), situation(preferences={"ben": [refusal]}))
    held = decisions(reminder(), situation(mode=Mode(live=False)))

    assert refused["ben", "email"].reason is Reason.OPTED_OUT
    assert held[None, "email"].reason is Reason.ON_HOLD
    assert held["carl", "email"].action is Action.SEND


def test_quiet_hours_hold_the_mail_to_the_customer() -> None:
    night = NOW.replace(hour=22)

    assert decisions(reminder(), situation(), night)["ben", "email"].reason is Reason.QUIET
    assert decisions(reminder(), situation(), night)["carl", "email"].send_after is None


@pytest.mark.parametrize("recipient", [("carl", "email"), ("carl", "in_app"), ("ben", "email")])
def test_what_has_begun_is_not_reminded_of(recipient: tuple[str, str]) -> None:
    among = situation()
    sent = next(
        one
        for one in decide_recipients(reminder(), among, NOW)
        if (one.recipient.id, one.channel) == recipient
    )
    decision = decide_delivery(reminder(), sent.recipient, sent.channel, among, REVIEW_AT)

    assert (decision.action, decision.reason) == (Action.EXPIRE, Reason.BEGUN)
    assert cause_of(State.EXPIRED, decision.text) == "deadline"


def test_a_move_or_a_cancellation_withdraws_it() -> None:
    among = situation(withdrawn={"t1": (4, "the touchpoint was moved")})

    assert {one.action for one in decisions(reminder(), among).values()} == {Action.SUPPRESS}


def test_its_messages_are_listed_as_reminders_and_not_as_the_touchpoint() -> None:
    assert (reminder().message_type, due().message_type) == ("reminder", "tips")
