"""Preview and test send: the message as it would be written now, sent to nobody or to one address."""

import re
from datetime import timedelta

import pytest

from schemas.times import format_instant
from services.notifier.domain.delivery import AttemptOutcome, Response
from tests.integration.notifier.conftest import Notifier, SetClock, touchpoint

pytestmark = pytest.mark.integration

REPORT = """---
subject: "Value report for {{ account.name }}"
---
You have {{ usage.active_users }} active users.

[Your page]({{ links.page }}), {{ contact.first_name | otherwise: reader }}.
"""
WANTED = {"touchpoint_type": "value_report", "account_id": "acme"}


async def test_a_preview_is_the_message_for_one_account_and_language_with_what_is_missing(
    notifier: Notifier,
) -> None:
    await notifier.add_acme()
    await notifier.add_content("value_report", REPORT)
    await notifier.add_content("value_report", '---\nsubject: "Bericht"\n---\nHallo.\n', language="de")

    english = (await notifier.http.get("/v1/preview", params=WANTED)).json()
    assert english["subject"] == "Value report for Acme & Sons"
    assert english["language"] == "en"
    assert english["missing"] == ["usage.active_users"]
    assert "Your page (http://test/p/test), Ann." in english["text"]
    assert "<!doctype html>" in english["html"]
    assert english["not_sent"] is None

    german = (
        await notifier.http.get("/v1/preview", params={**WANTED, "language": "de-AT", "contact_id": "ben"})
    ).json()
    assert (german["subject"], german["language"]) == ("Bericht", "de")
    assert notifier.mailer.mails == []
    assert await notifier.deliveries() == []


async def test_a_test_goes_to_one_address_and_changes_nothing(notifier: Notifier) -> None:
    await notifier.add_acme()
    await notifier.add_content("value_report", REPORT)

    answer = await notifier.http.post("/v1/preview/send", json={**WANTED, "to": "me@vendor.example"})

    assert answer.json()["state"] == "sent"
    (mail,) = notifier.mailer.mails
    assert mail.to == "me@vendor.example"
    assert mail.message.subject == "[Test] Value report for Acme & Sons"
    assert mail.unsubscribe_url is None
    for link in re.findall(r"http://test(/[\w/]+)", mail.message.text):
        assert (await notifier.http.get(link)).status_code == 404
    assert "This is a test." in mail.message.text
    assert await notifier.deliveries() == []
    notifier.mailer.responses = [Response(AttemptOutcome.REFUSED, "550 no", is_permanent=True)]
    refused = await notifier.http.post("/v1/preview/send", json={**WANTED, "to": "me@vendor.example"})
    assert (refused.json()["state"], refused.json()["detail"]) == ("failed", "550 no")


async def test_a_preview_says_what_does_not_exist_and_what_would_not_be_sent(notifier: Notifier) -> None:
    """S173."""
    await notifier.add_acme()
    await notifier.add_content("value_report", REPORT.replace("---\nYou", "needs: [usage.seats]\n---\nYou"))

    for wrong in ({"account_id": "zoe"}, {"contact_id": "zoe"}, {"touchpoint_type": "zoe"}):
        answer = await notifier.http.get("/v1/preview", params={**WANTED, **wrong})
        assert answer.status_code == 404
        assert "zoe" in answer.json()["detail"]
    shown = (await notifier.http.get("/v1/preview", params=WANTED)).json()
    assert shown["not_sent"] == "en/value_report: usage.seats not known"
    sent = await notifier.http.post("/v1/preview/send", json={**WANTED, "to": "me@vendor.example"})
    assert sent.status_code == 422
    wrong = await notifier.http.post("/v1/preview/send", json={**WANTED, "to": "me"})
    assert wrong.status_code == 422
    notifier.facts.status = 503
    assert (await notifier.http.get("/v1/preview", params=WANTED)).status_code == 503


async def test_a_preview_has_topic_and_agenda_of_the_policy_in_force(notifier: Notifier) -> None:
    """S38: the agenda goes to the customer too."""
    await notifier.add_acme()
    await notifier.add_content("check_in", '---\nsubject: "Talk"\n---\nWe talk about:\n\n{{ agenda.list }}\n')
    type_ = {
        "touchpoint_type": "check_in",
        "owner": "csm",
        "channel": "call",
        "purpose": "",
        "topic": "training",
    }
    data = {"policy": "p1", "touchpoint_types": [{**type_, "agenda": ["Numbers", "Goals"]}], "version": 1}
    record = notifier.record("directory.policy", "drumbeat.policy.directory.v1", "policy", data, "policy:1")
    await notifier.consume(record)

    shown = (await notifier.http.get("/v1/preview", params={**WANTED, "touchpoint_type": "check_in"})).json()

    assert "- Numbers\n- Goals" in shown["text"]
    assert "You get training invitations because" in shown["text"]


