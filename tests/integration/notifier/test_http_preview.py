"""Preview and test send: the message as it would be written now, sent to nobody or to one address."""

import re

import pytest

from services.notifier.domain.delivery import AttemptOutcome, Response
from tests.integration.notifier.conftest import Notifier

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


async def test_the_preview_for_the_owner_has_what_only_people_of_ours_see(notifier: Notifier) -> None:
    """S174."""
    await notifier.add_acme(csm_id="carl")
    await notifier.add_carl()
    notes = '---\nsubject: "Report"\n---\nTheir note: {{ conversation.notes }}\n\n{{ contact.list }}\n'
    data = {
        "language": "en",
        "touchpoint_type": "value_report",
        "reader": "owner",
        "text": notes,
        "policy": "p1",
        "version": 1,
    }
    key = "en/owner/value_report"
    await notifier.consume(
        notifier.record("directory.content", "drumbeat.content.directory.v1", key, data, key)
    )
    notifier.facts.figures["acme"] = {
        "conversation": {"at": "2026-02-01T00:00:00Z", "notes": "They want the export."}
    }

    shown = (await notifier.http.get("/v1/preview", params={**WANTED, "reader": "owner"})).json()

    assert "Their note: They want the export." in shown["text"]
    assert "- Ann, champion, ann@acme.example" in shown["text"]
