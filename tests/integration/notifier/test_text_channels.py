"""Text messages and Slack through a notifier: the channel that a contact asked for, on gateways that misbehave."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import orjson
import pytest

from services.chassis.private_targets import EVERYTHING
from services.notifier.adapters.channels.gateway_client import GatewayClient
from services.notifier.adapters.channels.phone import PhoneSender, PhoneTasks
from services.notifier.adapters.channels.slack import SlackSender, SlackWorkspace
from services.notifier.adapters.channels.sms import SmsAccount, SmsSender
from services.notifier.application.text_ports import TextSending
from services.notifier.domain.phone_number import international_number
from services.notifier.domain.sms_events import sign_form
from tests.integration.notifier.conftest import ACME, NOON, SMS_TOKEN, Notifier, SetClock
from tests.unit.notifier.adapters.channels.gateway_peer import Peer, http, listening

pytestmark = pytest.mark.integration
NUMBER = "+4915112345678"
ACCEPTED = http(201, '{"sid": "SM1", "status": "queued"}')
POSTED = http(200, '{"ok": true, "ts": "1.2"}')
PROVENANCE = {"time": "2026-03-01T00:00:00Z", "source": "crm"}
OTHER = "22222222-1111-4111-8111-111111111111"


@pytest.fixture
async def peer() -> AsyncGenerator[Peer]:
    async with listening() as made:
        made.answer = ACCEPTED
        yield made


@asynccontextmanager
async def texting(notifier: Notifier, peer: Peer, **closed: str) -> AsyncGenerator[None]:
    """The notifier sends its texts to the peer. `closed`: the channels that are not set up."""
    client = GatewayClient(EVERYTHING, "the gateway", deadline_seconds=2.0, away_seconds=0.0)
    await client.start()
    senders = {
        "sms": SmsSender(client, SmsAccount(peer.url, "AC1", SMS_TOKEN, sender="+4930123456")),
        "slack": SlackSender(client, SlackWorkspace(peer.url, "xoxb-secret"), between_seconds=0),
        "call": PhoneSender(client, PhoneTasks(f"{peer.url}/tasks", "phone-token")),
    }
    notifier.sending = replace(notifier.sending, texts=TextSending(senders, closed))
    notifier.consumer = replace(notifier.consumer, closed=closed)
    yield
    await client.stop()


def prefers(channel: str, topic: str | None = "education", contact_id: str = "ann") -> dict[str, Any]:
    return {
        **PROVENANCE,
        "contact_id": contact_id,
        "topic": topic,
        "channel": channel,
        "id": f"{contact_id}:{topic}",
    }


def contact(number: int = 0, **more: Any) -> dict[str, Any]:
    return {**ACME["contacts"][number], "phone": "+49 (0)151 123 456 78", "slack": "U01ANN", **more}


async def add_ann(notifier: Notifier, *preferences: dict[str, Any], version: int = 1, **more: Any) -> None:
    await notifier.add_acme(version, contacts=[contact(**more)], preferences=list(preferences))


async def states(notifier: Notifier, **query: str) -> dict[str, tuple[str, str]]:
    rows = await notifier.deliveries(contact_id="ann", **query)
    return {row["channel"]: (row["state"], row["reason"]) for row in rows}


def sent_form(peer: Peer, number: int = 0) -> dict[str, list[str]]:
    return parse_qs(peer.requests[number][2])


async def gateway_posts(notifier: Notifier, path: str, **fields: str) -> int:
    form = {name: [value] for name, value in fields.items()}
    signature = sign_form(f"http://test{path}", form, SMS_TOKEN)
    headers = {"X-Twilio-Signature": signature, "content-type": "application/x-www-form-urlencoded"}
    answer = await notifier.http.post(path, content=urlencode(fields), headers=headers)
    return answer.status_code


async def incoming(notifier: Notifier, text: str, sid: str = "SM9", number: str = NUMBER) -> int:
    return await gateway_posts(
        notifier, "/v1/inbound/sms", MessageSid=sid, From=number, To="+4930", Body=text
    )


async def facts(notifier: Notifier, type_: str) -> list[dict[str, Any]]:
    return [
        data
        for _, _, headers, data in await notifier.outbox()
        if headers["ce_type"] == f"drumbeat.{type_}.v1"
    ]


async def test_a_contact_who_asked_for_text_messages_gets_them_and_the_others_get_mail(
    notifier: Notifier, peer: Peer
) -> None:
    """S182, S186."""
    await notifier.add_acme(contacts=[contact(), ACME["contacts"][1]], preferences=[prefers("sms")])

    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_messages()

    assert [mail.to for mail in notifier.mailer.mails] == ["ben@acme.example"]
    form = sent_form(peer)
    assert form["To"] == [NUMBER]
    (text,) = form["Body"]
    first, page, stop = text.split("\n")
    assert first == "Northwind: A tipAcme & Sons. Import faster in three steps, at Acme & Sons."
    assert page.startswith("http://test/p/")
    assert stop == "Reply STOP to get no more text messages."
    assert await states(notifier) == {"sms": ("sent", "queued as SM1")}
    assert {(row["channel"], row["state"]) for row in await notifier.finished()} == {
        ("sms", "sent"), ("email", "sent"),
    }  # fmt: skip
    assert (await notifier.http.get(page.removeprefix("http://test"))).status_code == 200


async def test_a_wish_for_one_topic_is_none_for_another_and_in_app_only_is_obeyed(
    notifier: Notifier, peer: Peer
) -> None:
    """S182, S186."""
    await add_ann(notifier, prefers("sms", "account"), prefers("in_app"))

    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_messages()

    assert (peer.requests, notifier.mailer.mails) == ([], [])
    assert await states(notifier) == {"in_app": ("sent", "posted in the app")}


@pytest.mark.parametrize(
    ("changed", "closed", "reason"),
    [
        ({"phone": None}, {}, "no number for text messages"),
        ({"phone": "0151 123"}, {}, "no number for text messages: the phone number has no country code"),
        (
            {},
            {"sms": "set DRUMBEAT_SMS__TOKEN"},
            "the channel is not supported: sms: set DRUMBEAT_SMS__TOKEN",
        ),
    ],
)
async def test_where_the_wish_cannot_be_met_mail_goes_and_the_reason_stays(
    notifier: Notifier, peer: Peer, changed: dict[str, Any], closed: dict[str, str], reason: str
) -> None:
    await add_ann(notifier, prefers("sms"), **changed)

    async with texting(notifier, peer, **closed):
        await notifier.due()
        await notifier.send_messages()

    assert peer.requests == []
    assert await states(notifier) == {"sms": ("suppressed", reason), "email": ("sent", "250 kept")}


async def test_a_gateway_that_is_taken_away_before_sending_gives_way_to_mail(
    notifier: Notifier, peer: Peer
) -> None:
    await add_ann(notifier, prefers("sms"))
    async with texting(notifier, peer):
        await notifier.due()

    async with texting(notifier, peer, sms="set DRUMBEAT_SMS__ACCOUNT"):
        await notifier.send_gathered()

    assert {channel: state for channel, (state, _) in (await states(notifier)).items()} == {
        "sms": "suppressed", "email": "sent",
    }  # fmt: skip


async def test_quiet_hours_hold_a_text_message_until_the_morning(notifier: Notifier, peer: Peer) -> None:
    await add_ann(notifier, prefers("sms"))
    SetClock.now_is = NOON + timedelta(hours=10)  # 23:00 in Berlin

    async with texting(notifier, peer):
        await notifier.due()
        assert await notifier.send_messages() == 0
        assert await states(notifier) == {"sms": ("pending", "quiet hours")}

        SetClock.now_is = NOON + timedelta(hours=19)
        assert await notifier.queue.wake_due() == 1
        await notifier.send_messages()

    assert len(peer.requests) == 1


@pytest.mark.parametrize("channel", ["sms", "slack"])
async def test_a_text_takes_room_in_the_contact_budget_and_waits_for_it(
    notifier: Notifier, peer: Peer, channel: str
) -> None:
    budget = {"name": "person-week", "per": "person", "at_most": 1, "within_hours": 168}
    await notifier.add_policy({"touchpoint_type": "tips"}, contact_budgets=[budget])
    await add_ann(notifier, prefers(channel))
    peer.answer = POSTED if channel == "slack" else ACCEPTED

    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_messages()
        SetClock.now_is = NOON + timedelta(days=1)
        await notifier.due(touchpoint_id=OTHER)
        await notifier.send_messages()
        assert len(peer.requests) == 1
        waits = "waits for room in the contact budget: person-week, at most 1 in 7 days"
        assert (await states(notifier, state="pending"))[channel] == ("pending", waits)

        SetClock.now_is = NOON + timedelta(days=7)
        assert await notifier.queue.wake_due() == 1
        await notifier.send_messages()

    assert len(peer.requests) == 2
    assert await states(notifier, state="pending") == {}


async def test_a_text_waits_for_the_send_window(notifier: Notifier, peer: Peer) -> None:
    window = {"days": ["wed"], "from": "09:00", "to": "11:00"}
    await notifier.add_policy({"touchpoint_type": "tips"}, send_window=window)
    await add_ann(notifier, prefers("sms"))

    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_messages()
        assert await states(notifier) == {"sms": ("pending", "waits for the send window")}

        SetClock.now_is = NOON + timedelta(days=1, hours=20)  # Wednesday, 9:00 in Berlin
        assert await notifier.queue.wake_due() == 1
        await notifier.send_messages()

    assert len(peer.requests) == 1


async def test_stop_binds_what_is_pending_and_what_comes_until_start(notifier: Notifier, peer: Peer) -> None:
    await add_ann(notifier, prefers("sms"), prefers("in_app", "account"))
    async with texting(notifier, peer):
        await notifier.due()
        assert await incoming(notifier, " Stop! ") == 200
        assert await incoming(notifier, "STOP", sid="SM9") == 200  # the gateway says it again
        await notifier.send_gathered()

        assert peer.requests == []
        first = await states(notifier)
        assert first["sms"] == ("suppressed", "the contact opted out: all topics on sms")
        assert first["email"][0] == "sent"
        chosen = (await notifier.http.get("/v1/contacts/ann/preferences")).json()["topics"]
        assert (chosen["education"], chosen["account"]["channel"]) == (
            {"opted_in": True, "channel": None, "frequency": None},
            "in_app",
        )
        published = await facts(notifier, "preference.changed")
        assert {"contact_id": "ann", "channel": "sms", "opted_in": False, "by_contact": True} in published
        assert len(published) == 2

        await incoming(notifier, "ja", sid="SM10")
        chosen = (await notifier.http.get("/v1/contacts/ann/preferences")).json()["topics"]
        assert {topic: one["channel"] for topic, one in chosen.items() if one["channel"]} == {
            "education": "sms",
            "account": "in_app",
        }
        await notifier.due(touchpoint_id=OTHER)
        await notifier.send_gathered()

    assert len(peer.requests) == 1


async def test_stop_of_a_number_outlives_the_contact_who_had_it(notifier: Notifier, peer: Peer) -> None:
    assert await incoming(notifier, "STOP") == 200
    await add_ann(notifier, prefers("sms"))

    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_gathered()

    assert peer.requests == []
    assert (await states(notifier))["sms"][0] == "suppressed"


async def test_a_refused_number_gets_mail_now_and_from_then_on(notifier: Notifier, peer: Peer) -> None:
    await add_ann(notifier, prefers("sms"))
    peer.answer = http(400, '{"code": 21211, "message": "Invalid To"}')

    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_gathered()
        await notifier.due(touchpoint_id=OTHER)
        await notifier.send_gathered()

    assert len(peer.requests) == 1
    assert [mail.to for mail in notifier.mailer.mails] == ["ann@acme.example"] * 2
    second = await states(notifier, touchpoint_id=OTHER)
    assert second["sms"] == ("suppressed", "an earlier message was refused: unknown recipient: text messages")


@pytest.mark.parametrize("mood", ["close", "silent"])
async def test_a_text_message_in_doubt_is_sent_no_second_time_and_not_by_mail(
    notifier: Notifier, peer: Peer, mood: str
) -> None:
    await add_ann(notifier, prefers("sms"))
    peer.mood = mood

    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_gathered()

    assert len(peer.requests) == 1
    state, reason = (await states(notifier))["sms"]
    assert state == "failed"
    assert "it may have been sent, and is not sent again" in reason
    assert notifier.mailer.mails == []


async def test_a_text_message_that_was_begun_by_a_process_that_died_is_not_sent_again(
    notifier: Notifier, peer: Peer
) -> None:
    await add_ann(notifier, prefers("sms"))
    async with texting(notifier, peer):
        await notifier.due()
        await notifier.database.pool.execute(
            "UPDATE delivery_queue SET is_begun = true, lease_token = gen_random_uuid(), lease_until = now()"
        )
        await notifier.send_gathered()

    assert (peer.requests, notifier.mailer.mails) == ([], [])
    state, reason = (await states(notifier))["sms"]
    assert state == "failed"
    assert reason.endswith("an earlier attempt may have reached the recipient")


async def test_slack_is_asked_again_no_earlier_than_it_says(notifier: Notifier, peer: Peer) -> None:
    """S182."""
    await add_ann(notifier, prefers("slack"))
    peer.answer = http(429, retry_after="120")

    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_messages()
        waits = await notifier.database.pool.fetchval(
            "SELECT extract(epoch FROM next_at - clock_timestamp())::float FROM delivery_queue"
        )
        assert 100 < waits <= 120
        assert await states(notifier) == {"slack": ("pending", "HTTP 429")}
        await notifier.ready_again()  # whoever asks earlier does not reach Slack
        await notifier.send_messages()
        assert len(peer.requests) == 1

    peer.answer = POSTED
    async with texting(notifier, peer):
        await notifier.ready_again()
        await notifier.send_messages()

    assert await states(notifier) == {"slack": ("sent", "posted at 1.2")}
    message = orjson.loads(peer.requests[-1][2])
    assert message["channel"] == "U01ANN"
    assert message["text"].startswith("Northwind: A tipAcme &amp; Sons\n\nHello Ann,")
    assert notifier.mailer.mails == []


async def test_an_archived_channel_of_slack_gives_way_to_mail(notifier: Notifier, peer: Peer) -> None:
    await add_ann(notifier, prefers("slack"))
    peer.answer = http(200, '{"ok": false, "error": "is_archived"}')

    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_gathered()

    assert await states(notifier) == {
        "slack": ("failed", "Slack: is_archived"),
        "email": ("sent", "250 kept"),
    }


async def test_one_telephone_of_two_contacts_rings_once(notifier: Notifier, peer: Peer) -> None:
    both = [contact(), {**contact(1), "phone": "0049 151 12345678"}]
    await notifier.add_acme(contacts=both, preferences=[prefers("sms"), prefers("sms", contact_id="ben")])

    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_gathered()

    assert len(peer.requests) == 1
    assert notifier.mailer.mails == []


async def test_an_answer_by_text_message_is_contact_and_the_csm_hears_of_it(
    notifier: Notifier, peer: Peer
) -> None:
    await notifier.add_carl()
    await notifier.add_acme(csm_id="carl", contacts=[contact()], preferences=[prefers("sms")])
    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_gathered()

    assert await incoming(notifier, "Thanks, call me tomorrow") == 200
    assert await incoming(notifier, "Thanks, call me tomorrow") == 200

    (engaged,) = await facts(notifier, "message.engaged")
    assert (engaged["kind"], engaged["text"]) == ("replied", "Thanks, call me tomorrow")
    (logged,) = await facts(notifier, "interaction.logged")
    assert (logged["channel"], logged["contact_id"], logged["initiated_by"]) == ("sms", "ann", "customer")
    feed = (await notifier.http.get("/v1/inbox", params={"csm_id": "carl"})).json()["items"]
    assert any("Thanks, call me tomorrow" in one["body"] for one in feed)


async def test_reports_of_the_gateway_become_facts_and_a_number_that_does_not_exist_is_left_alone(
    notifier: Notifier, peer: Peer
) -> None:
    await add_ann(notifier, prefers("sms"))
    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_gathered()
    (delivery,) = await notifier.deliveries(contact_id="ann")
    path = f"/v1/inbound/sms/status?delivery={delivery['id']}"

    for status, code in (("sent", ""), ("delivered", ""), ("delivered", ""), ("undelivered", "30005")):
        posted = await gateway_posts(notifier, path, MessageSid="SM1", MessageStatus=status, ErrorCode=code)
        assert posted == 204

    engaged = await facts(notifier, "message.engaged")
    assert [(one["kind"], one.get("bounce")) for one in engaged] == [("delivered", None), ("bounced", "hard")]
    type_ = "drumbeat.message.engaged.v1"
    await notifier.consume(notifier.record("touchpoint.outcomes", type_, "acme", engaged[1], "b1"))
    async with texting(notifier, peer):
        await notifier.due(touchpoint_id=OTHER)
        await notifier.send_gathered()
    assert len(peer.requests) == 1
    assert (await states(notifier, touchpoint_id=OTHER))["email"][0] == "sent"


async def undelivered(notifier: Notifier, status: str = "undelivered", code: str = "30003") -> None:
    """The gateway reports twice that the text message to Ann was not delivered."""
    (delivery,) = await notifier.deliveries(contact_id="ann", channel="sms")
    path = f"/v1/inbound/sms/status?delivery={delivery['id']}"
    for _ in range(2):
        fields = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code}
        assert await gateway_posts(notifier, path, **fields) == 204
    await notifier.send_gathered()


@pytest.mark.parametrize(("status", "code"), [("undelivered", "30003"), ("failed", "30005")])
async def test_a_text_message_that_was_not_delivered_goes_by_mail_once(
    notifier: Notifier, peer: Peer, status: str, code: str
) -> None:
    """S182: its room in the contact budget is that of the mail."""
    await add_ann(notifier, prefers("sms"))
    budget = {"name": "person-week", "per": "person", "at_most": 1, "within_hours": 168}
    await notifier.add_policy({"touchpoint_type": "tips"}, contact_budgets=[budget])
    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_gathered()
        await undelivered(notifier, status, code)

    assert [mail.to for mail in notifier.mailer.mails] == ["ann@acme.example"]
    found = await states(notifier)
    assert (found["sms"][0], found["email"][0]) == ("sent", "sent")


async def test_what_was_not_delivered_by_text_message_goes_by_mail_only_where_the_contact_lets_it(
    notifier: Notifier, peer: Peer
) -> None:
    no_mail = {**PROVENANCE, "contact_id": "ann", "channel": "email", "opted_in": False, "id": "no mail"}
    await add_ann(notifier, prefers("sms"), no_mail)
    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_gathered()
        await undelivered(notifier)

    assert notifier.mailer.mails == []
    state, reason = (await states(notifier))["email"]
    assert (state, "opted out" in reason) == ("suppressed", True), reason


async def test_what_was_not_delivered_by_text_message_until_it_is_late_ends_with_that_reason(
    notifier: Notifier, peer: Peer
) -> None:
    await add_ann(notifier, prefers("sms"))
    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_gathered()
        SetClock.now_is = NOON + timedelta(days=30)
        await undelivered(notifier)

    assert notifier.mailer.mails == []
    assert (await states(notifier))["email"] == (
        "expired",
        "the text message was not delivered, and it is too late for a mail",
    )
    assert [row["cause"] for row in await notifier.finished() if row["channel"] == "email"] == ["deadline"]


async def test_a_text_message_that_was_delivered_goes_by_no_mail_whatever_is_reported_later(
    notifier: Notifier, peer: Peer
) -> None:
    await add_ann(notifier, prefers("sms"))
    async with texting(notifier, peer):
        await notifier.due()
        await notifier.send_gathered()
        (delivery,) = await notifier.deliveries(contact_id="ann")
        path = f"/v1/inbound/sms/status?delivery={delivery['id']}"
        await gateway_posts(notifier, path, MessageSid="SM1", MessageStatus="delivered")
        await undelivered(notifier)

    assert list(await states(notifier)) == ["sms"]
    assert notifier.mailer.mails == []
    reasons = "SELECT reason FROM inbound_mail WHERE kind = 'bounce'"
    assert await notifier.database.pool.fetchval(reasons) == (
        "it is not sent by mail: it was reported as delivered before"
    )


async def test_what_the_gateway_did_not_sign_is_refused(notifier: Notifier) -> None:
    form = {"MessageSid": "SM1", "From": NUMBER, "Body": "STOP"}
    right = sign_form(
        "http://test/v1/inbound/sms", {name: [value] for name, value in form.items()}, SMS_TOKEN
    )
    for headers, body in (
        ({}, form),
        ({"X-Twilio-Signature": "x"}, form),
        ({"X-Twilio-Signature": right}, {**form, "From": "+4915100000000"}),
    ):
        answer = await notifier.http.post("/v1/inbound/sms", data=body, headers=headers)

        assert answer.status_code == 401, answer.text
        assert "DRUMBEAT_SMS__TOKEN" in answer.json()["detail"]


@pytest.mark.parametrize(
    "phone",
    [
        "+49 (0)151 123-456.78",
        "0049 151 1234567",
        "0151 123456",
        "+49",
        "+0123456789",
        "tel: +49151",
        "+1 555 0100 12/3",
    ],
)
async def test_the_number_of_the_table_is_that_of_the_domain(notifier: Notifier, phone: str) -> None:
    await add_ann(notifier, phone=phone)

    stored = await notifier.database.pool.fetchval("SELECT number FROM contact WHERE contact_id = 'ann'")

    assert stored == international_number(phone)


async def test_the_page_offers_text_messages_to_whom_they_reach(notifier: Notifier) -> None:
    """S182, S186."""
    await notifier.add_acme(contacts=[contact(), {**ACME["contacts"][1], "phone": "0151 123"}])
    await notifier.due()
    await notifier.send_messages()
    pages = {
        mail.to: mail.message.text.split("http://test/p/")[1].split()[0] for mail in notifier.mailer.mails
    }

    shown = {to: (await notifier.http.get(f"/p/{token}")).text for to, token in pages.items()}
    saved = await notifier.http.post(
        f"/p/{pages['ann@acme.example']}", data={"topic": ["education"], "channel.education": "sms"}
    )
    refused = await notifier.http.post(
        f"/p/{pages['ben@acme.example']}", data={"topic": ["education"], "channel.education": "sms"}
    )

    assert "By text message" in shown["ann@acme.example"]
    assert "In Slack" in shown["ann@acme.example"]
    assert "By text message" not in shown["ben@acme.example"]
    assert (saved.status_code, refused.status_code) == (200, 422)


async def test_urgent_news_also_comes_in_slack_to_whom_it_is_wanted_and_the_rest_of_the_day_does_not(
    notifier: Notifier, peer: Peer
) -> None:
    peer.answer = POSTED
    await add_ann(notifier)
    await notifier.add_carl(slack="D02CARL", news_by="slack")
    work = {"owner": "csm", "channel": "in_app", "topic": None, "touchpoint_type": "risk_action_plan"}

    async with texting(notifier, peer):
        await notifier.due(**work, precedence="escalation")
        await notifier.due(**work, touchpoint_id=OTHER)
        await notifier.send_gathered()

    (request,) = peer.requests
    message = orjson.loads(request[2])
    assert message["channel"] == "D02CARL"
    assert "Acme &amp; Sons" in message["text"]
    rows = {
        (row["touchpoint_id"] == OTHER, row["channel"]): row["state"]
        for row in await notifier.deliveries()
        if row["recipient"]["id"] == "carl"
    }
    assert rows == {
        (False, "slack"): "sent", (False, "email"): "sent", (False, "in_app"): "sent",
        (True, "email"): "pending", (True, "in_app"): "sent",
    }  # fmt: skip


async def test_a_call_that_is_due_is_a_telephone_task_that_names_nobody_who_may_not_be_called(
    notifier: Notifier, peer: Peer
) -> None:
    """S182: the channel is the telephone."""
    peer.answer = http(202)
    no_calls = {
        **PROVENANCE,
        "contact_id": "ben",
        "topic": None,
        "channel": "call",
        "opted_in": False,
        "id": "b",
    }
    contacts = [contact(), {**ACME["contacts"][1], "phone": "+49 30 777"}]
    await notifier.add_acme(contacts=contacts, preferences=[no_calls])
    await notifier.add_carl(phone="+49 30 1234567")

    async with texting(notifier, peer):
        await notifier.due(
            owner="csm", channel="call", topic="account", touchpoint_type="check_in", agenda=["Numbers"]
        )
        await notifier.send_gathered()

    (request,) = peer.requests
    first, headers, body = request
    task = orjson.loads(body)
    assert first == "POST /tasks HTTP/1.1"
    assert headers["idempotency-key"] == task["id"]
    assert headers["authorization"] == "Bearer phone-token"
    assert task["contacts"] == [{"contact_id": "ann", "name": "Ann", "role": "champion", "phone": NUMBER}]
    assert task["owner"] == {
        "csm_id": "carl", "name": "Carl", "email": "carl@vendor.example", "phone": "+49301234567",
    }  # fmt: skip
    assert (task["type"], task["account_name"], task["agenda"]) == ("call", "Acme & Sons", ["Numbers"])
    assert task["url"].startswith("http://test/a/")
    states_of_carl = {row["channel"]: row["state"] for row in await notifier.deliveries()}
    assert states_of_carl["call"] == "sent"