async def owner_content(notifier: Notifier, text: str) -> None:
    key = "en/owner/check_in"
    data = {"language": "en", "touchpoint_type": "check_in", "reader": "owner", "text": text}
    data |= {"policy": "p1", "version": 1}
    await notifier.consume(
        notifier.record("directory.content", "drumbeat.content.directory.v1", key, data, key)
    )


OWNERS = {**WANTED, "touchpoint_type": "check_in", "reader": "owner"}
PHONE = {"phone": "+49 30 901820"}
ANN = {"contact_id": "ann", "name": "Ann", "email": "ann@acme.example", "role": "champion", **PHONE}


async def test_the_preview_for_the_owner_is_the_mail_that_the_owner_gets(notifier: Notifier) -> None:
    """S174: account, contacts with phone, why, agenda, expected outcome, last note, what the customer was told."""
    await notifier.add_acme(csm_id="carl", contacts=[ANN])
    await notifier.add_carl()
    await notifier.due(touchpoint_id="00000009-1111-4111-8111-111111111111")
    await notifier.send_messages()  # the customer gets a tip
    front = '---\nsubject: "Talk"\nagenda: [Wins, Gaps]\nexpects: A date for the export\n---\n'
    await owner_content(notifier, f"{front}{{{{ usage.active_users }}}} active users.\n\nTalk to them.\n")
    notifier.facts.figures["acme"] = {
        "conversation": {"at": "2026-02-01T00:00:00Z", "notes": "They want the export."}
    }
    deadline = format_instant(SetClock.now_is + timedelta(hours=24))
    data = {"owner": "csm", "channel": "call", "touchpoint_type": "check_in", "topic": "account"}
    data |= {"deadline": deadline}
    notifier.calendar.add(touchpoint(**data))
    notifier.mailer.mails.clear()

    shown = (await notifier.http.get("/v1/preview", params=OWNERS)).json()
    await notifier.due(**data)
    await notifier.send_gathered()

    (mail,) = notifier.mailer.mails
    assert shown["subject"] == mail.message.subject == "Now: Check-in, Acme & Sons"
    assert shown["missing"] == ["usage.active_users"]
    for words in (
        "== Acme & Sons ==",
        "Talk to them.",
        "- Ann, champion, +49 30 901820, ann@acme.example",
        "Why now: weekly tips in adoption",
        "- Wins\n- Gaps",
        "Expected outcome: A date for the export",
        "Last note, 1 February 2026:\nThey want the export.",
        "What the customer got lately:\n- Tips, 2 March 2026",
    ):
        assert words in shown["text"]
    banner = "[This is a test. It went to nobody else, and its links change nothing.]\n\n"
    assert shown["text"] == banner + re.sub(r"/a/[\w-]+", "/a/test", mail.message.text)
    assert "<!doctype html>" in shown["html"]


async def test_the_preview_for_the_owner_shows_an_example_where_the_calendar_has_none_and_is_sent_as_a_test(
    notifier: Notifier,
) -> None:
    await notifier.add_acme(csm_id="carl")
    await notifier.add_carl()
    await owner_content(notifier, '---\nsubject: "Talk"\n---\nTalk to them.\n')
    notifier.calendar.status = 503

    answer = await notifier.http.post(
        "/v1/preview/send", json={**OWNERS, "language": "de", "to": "me@vendor.example"}
    )

    assert answer.json()["state"] == "sent"
    (mail,) = notifier.mailer.mails
    assert mail.message.subject.startswith("[Test] ")
    assert "Hallo Carl," in mail.message.text
    assert "welche Tatsachen dazu geführt haben" in mail.message.text
    links = re.findall(r"http://test(/a/\S+)", mail.message.text)
    assert links
    for link in links:
        assert (await notifier.http.get(link)).status_code == 404
    assert [row for row in await notifier.deliveries() if row["touchpoint_type"] == "check_in"] == []
    notifier.facts.status = 503
    assert (await notifier.http.get("/v1/preview", params=OWNERS)).status_code == 503
    unknown = await notifier.http.get("/v1/preview", params={**OWNERS, "touchpoint_type": "zoe"})
    assert unknown.status_code == 404
