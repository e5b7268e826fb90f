"""Whom a platform gets: nobody whom Drumbeat itself would not write to (S156)."""

from datetime import timedelta

import pytest

from schemas.directory import ContactRecord, PreferenceRecord
from services.notifier.domain.approval import MessageHandling
from services.notifier.domain.decision import Action, Reason
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.delivery_policy import decide_delivery
from services.notifier.domain.hand_off import decide_hand_off, find_hand_off_audience
from services.notifier.domain.people import Account, Pause
from services.notifier.domain.situation import Situation
from services.notifier.domain.subscription import Subscription
from tests.unit.notifier.events import NOON, due


def contact(name: str, **more: object) -> ContactRecord:
    fields = {"contact_id": name, "email": f"{name}@acme.example", "timezone": "UTC", **more}
    return ContactRecord.model_validate(fields)


CONTACTS = (
    contact("ann"), contact("ben"), contact("cat", left=True), contact("dan", email=None), contact("eve"),
)  # fmt: skip
REFUSES = PreferenceRecord(contact_id="ben", topic="education", opted_in=False, time=NOON, source="s", id="1")
AROUND = Situation(
    account=Account("acme", contacts=CONTACTS, pauses=(Pause("eve", None, "on leave"),)),
    preferences=[REFUSES],
    handling=MessageHandling(hand_off="Sequencer"),
    mail_hold="no relay",
)


def of(name: str) -> Recipient:
    return Recipient(RecipientKind.CONTACT, name)


def test_opt_outs_pauses_and_missing_addresses_keep_contacts_from_the_platform_s156() -> None:
    night = NOON + timedelta(hours=9)
    audience = find_hand_off_audience(due(), AROUND, night)

    assert audience.opens_at == {of("ann"): NOON + timedelta(hours=20)}
    reasons = {recipient.id: decision.reason for recipient, decision in audience.refused.items()}
    assert reasons == {"ben": Reason.OPTED_OUT, "dan": Reason.NO_ADDRESS, "eve": Reason.PAUSED}


def test_over_another_channel_no_address_is_needed_and_the_opt_out_of_that_channel_counts() -> None:
    by_phone = PreferenceRecord(
        contact_id="ann", channel="sms", opted_in=False, time=NOON, source="s", id="2"
    )
    around = Situation(account=Account("acme", contacts=CONTACTS), preferences=[by_phone])
    audience = find_hand_off_audience(due(channel="sms"), around, NOON)
    assert set(audience.opens_at) == {of("ben"), of("dan"), of("eve")}
    assert audience.refused[of("ann")].reason is Reason.OPTED_OUT


@pytest.mark.parametrize(
    ("around", "action", "reason"),
    [
        (Situation(live=False, account=Account("acme")), Action.EXPIRE, Reason.ON_HOLD),
        (Situation(), Action.WAIT, Reason.WAITING),
        (Situation(has_waited=True), Action.SUPPRESS, Reason.UNKNOWN_ACCOUNT),
        (Situation(account=Account("acme")), Action.WAIT, Reason.WAITING),
        (Situation(account=Account("acme"), has_waited=True), Action.SUPPRESS, Reason.NO_AUDIENCE),
    ],
)
def test_nothing_is_handed_off_on_hold_or_without_anybody(
    around: Situation, action: Action, reason: Reason
) -> None:
    decision = decide_hand_off(due(), around)
    assert (decision.action, decision.reason) == (action, reason)


def test_what_is_over_is_not_handed_off() -> None:
    event = due(deadline=NOON)
    decision = decide_delivery(event, Recipient(RecipientKind.CONTACT, None), "email", AROUND, NOON)
    assert decision.reason is Reason.DEADLINE


def test_a_subscription_takes_what_it_asked_for() -> None:
    event = due()
    assert Subscription("s", "https://x", name="Sequencer").takes("Sequencer", event)
    assert Subscription("s", "https://x", content=True).takes("Sequencer", event)
    assert not Subscription("s", "https://x", name="Another").takes("Sequencer", event)
    assert not Subscription("s", "https://x").takes("Sequencer", event)
    assert not Subscription("s", "https://x", content=True, is_active=False).takes("Sequencer", event)
    filtered = Subscription("s", "https://x", filter={"account_id": ["other"]}, content=True)
    assert not filtered.takes("Sequencer", event)
