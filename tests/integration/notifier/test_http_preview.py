"""Preview and test send: the message as it would be written now, sent to nobody or to one address."""

import pytest

from services.notifier.domain.delivery import AttemptOutcome, Response
from tests.integration.notifier.conftest import Notifier

pytestmark = pytest.mark.integration

REPORT = """---
subject: "Value report for {{ account.name }}"
---
You have {{ usage.active_users }} active users.

Read {{ links.page | otherwise: your page }}, {{ contact.first_name | otherwise: reader }}.
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
    assert "Read your page, Ann." in english["text"]
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
    assert "http://test/" not in mail.message.text + mail.message.html
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
