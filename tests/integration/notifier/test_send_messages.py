"""Who is told of what comes due, once, and with a reason for everyone who is not."""

from datetime import timedelta
from typing import Any

import pytest

from services.notifier.domain.delivery import Outcome, Receipt
from tests.integration.notifier.conftest import ACME, NOON, HandClock, Notifier

pytestmark = pytest.mark.integration


def by_recipient(items: list[dict[str, Any]]) -> dict[tuple[str | None, str], tuple[str, str]]:
    return {(each["recipient"]["id"], each["channel"]): (each["state"], each["reason"]) for each in items}


async def test_a_csm_hears_by_mail_and_in_app_and_each_is_reported(notifier: Notifier) -> None:
    await notifier.know_acme()
    await notifier.know_carl()

    await notifier.due(owner="csm", channel="call", touchpoint_type="check_in", topic="account")
    await notifier.tell_people()

    (mail,) = notifier.postbox.mails
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
    assert sorted((each["channel"], each["state"]) for each in finished) == [
        ("email", "sent"),
        ("in_app", "sent"),
    ]
    feed = (await notifier.http.get("/v1/inbox", params={"csm_id": "carl"})).json()["items"]
    assert feed[0]["title"] == "Acme & Sons: check in"


async def test_hearing_it_again_tells_nobody_again(notifier: Notifier) -> None:
    await notifier.know_acme()

    for _ in range(3):
        await notifier.due()
        await notifier.tell_people()

    assert sorted(mail.to for mail in notifier.postbox.mails) == ["ann@acme.example", "ben@acme.example"]
    assert len(await notifier.finished()) == 2


async def test_customers_are_told_with_a_way_out_and_without_our_reasons(notifier: Notifier) -> None:
    await notifier.know_acme()

    await notifier.due(audience=["champion"])
    await notifier.tell_people()

    (mail,) = notifier.postbox.mails
    assert mail.to == "ann@acme.example"
    assert mail.unsubscribe_url is not None
    assert mail.unsubscribe_url in mail.message.text
    assert "Acme &amp; Sons" in mail.message.html
    assert "weekly tips in adoption" not in mail.message.text


async def test_who_opted_out_in_the_directory_is_suppressed(notifier: Notifier) -> None:
    word = {"contact_id": "ann", "topic": "education", "opted_in": False}
    stamp = {"time": "2026-03-01T00:00:00Z", "source": "crm", "id": "1"}
    await notifier.know_acme(preferences=[{**word, **stamp}])

    await notifier.due()
    await notifier.tell_people()

    assert [mail.to for mail in notifier.postbox.mails] == ["ben@acme.example"]
    states = by_recipient(await notifier.deliveries(contact_id="ann"))
    assert states["ann", "email"] == (
        "suppressed",
        "the contact opted out: education on all channels",
    )


async def test_an_opt_out_between_hearing_and_sending_binds(notifier: Notifier) -> None:
    await notifier.know_acme()
    await notifier.due()

    answer = await notifier.http.put(
        "/v1/contacts/ann/preferences", json={"topics": {"education": {"opted_in": False}}}
    )
    await notifier.know_acme(version=2)
    await notifier.tell_people()

    assert answer.status_code == 200
    assert [mail.to for mail in notifier.postbox.mails] == ["ben@acme.example"]


async def test_an_account_that_arrives_late_is_waited_for(notifier: Notifier) -> None:
    await notifier.due()
    (waiting,) = await notifier.deliveries()
    assert (waiting["state"], waiting["reason"]) == ("pending", "waiting for directory")
    assert await notifier.tell_people() == 0

    await notifier.know_acme()
    while await notifier.tell_people():
        pass

    assert sorted(mail.to for mail in notifier.postbox.mails) == ["ann@acme.example", "ben@acme.example"]
    assert {each["state"] for each in await notifier.deliveries()} == {"sent"}


async def test_an_account_that_never_arrives_is_given_up_with_that_reason(notifier: Notifier) -> None:
    await notifier.due()
    await notifier.database.pool.execute(
        "UPDATE delivery SET waits_until = clock_timestamp(), next_at = clock_timestamp()"
    )

    await notifier.tell_people()

    (only,) = await notifier.deliveries()
    assert (only["state"], only["reason"]) == (
        "suppressed",
        "the directory does not know the account",
    )
    (finished,) = await notifier.finished()
    assert finished["recipient"] == {"kind": "contact", "id": "nobody"}


async def test_quiet_hours_are_waited_for_on_the_service_clock(notifier: Notifier) -> None:
    await notifier.know_acme()
    HandClock.now_is = NOON + timedelta(hours=10)  # 23:00 in Berlin

    await notifier.due()
    assert await notifier.tell_people() == 0
    assert await notifier.desk.rouse() == 0

    HandClock.now_is = NOON + timedelta(hours=19)  # 08:00 in Berlin
    assert await notifier.desk.rouse() == 2
    await notifier.tell_people()

    assert len(notifier.postbox.mails) == 2


async def test_what_is_not_sent_by_its_deadline_expires(notifier: Notifier) -> None:
    await notifier.know_acme()
    notifier.postbox.answers = [Receipt(Outcome.DEFERRED, "450 busy")] * 2
    await notifier.due()
    await notifier.tell_people()

    HandClock.now_is = NOON + timedelta(days=7)
    await notifier.desk.rouse()
    await notifier.tell_people()

    assert {each["state"] for each in await notifier.deliveries()} == {"expired"}
    assert len(notifier.postbox.mails) == 2


