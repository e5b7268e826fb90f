"""Published messages are what their models read."""

from datetime import UTC, datetime

from schemas.directory import PreferenceRecord
from schemas.facts import PreferenceChanged
from schemas.outcomes import DeliveryFinished
from services.notifier.adapters.messages import delivery_finished, preference_changed
from services.notifier.domain.delivery import Delivery, Recipient, RecipientKind, State

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_a_finished_delivery_is_read_by_its_model() -> None:
    delivery = Delivery("d-1", "email", Recipient(RecipientKind.CONTACT, "ann"), State.SENT, "250 OK", 1)

    message = delivery_finished(delivery, account_id="acme", touchpoint=("t1", "tips"), at=AT)

    assert message[:5] == ("touchpoint.outcomes", "acme", "d-1:finished", "drumbeat.delivery.finished.v1", AT)
    assert message.data == (
        b'{"delivery_id":"d-1","touchpoint_id":"t1","touchpoint_type":"tips","channel":"email",'
        b'"recipient":{"kind":"contact","id":"ann"},"state":"sent","reason":"250 OK","cause":null,'
        b'"at":"2026-01-05T12:00:00Z"}'
    )
    assert DeliveryFinished.read(message.data).write() == message.data


def test_a_delivery_without_a_recipient_and_with_a_long_reason_is_readable() -> None:
    delivery = Delivery("d-1", "email", Recipient(RecipientKind.CSM, None), State.SUPPRESSED, "x" * 3000)

    message = delivery_finished(delivery, account_id="acme", touchpoint=(None, None), at=AT)

    assert message.data is not None
    finished = DeliveryFinished.read(message.data)
    assert finished.recipient.id == "nobody"
    assert finished.reason == "x" * 2000


def test_a_delivery_that_was_not_sent_names_its_cause_f3() -> None:
    held = Delivery(
        "d-1",
        "sms",
        Recipient(RecipientKind.CONTACT, "ann"),
        State.SUPPRESSED,
        "the channel is not supported",
    )

    message = delivery_finished(held, account_id="acme", touchpoint=("t1", "tips"), at=AT)

    assert message.data is not None
    assert DeliveryFinished.read(message.data).cause == "channel"


def test_a_preference_is_published_without_the_fields_it_does_not_set() -> None:
    preference = PreferenceRecord(
        contact_id="ann", topic="education", opted_in=False, time=AT, source="/drumbeat/notifier", id="p1"
    )

    message = preference_changed(preference, "acme")

    assert message[:5] == ("account.signals", "acme", "p1", "drumbeat.preference.changed.v1", AT)
    assert message.data == b'{"contact_id":"ann","topic":"education","opted_in":false}'
    assert PreferenceChanged.read(message.data).opted_in is False
