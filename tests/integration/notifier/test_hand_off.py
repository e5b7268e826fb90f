"""Messages that an automation platform writes: what it gets over a real socket, and what is recorded of it."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from schemas.hand_off import HandOffContent
from schemas.ids import derived_id
from tests.integration.notifier.conftest import ACME, NOON, Notifier, SetClock
from tests.integration.notifier.receivers import Receiver

pytestmark = pytest.mark.integration

HANDED_OFF = {"touchpoint_type": "tips", "hand_off": "Sequencer"}


async def prepare(notifier: Notifier, **more: Any) -> None:
    await notifier.add_policy({**HANDED_OFF, **more})
    await notifier.add_carl()
    await notifier.add_acme(csm_id="carl")


async def subscribe(notifier: Notifier, receiver: Receiver, **more: object) -> str:
    body = {"url": receiver.url, "types": ["drumbeat.touchpoint.due.v1"], **more}
    answer = await notifier.http.post("/v1/subscriptions", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def states(notifier: Notifier) -> dict[tuple[str, str | None], tuple[str, str | None]]:
    return {
        (row["channel"], row["recipient"]["id"]): (row["state"], row["reason"])
        for row in await notifier.deliveries()
    }


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    return [orjson.loads(body) for _, body in receiver.requests]


async def test_the_platform_gets_the_content_and_drumbeat_sends_nothing(
    notifier: Notifier, receiver: Receiver
) -> None:
    """S156: automation runs the sequences; one subscription takes them, another one gets no personal data."""
    await prepare(notifier)
    platform = await subscribe(notifier, receiver, name="Sequencer")
    other = await subscribe(notifier, receiver)
    await notifier.due()
    await notifier.send_messages()
    await notifier.send_webhooks()

    assert notifier.mailer.mails == []
    handed_off = ("suppressed", "handed off to Sequencer")
    sent = ("sent", "HTTP 204")
    assert await states(notifier) == {
        ("email", "ann"): handed_off,
        ("email", "ben"): handed_off,
        ("webhook", platform): sent,
        ("webhook", other): sent,
    }
    by_content = sorted(bodies(receiver), key=lambda body: "content" in body["data"])
    assert [body["type"] for body in by_content] == ["drumbeat.touchpoint.due.v1"] * 2
    plain, full = (body["data"] for body in by_content)
    content = HandOffContent.read(orjson.dumps(full.pop("content")))
    assert plain == full
    assert (content.name, content.language, content.subject) == ("Sequencer", "en", "A tipAcme & Sons")
    ann, ben = content.recipients
    assert (ann.id, ann.address, ann.name) == ("ann", "ann@acme.example", "Ann")
    assert ann.may_be_written_to
    assert "Hello Ben," in ben.text
    assert "<p>Hello Ben,</p>" in ben.html
    assert ben.values == {"account.name": "Acme & Sons", "contact.first_name": "Ben"}
    assert ben.unsubscribe_url.startswith("http://test/v1/unsubscribe/")
    assert {data["cause"] for data in await notifier.finished() if data["channel"] == "email"} == {
        "handed_off"
    }
    feed = await notifier.database.pool.fetch("SELECT convert_from(data, 'UTF8') FROM feed")
    assert all("ann@acme.example" not in row[0] for row in feed), "the stream carries no personal data"


async def test_the_platform_never_gets_who_opted_out_or_is_paused_and_quiet_hours_are_told(
    notifier: Notifier, receiver: Receiver
) -> None:
    await prepare(notifier)
    await subscribe(notifier, receiver, content=True)
    settings = {"topics": {"education": {"opted_in": False}}}
    assert (await notifier.http.put("/v1/contacts/ann/preferences", json=settings)).status_code == 200
    SetClock.now_is = NOON + timedelta(hours=9)
    await notifier.due()
    await notifier.send_messages()
    await notifier.send_webhooks()

    (body,) = bodies(receiver)
    assert [one["id"] for one in body["data"]["content"]["recipients"]] == ["ben"]
    assert body["data"]["content"]["recipients"][0]["not_before"] == "2026-03-03T07:00:00Z"
    assert b"ann" not in orjson.dumps(body["data"]["content"])
    found = await states(notifier)
    assert found["email", "ben"] == ("suppressed", "handed off to Sequencer")
    reason = "handed off to Sequencer without this contact: the contact opted out: education on all channels"
    assert found["email", "ann"] == ("suppressed", reason)


async def test_the_platform_hears_of_the_send_window_and_what_it_writes_takes_no_room(
    notifier: Notifier, receiver: Receiver
) -> None:
    await prepare(notifier, send_window={"days": ["wed"], "from": "09:00", "to": "11:00"})
    await subscribe(notifier, receiver, content=True)
    await notifier.due()
    await notifier.send_messages()
    await notifier.send_webhooks()

    (body,) = bodies(receiver)
    opens = {one["not_before"] for one in body["data"]["content"]["recipients"]}
    assert opens == {"2026-03-04T08:00:00Z"}, "Wednesday, 9:00 in Berlin"
    assert await notifier.database.pool.fetchval("SELECT count(*) FROM counted_message") == 0


async def test_when_nobody_may_be_written_to_the_platform_gets_no_contact(
    notifier: Notifier, receiver: Receiver
) -> None:
    await prepare(notifier)
    await subscribe(notifier, receiver, name="Sequencer")
    pause = {"contact_id": None, "until": None, "reason": "merger", "time": "2026-03-01T00:00:00Z"}
    await notifier.add_acme(version=2, pauses=[{**pause, "source": "crm", "id": "1"}])
    await notifier.due()
    await notifier.send_messages()
    await notifier.send_webhooks()

    (body,) = bodies(receiver)
    assert body["data"]["content"]["recipients"] == []
    found = await states(notifier)
    assert found["email", "ann"] == ("suppressed", "outreach is paused: merger")


@pytest.mark.parametrize("subscription", [None, {"name": "Another"}])
async def test_without_a_platform_that_takes_it_somebody_of_ours_hears_of_it(
    notifier: Notifier, receiver: Receiver, subscription: dict[str, object] | None
) -> None:
    await prepare(notifier)
    if subscription is not None:
        await subscribe(notifier, receiver, **subscription)
    await notifier.due()
    await notifier.send_messages()
    await notifier.send_gathered()
    SetClock.now_is = NOON + timedelta(hours=1)
    await notifier.queue.wake_due()
    await notifier.send_gathered()
    await notifier.send_webhooks()

    found = await states(notifier)
    assert found["email", "ann"] == found["email", "ben"] == ("suppressed", "no platform takes Sequencer")
    (mail,) = notifier.mailer.mails
    assert mail.to == "ops@vendor.example"
    assert "no platform takes Sequencer" in mail.message.text
    assert all("content" not in body["data"] for body in bodies(receiver))


async def test_figures_that_are_away_are_waited_for_before_it_is_handed_off(
    notifier: Notifier, receiver: Receiver
) -> None:
    report = '---\nsubject: "Report"\n---\nYou have {{ usage.active_users }} users.\n\nGood day.\n'
    await notifier.add_content("tips", report, version=2)
    await prepare(notifier)
    await subscribe(notifier, receiver, name="Sequencer")
    notifier.facts.status = 503
    await notifier.due()
    await notifier.send_messages()
    ((state, reason),) = (await states(notifier)).values()
    assert (state, str(reason)[:29]) == ("pending", "figures are not available yet")

    usage = {"begins_on": "2026-02-01", "ends_on": "2026-03-01", "active_users": 42.0}
    notifier.facts.status, notifier.facts.figures["acme"] = 200, {"usage": usage}
    await notifier.ready_again()
    await notifier.send_messages()
    await notifier.send_webhooks()

    (body,) = bodies(receiver)
    assert body["data"]["content"]["values"] == {"usage.active_users": "42"}
    assert "You have 42 users." in body["data"]["content"]["text"]


async def test_an_erased_contact_is_taken_out_of_what_is_still_to_be_handed_off(
    notifier: Notifier, receiver: Receiver
) -> None:
    await prepare(notifier)
    await subscribe(notifier, receiver, name="Sequencer")
    receiver.status = 503
    await notifier.due()
    await notifier.send_messages()
    await notifier.send_webhooks()
    await notifier.add_acme(
        version=2, contacts=ACME["contacts"][1:], erased_contacts=[derived_id("contact", "ann")]
    )
    receiver.status = 204
    await notifier.ready_again()
    await notifier.send_webhooks()

    last = bodies(receiver)[-1]["data"]["content"]
    assert (last["name"], [one["id"] for one in last["recipients"]]) == ("Sequencer", ["ben"])
    assert b"Ann" not in receiver.requests[-1][1]


async def test_what_a_person_leads_is_not_handed_off(notifier: Notifier, receiver: Receiver) -> None:
    await prepare(notifier)
    await subscribe(notifier, receiver, name="Sequencer")
    await notifier.due(owner="csm")
    await notifier.send_gathered()
    await notifier.send_webhooks()
    (body,) = bodies(receiver)
    assert "content" not in body["data"]
