"""Who gets a message about what is due: once, and with a reason for everyone who gets none."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.times import format_instant
from services.notifier.application.send_messages import send_messages
from services.notifier.domain.delivery import AttemptOutcome, Response
from tests.integration.notifier.conftest import ACME, NOON, Notifier, SetClock

pytestmark = pytest.mark.integration


def by_recipient(items: list[dict[str, Any]]) -> dict[tuple[str | None, str], tuple[str, str]]:
    return {(row["recipient"]["id"], row["channel"]): (row["state"], row["reason"]) for row in items}


async def test_a_csm_gets_an_email_and_an_in_app_message_and_both_are_reported(notifier: Notifier) -> None:
    await notifier.add_acme()
    await notifier.add_carl()

    soon = format_instant(NOON + timedelta(hours=24))
    await notifier.due(
        owner="csm", channel="call", touchpoint_type="check_in", topic="account", deadline=soon
    )
    await notifier.send_gathered()

    (mail,) = notifier.mailer.mails
    assert mail.to == "carl@vendor.example"
    assert "Acme & Sons" in mail.message.subject
    assert "weekly tips in adoption" in mail.message.text
    assert mail.unsubscribe_url is None
    items = await notifier.deliveries(touchpoint_id="11111111-1111-4111-8111-111111111111")
    assert {key: state for key, (state, _) in by_recipient(items).items()} == {
        ("carl", "email"): "sent",
        ("carl", "in_app"): "sent",
    }
    finished = await notifier.finished()
    assert sorted((row["channel"], row["state"]) for row in finished) == [
        ("email", "sent"),
        ("in_app", "sent"),
    ]
    feed = (await notifier.http.get("/v1/inbox", params={"csm_id": "carl"})).json()["items"]
    assert feed[0]["title"] == "Acme & Sons: Check-in"


async def test_messages_that_wait_for_others_are_work_until_they_are_released(notifier: Notifier) -> None:
    """A rehearsal does not go on before they went; what is tried again in real time is not waited for."""
    await notifier.add_acme()
    await notifier.add_carl()
    soon = format_instant(NOON + timedelta(hours=24))
    await notifier.due(
        owner="csm", channel="call", touchpoint_type="check_in", topic="account", deadline=soon
    )
    assert await notifier.queue.count_gathering() == 2  # the mail and the in-app message
    assert await notifier.queue.release_gathering() == 2
    notifier.mailer.responses = [Response(AttemptOutcome.DEFERRED, "450 busy")]
    await notifier.send_messages()

    assert len(notifier.mailer.mails) == 1
    assert await notifier.queue.count_gathering() == 0


async def test_a_repeated_event_sends_nothing_again(notifier: Notifier) -> None:
    await notifier.add_acme()

    for _ in range(3):
        await notifier.due()
        await notifier.send_messages()

    assert sorted(mail.to for mail in notifier.mailer.mails) == ["ann@acme.example", "ben@acme.example"]
    assert len(await notifier.finished()) == 2


async def test_a_customer_mail_has_an_unsubscribe_link_and_no_internal_reason(notifier: Notifier) -> None:
    await notifier.add_acme()

    await notifier.due(audience=["champion"])
    await notifier.send_messages()

    (mail,) = notifier.mailer.mails
    assert mail.to == "ann@acme.example"
    assert mail.unsubscribe_url is not None
    assert mail.unsubscribe_url in mail.message.text
    assert "Acme &amp; Sons" in mail.message.html
    assert "http://test/p/" in mail.message.text
    assert "1 Long Road" in mail.message.text
    assert "Three ways to import faster" not in mail.message.text
    assert "weekly tips in adoption" not in mail.message.text


async def test_an_opt_out_in_the_directory_suppresses(notifier: Notifier) -> None:
    opt_out = {"contact_id": "ann", "topic": "education", "opted_in": False}
    provenance = {"time": "2026-03-01T00:00:00Z", "source": "crm", "id": "1"}
    await notifier.add_acme(preferences=[{**opt_out, **provenance}])

    await notifier.due()
    await notifier.send_messages()

    assert [mail.to for mail in notifier.mailer.mails] == ["ben@acme.example"]
    states = by_recipient(await notifier.deliveries(contact_id="ann"))
    assert states["ann", "email"] == (
        "suppressed",
        "the contact opted out: education on all channels",
    )


async def test_an_opt_out_between_ingest_and_sending_binds(notifier: Notifier) -> None:
    await notifier.add_acme()
    await notifier.due()

    answer = await notifier.http.put(
        "/v1/contacts/ann/preferences", json={"topics": {"education": {"opted_in": False}}}
    )
    await notifier.add_acme(version=2)
    await notifier.send_messages()

    assert answer.status_code == 200
    assert [mail.to for mail in notifier.mailer.mails] == ["ben@acme.example"]


async def test_an_account_that_arrives_late_is_waited_for(notifier: Notifier) -> None:
    await notifier.due()
    (waiting,) = await notifier.deliveries()
    assert (waiting["state"], waiting["reason"]) == ("pending", "waiting for data about the recipient")
    assert await notifier.send_messages() == 0

    await notifier.add_acme()
    while await notifier.send_messages():
        pass

    assert sorted(mail.to for mail in notifier.mailer.mails) == ["ann@acme.example", "ben@acme.example"]
    assert {row["state"] for row in await notifier.deliveries()} == {"sent"}


async def test_an_account_that_never_arrives_is_given_up_with_that_reason(notifier: Notifier) -> None:
    await notifier.due()
    await notifier.database.pool.execute(
        "UPDATE delivery_queue SET waits_until = clock_timestamp(), next_at = clock_timestamp()"
    )

    await notifier.send_messages()

    states = by_recipient(await notifier.deliveries())
    assert states[None, "email"] == ("suppressed", "the account is unknown")
    assert states["fallback", "email"] == ("pending", "gathered with other work that nobody has")
    (finished,) = await notifier.finished()
    assert finished["recipient"] == {"kind": "contact", "id": "nobody"}


async def test_quiet_hours_are_waited_for_on_the_service_clock(notifier: Notifier) -> None:
    await notifier.add_acme()
    SetClock.now_is = NOON + timedelta(hours=10)  # 23:00 in Berlin

    await notifier.due()
    assert await notifier.send_messages() == 0
    assert await notifier.queue.wake_due() == 0

    SetClock.now_is = NOON + timedelta(hours=19)  # 08:00 in Berlin
    assert await notifier.queue.wake_due() == 2
    await notifier.send_messages()

    assert len(notifier.mailer.mails) == 2


async def test_the_zones_of_a_country_are_waited_for_all_together(notifier: Notifier) -> None:
    """Row 23: of an account whose own zone nobody told."""
    await notifier.add_acme(timezone=None, zones=["America/New_York", "America/Los_Angeles"])
    SetClock.now_is = NOON + timedelta(hours=1)  # 08:00 in New York, 05:00 in Los Angeles

    await notifier.due()
    assert await notifier.send_messages() == 0

    SetClock.now_is = NOON + timedelta(hours=4)
    assert await notifier.queue.wake_due() == 2
    await notifier.send_messages()
    assert len(notifier.mailer.mails) == 2


async def test_a_message_that_is_not_sent_by_its_deadline_expires(notifier: Notifier) -> None:
    await notifier.add_acme()
    notifier.mailer.responses = [Response(AttemptOutcome.DEFERRED, "450 busy")] * 2
    await notifier.due()
    await notifier.send_messages()

    SetClock.now_is = NOON + timedelta(days=7)
    await notifier.queue.wake_due()
    await notifier.send_messages()

    assert {row["state"] for row in await notifier.deliveries()} == {"expired"}
    assert len(notifier.mailer.mails) == 2


async def test_a_cancelled_touchpoint_sends_nothing(notifier: Notifier) -> None:
    await notifier.add_acme()
    await notifier.due()

    await notifier.consume(notifier.touchpoint("cancelled", status="cancelled", sequence=4))
    await notifier.send_messages()

    assert notifier.mailer.mails == []
    states = by_recipient(await notifier.deliveries())
    assert set(states.values()) == {("suppressed", "withdrawn: the touchpoint was cancelled")}
    assert len(await notifier.finished()) == 2


async def test_due_and_cancelled_in_one_batch_is_cancelled(notifier: Notifier) -> None:
    await notifier.add_acme()
    cancelled = notifier.touchpoint("cancelled", status="cancelled", sequence=4)

    await notifier.consume(notifier.touchpoint("due"), cancelled)
    await notifier.send_messages()

    assert notifier.mailer.mails == []
    assert {row["state"] for row in await notifier.deliveries()} == {"suppressed"}


async def test_on_hold_customers_get_nothing_and_csms_do(notifier_on_hold: Notifier) -> None:
    await notifier_on_hold.add_acme()
    await notifier_on_hold.add_carl()

    await notifier_on_hold.due()
    await notifier_on_hold.due(
        owner="csm", touchpoint_id="22222222-2222-4222-8222-222222222222", precedence="escalation"
    )
    await notifier_on_hold.send_gathered()

    assert [mail.to for mail in notifier_on_hold.mailer.mails] == ["carl@vendor.example"]
    (expired,) = await notifier_on_hold.deliveries(state="expired")
    assert expired["reason"] == "customer messages are on hold"


async def test_an_unknown_mailbox_gets_no_further_mail(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ACME["contacts"][:1])
    notifier.mailer.responses = [
        Response(AttemptOutcome.REFUSED, "550 5.1.1 unknown", is_permanent=True, is_unknown_address=True)
    ]
    await notifier.due()
    await notifier.send_messages()

    await notifier.due(touchpoint_id="22222222-2222-4222-8222-222222222222")
    await notifier.send_messages()

    assert len(notifier.mailer.mails) == 1
    rows = [row for row in await notifier.deliveries() if row["recipient"]["kind"] == "contact"]
    assert [(row["state"], row["reason"]) for row in rows] == [
        ("suppressed", "an earlier message was refused: unknown email address"),
        ("failed", "550 5.1.1 unknown"),
    ]


async def test_after_a_lost_lease_another_sender_goes_on_and_the_first_sends_nothing(
    notifier: Notifier,
) -> None:
    await notifier.add_acme(contacts=ACME["contacts"][:1])
    await notifier.due()
    slow, directory, now = await notifier.queue.claim_messages(50)
    await notifier.database.pool.execute("UPDATE delivery_queue SET lease_until = '2000-01-01Z'")

    await notifier.send_messages()
    await notifier.queue.complete(await send_messages(slow, directory, now, sending=notifier.sending))

    (only,) = await notifier.deliveries()
    assert only["state"] == "sent"
    assert only["ambiguous"] is False
    assert len(notifier.mailer.mails) == 1
    assert len(only["attempts"]) == 1
    assert len(await notifier.finished()) == 1


async def test_an_in_app_guide_reaches_the_contact_and_can_be_read(notifier: Notifier) -> None:
    await notifier.add_acme()

    await notifier.due(channel="in_app", touchpoint_type="in_app_guide", audience=["champion"])
    await notifier.send_messages()

    (entry,) = (await notifier.http.get("/v1/inbox", params={"contact_id": "ann"})).json()["items"]
    assert entry["read_at"] is None
    assert (entry["title"], entry["body"]) == ("Import in three steps", "Begin with the file.")
    read = await notifier.http.post(f"/v1/inbox/{entry['id']}/read")
    assert read.status_code == 200
    params = {"contact_id": "ann", "unread": "true"}
    assert (await notifier.http.get("/v1/inbox", params=params)).json()["items"] == []


async def test_a_notice_mails_the_audience_its_cadence(notifier: Notifier) -> None:
    await notifier.add_acme()
    data = {
        "notice_id": "n1",
        "account_id": "acme",
        "kind": "cadence_changed",
        "version": 5,
        "rhythms": [{"touchpoint_type": "check_in", "every_days": 14, "channel": "call", "owner": "csm"}],
        "audience": ["champion"],
        "text": "From now on:",
        "at": "2026-03-02T12:00:00Z",
    }
    record = notifier.record("account.notices", "drumbeat.notice.requested.v1", "acme", data, "n1")

    await notifier.consume(record)
    await notifier.send_messages()

    (mail,) = notifier.mailer.mails
    assert "Check-in: every 2 weeks" in mail.message.text
    (only,) = await notifier.deliveries()
    assert (only["state"], only["touchpoint_id"]) == ("sent", None)


async def test_an_unreadable_record_is_dead_lettered_and_the_rest_goes_on(notifier: Notifier) -> None:
    await notifier.add_acme()
    broken = notifier.touchpoint("due", sequence=-1, touchpoint_id="x")
    unknown = notifier.record("touchpoint.events", "drumbeat.unknown.type.v1", "acme", {}, "e9")

    await notifier.consume(broken, unknown, notifier.touchpoint("due"))

    assert len(await notifier.deliveries()) == 2
    assert await notifier.database.pool.fetchval("SELECT count(*) FROM dead_letter") == 2


async def test_an_older_directory_record_changes_nothing(notifier: Notifier) -> None:
    await notifier.add_acme(version=2)
    await notifier.add_acme(version=1, contacts=[])

    await notifier.due()

    assert {row["recipient"]["id"] for row in await notifier.deliveries()} == {"ann", "ben"}


async def test_a_restarted_replica_takes_over_the_claims_of_its_predecessor(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ACME["contacts"][:1])
    await notifier.due()
    before, _, _ = await notifier.queue.claim_messages(10)
    assert before
    assert not (await notifier.queue.claim_messages(10))[0]

    await notifier.queue.take_over_leases()

    after, _, _ = await notifier.queue.claim_messages(10)
    assert {claim.delivery.id for claim in after} == {claim.delivery.id for claim in before}
