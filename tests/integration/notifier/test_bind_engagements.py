"""What comes back binds: complaint, unsubscription and hard bounce hold for every later message (rows 8, 21, 41)."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.times import format_instant
from services.chassis.clock import real_now
from services.notifier.domain.unsubscribe import make_token
from tests.integration.notifier.conftest import ACME, NOON, Notifier, SetClock

pytestmark = pytest.mark.integration

ANN_ONLY = ACME["contacts"][:1]


async def mail_to_ann(notifier: Notifier, number: int = 1, **more: Any) -> dict[str, Any]:
    """The delivery of one more mail to Ann, after the sender ran."""
    touchpoint_id = f"{number:08d}-1111-4111-8111-111111111111"
    await notifier.due(touchpoint_id=touchpoint_id, **more)
    await notifier.send_messages()
    rows = await notifier.deliveries(touchpoint_id=touchpoint_id)
    (only,) = [row for row in rows if row["recipient"]["kind"] == "contact"]
    return only


async def engage(notifier: Notifier, delivery_id: str, kind: str, event_id: str = "e1", **more: Any) -> None:
    data = {"delivery_id": delivery_id, "kind": kind, **more}
    await notifier.consume(
        notifier.record("touchpoint.outcomes", "drumbeat.message.engaged.v1", "acme", data, event_id)
    )


async def dead_letters(notifier: Notifier) -> list[str]:
    return [row[0] for row in await notifier.database.pool.fetch("SELECT reason FROM dead_letter")]


async def facts(notifier: Notifier) -> list[dict[str, Any]]:
    return [data for topic, _, _, data in await notifier.outbox() if topic == "account.signals"]


async def test_a_complaint_ends_messages_of_every_topic(notifier: Notifier) -> None:
    """Row 21."""
    await notifier.add_acme(contacts=ANN_ONLY)
    sent = await mail_to_ann(notifier)

    await engage(notifier, sent["id"], "complained")

    for number, topic in ((2, "education"), (3, "promotion")):
        later = await mail_to_ann(notifier, number, topic=topic)
        assert (later["state"], later["reason"]) == (
            "suppressed",
            "the contact opted out: all topics on all channels",
        )
    assert await facts(notifier) == [{"contact_id": "ann", "opted_in": False, "by_contact": True}]


async def test_an_unsubscription_ends_messages_of_the_topic_of_the_mail(notifier: Notifier) -> None:
    """Row 21, S185: what is about another topic still goes."""
    await notifier.add_acme(contacts=ANN_ONLY)
    sent = await mail_to_ann(notifier)

    for _ in range(2):  # topics are at-least-once
        await engage(notifier, sent["id"], "unsubscribed")

    assert (await mail_to_ann(notifier, 2))["state"] == "suppressed"
    assert (await mail_to_ann(notifier, 3, topic="promotion"))["state"] == "sent"
    unsubscribed = {"contact_id": "ann", "topic": "education", "opted_in": False, "by_contact": True}
    assert await facts(notifier) == [unsubscribed] * 2
    signals = [
        headers["ce_id"] for topic, _, headers, _ in await notifier.outbox() if topic == "account.signals"
    ]
    assert len(set(signals)) == 1


async def test_a_message_that_waits_when_its_reader_complains_is_not_sent(notifier: Notifier) -> None:
    """Row 21."""
    await notifier.add_acme(contacts=ANN_ONLY)
    sent = await mail_to_ann(notifier)
    await notifier.due(touchpoint_id="22222222-2222-4222-8222-222222222222")

    await engage(notifier, sent["id"], "complained")
    await notifier.send_messages()

    assert len(notifier.mailer.mails) == 1


@pytest.mark.parametrize("more", [{"bounce": "hard"}, {}])
async def test_a_hard_bounce_blocks_the_address_until_the_contact_has_another(
    notifier: Notifier, more: dict[str, str]
) -> None:
    """Row 21: a bounce that does not say how is hard, as mail providers report soft ones apart."""
    await notifier.add_acme(contacts=ANN_ONLY)
    sent = await mail_to_ann(notifier)

    await engage(notifier, sent["id"], "bounced", **more)

    assert (await mail_to_ann(notifier, 2))["state"] == "suppressed"
    await notifier.add_acme(version=2, contacts=[{**ANN_ONLY[0], "email": "ANN@acme.example"}])
    assert (await mail_to_ann(notifier, 3))["state"] == "suppressed"
    await notifier.add_acme(version=3, contacts=[{**ANN_ONLY[0], "email": "ann.new@acme.example"}])
    assert (await mail_to_ann(notifier, 4))["state"] == "sent"


async def test_a_late_bounce_does_not_block_the_new_address(notifier: Notifier) -> None:
    """Row 21."""
    await notifier.add_acme(contacts=ANN_ONLY)
    sent = await mail_to_ann(notifier)
    await notifier.add_acme(version=2, contacts=[{**ANN_ONLY[0], "email": "ann.new@acme.example"}])

    await engage(notifier, sent["id"], "bounced", bounce="hard")

    assert (await mail_to_ann(notifier, 2))["state"] == "sent"


async def test_a_soft_bounce_and_what_readers_do_block_nothing(notifier: Notifier) -> None:
    """Row 21."""
    await notifier.add_acme(contacts=ANN_ONLY)
    sent = await mail_to_ann(notifier)

    await engage(notifier, sent["id"], "bounced", bounce="soft")
    for kind in ("delivered", "opened", "clicked", "replied"):
        await engage(notifier, sent["id"], kind, event_id=kind)

    assert (await mail_to_ann(notifier, 2))["state"] == "sent"
    assert await facts(notifier) == []


@pytest.mark.parametrize(
    ("delivery_id", "kind"),
    [
        ("33333333-3333-4333-8333-333333333333", "complained"),
        ("provider-id-7", "unsubscribed"),
        ("provider-id-7", "bounced"),
    ],
)
async def test_a_refusal_about_an_unknown_delivery_is_kept_as_a_dead_letter(
    notifier: Notifier, delivery_id: str, kind: str
) -> None:
    """Point 8 of issue 9: nothing that was accepted is dropped in silence."""
    await notifier.add_acme(contacts=ANN_ONLY)

    await engage(notifier, delivery_id, kind)
    await engage(notifier, delivery_id, "opened", event_id="e2")

    (reason,) = await dead_letters(notifier)
    assert f"the notifier made no delivery '{delivery_id}'" in reason
    assert (await mail_to_ann(notifier))["state"] == "sent"


async def test_other_outcomes_are_for_other_services_and_unreadable_ones_are_kept(notifier: Notifier) -> None:
    settled = {"touchpoint_type": "check_in", "outcome": "completed"}
    topic = "touchpoint.outcomes"

    await notifier.consume(
        notifier.record(topic, "drumbeat.touchpoint.settled.v1", "acme", settled, "s1"),
        notifier.record(topic, "drumbeat.delivery.finished.v1", "acme", {"anything": 1}, "f1"),
        notifier.record(topic, "drumbeat.message.engaged.v1", "acme", {"kind": "complained"}, "e1"),
    )

    (reason,) = await dead_letters(notifier)
    assert "delivery_id or message_id is required" in reason


async def test_the_message_id_of_the_mail_names_the_delivery(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ANN_ONLY)
    sent = await mail_to_ann(notifier)

    await engage(notifier, f"<{sent['id']}@vendor.example>", "complained")

    assert (await mail_to_ann(notifier, 2))["state"] == "suppressed"


async def test_a_nightly_sync_does_not_lift_what_the_person_refused_and_the_person_does(
    notifier: Notifier,
) -> None:
    """Row 41."""
    await notifier.add_acme(contacts=ANN_ONLY)
    link = f"/v1/unsubscribe/{make_token(notifier.link_keys, 'ann', ['education'], real_now())}"
    left = await notifier.http.post(link, content="List-Unsubscribe=One-Click")
    assert "?again=true" in left.text

    SetClock.now_is = NOON + timedelta(hours=1)
    synced = {"contact_id": "ann", "topic": "education", "opted_in": True, "source": "/crm", "id": "n1"}
    synced["time"] = format_instant(SetClock.now_is)
    await notifier.add_acme(version=2, contacts=ANN_ONLY, preferences=[synced])
    answer = await notifier.http.put(
        "/v1/contacts/ann/preferences", json={"topics": {"education": {"opted_in": True}}}
    )

    assert answer.json()["topics"]["education"]["opted_in"] is False
    assert "only the person can opt in again" in answer.json()["warnings"][0]
    assert (await mail_to_ann(notifier))["state"] == "suppressed"

    assert (await notifier.http.post(link, params={"again": "true"})).status_code == 200
    assert (await mail_to_ann(notifier, 2))["state"] == "sent"


async def test_a_preference_page_of_ones_own_speaks_for_the_person(notifier: Notifier) -> None:
    """Row 41."""
    await notifier.add_acme(contacts=ANN_ONLY)
    for opted_in in (False, True):
        body = {"topics": {"education": {"opted_in": opted_in}}, "by_contact": True}
        answer = await notifier.http.put("/v1/contacts/ann/preferences", json=body)
        assert answer.json()["topics"]["education"]["opted_in"] is opted_in

    assert (await mail_to_ann(notifier))["state"] == "sent"


async def test_a_refusal_binds_the_address_in_every_account(notifier: Notifier) -> None:
    """Row 8: whoever reports the refusal, and whichever account comes first."""
    shared = {"contact_id": "c-a", "email": "shared@agency.example", "role": "champion"}
    twin = {"contact_id": "c-b", "email": " Shared@Agency.example", "role": "champion"}
    await add_account(notifier, "globex", [twin])
    opt_out = {
        "contact_id": "c-a",
        "opted_in": False,
        "source": "/crm",
        "id": "1",
        "time": format_instant(NOON),
    }
    await notifier.add_acme(contacts=[shared], preferences=[opt_out])

    suppressed = await mail_to_ann(notifier, account_id="globex")

    assert suppressed["recipient"]["id"] == "c-b"
    assert suppressed["reason"] == "the contact opted out: all topics on all channels"
    shown = (await notifier.http.get("/v1/contacts/c-b/preferences")).json()
    assert not any(topic["opted_in"] for topic in shown["topics"].values())


async def test_who_opted_out_is_not_written_to_after_an_erasure_and_a_new_import(notifier: Notifier) -> None:
    """Row 8 and point 6 of issue 9."""
    await notifier.add_acme(contacts=ANN_ONLY)
    link = f"/v1/unsubscribe/{make_token(notifier.link_keys, 'ann', [], real_now())}"
    await notifier.http.post(link)

    tombstone = notifier.record("directory.accounts", "", "acme", {}, "")._replace(value=None)
    await notifier.consume(tombstone)
    stored = [
        value
        for table in ("preference", "address_consent", "contact", "account")
        for row in await notifier.database.pool.fetch(f"SELECT * FROM {table}")
        for value in row.values()
    ]
    await notifier.add_acme(version=9, contacts=[{**ANN_ONLY[0], "contact_id": "new-7"}])

    assert not {"ann", "ann@acme.example", "Ann"} & set(map(str, stored))
    assert (await mail_to_ann(notifier))["state"] == "suppressed"


async def add_account(notifier: Notifier, account_id: str, contacts: list[dict[str, str]]) -> None:
    data = {"account_id": account_id, "contacts": contacts, "version": 1}
    type_ = "drumbeat.account.directory.v1"
    await notifier.consume(notifier.record("directory.accounts", type_, account_id, data, f"{account_id}:1"))


async def test_two_contacts_with_one_address_get_one_mail(notifier: Notifier) -> None:
    """Row 7."""
    twins = [
        {"contact_id": "crm-77", "email": "Ann.Lee@example.com", "role": "user"},
        {"contact_id": "app-9", "email": "ann.lee@example.com", "role": "champion"},
    ]
    await notifier.add_acme(contacts=twins)

    only = await mail_to_ann(notifier)

    assert only["recipient"]["id"] == "app-9"
    assert [mail.to for mail in notifier.mailer.mails] == ["ann.lee@example.com"]