async def test_a_cancelled_touchpoint_is_not_told(notifier: Notifier) -> None:
    await notifier.know_acme()
    await notifier.due()

    await notifier.hear("touchpoint.events", notifier.touchpoint("cancelled", status="cancelled", sequence=4))
    await notifier.tell_people()

    assert notifier.postbox.mails == []
    states = by_recipient(await notifier.deliveries())
    assert set(states.values()) == {
        ("suppressed", "the touchpoint was called off: the touchpoint was cancelled")
    }
    assert len(await notifier.finished()) == 2


async def test_due_and_cancelled_in_one_batch_is_cancelled(notifier: Notifier) -> None:
    await notifier.know_acme()
    cancelled = notifier.touchpoint("cancelled", status="cancelled", sequence=4)

    await notifier.hear("touchpoint.events", notifier.touchpoint("due"), cancelled)
    await notifier.tell_people()

    assert notifier.postbox.mails == []
    assert {each["state"] for each in await notifier.deliveries()} == {"suppressed"}


async def test_under_hold_customers_hear_nothing_ever_and_csms_do(held_notifier: Notifier) -> None:
    await held_notifier.know_acme()
    await held_notifier.know_carl()

    await held_notifier.due()
    await held_notifier.due(owner="csm", touchpoint_id="22222222-2222-4222-8222-222222222222")
    await held_notifier.tell_people()

    assert [mail.to for mail in held_notifier.postbox.mails] == ["carl@vendor.example"]
    (expired,) = await held_notifier.deliveries(state="expired")
    assert expired["reason"] == "came due while nothing was let out to customers"


async def test_an_unknown_mailbox_is_never_written_to_again(notifier: Notifier) -> None:
    await notifier.know_acme(contacts=ACME["contacts"][:1])
    notifier.postbox.answers = [
        Receipt(Outcome.REFUSED, "550 5.1.1 unknown", permanent=True, address_refused=True)
    ]
    await notifier.due()
    await notifier.tell_people()

    await notifier.due(touchpoint_id="22222222-2222-4222-8222-222222222222")
    await notifier.tell_people()

    assert len(notifier.postbox.mails) == 1
    states = [(each["state"], each["reason"]) for each in await notifier.deliveries()]
    assert states == [
        ("suppressed", "the address was refused as unknown before"),
        ("failed", "550 5.1.1 unknown"),
    ]


async def test_a_lost_lease_lets_another_sender_go_on_and_only_one_settles(notifier: Notifier) -> None:
    await notifier.know_acme(contacts=ACME["contacts"][:1])
    await notifier.due()
    slow, directory, now = await notifier.desk.claim_people(50)
    await notifier.database.pool.execute("UPDATE delivery SET lease_until = '2000-01-01Z'")

    await notifier.tell_people()
    from services.notifier.application.send_messages import tell_people  # noqa: PLC0415

    await notifier.desk.complete(await tell_people(slow, directory, now, post=notifier.post))

    (only,) = await notifier.deliveries()
    assert only["state"] == "sent"
    assert only["ambiguous"] is True
    assert len(only["attempts"]) == 1
    assert len(await notifier.finished()) == 1


async def test_an_in_app_guide_reaches_the_contact_and_can_be_read(notifier: Notifier) -> None:
    await notifier.know_acme()

    await notifier.due(channel="in_app", touchpoint_type="in_app_guide", audience=["champion"])

    (entry,) = (await notifier.http.get("/v1/inbox", params={"contact_id": "ann"})).json()["items"]
    assert entry["read_at"] is None
    read = await notifier.http.post(f"/v1/inbox/{entry['id']}/read")
    assert read.status_code == 200
    params = {"contact_id": "ann", "unread": "true"}
    assert (await notifier.http.get("/v1/inbox", params=params)).json()["items"] == []


async def test_a_notice_tells_the_audience_its_cadence(notifier: Notifier) -> None:
    await notifier.know_acme()
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
    letter = notifier.letter("account.notices", "drumbeat.notice.requested.v1", "acme", data, "n1")

    await notifier.hear("account.notices", letter)
    await notifier.tell_people()

    (mail,) = notifier.postbox.mails
    assert "check in: every 2 weeks" in mail.message.text
    (only,) = await notifier.deliveries()
    assert (only["state"], only["touchpoint_id"]) == ("sent", None)


async def test_what_cannot_be_read_is_buried_and_the_rest_goes_on(notifier: Notifier) -> None:
    await notifier.know_acme()
    broken = notifier.touchpoint("due", sequence=-1, touchpoint_id="x")
    unknown = notifier.letter("touchpoint.events", "drumbeat.unheard.of.v1", "acme", {}, "e9")

    await notifier.hear("touchpoint.events", broken, unknown, notifier.touchpoint("due"))

    assert len(await notifier.deliveries()) == 2
    assert await notifier.database.pool.fetchval("SELECT count(*) FROM dead_letter") == 2


async def test_an_older_directory_record_changes_nothing(notifier: Notifier) -> None:
    await notifier.know_acme(version=2)
    await notifier.know_acme(version=1, contacts=[])

    await notifier.due()

    assert {each["recipient"]["id"] for each in await notifier.deliveries()} == {"ann", "ben"}


async def test_a_restarted_replica_takes_up_what_its_predecessor_had_claimed(notifier: Notifier) -> None:
    await notifier.know_acme(contacts=ACME["contacts"][:1])
    await notifier.due()
    before, _, _ = await notifier.desk.claim_people(10)
    assert before
    assert not (await notifier.desk.claim_people(10))[0]

    await notifier.desk.inherit()

    after, _, _ = await notifier.desk.claim_people(10)
    assert {claim.delivery.id for claim in after} == {claim.delivery.id for claim in before}
