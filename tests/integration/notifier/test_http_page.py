"""A contact's own page: topics, current figures, and a friendly page for a wrong link."""

import pytest

from services.chassis.clock import real_now
from services.notifier.domain.page_link import make_page_token
from tests.integration.notifier.conftest import ACME, Notifier

pytestmark = pytest.mark.integration

ANN = [{**ACME["contacts"][0], "language": "de"}]
USAGE = {
    "begins_on": "2026-02-01",
    "ends_on": "2026-03-01",
    "active_users": 42.0,
    "active_users_before": 40.0,
    "seats": 50,
    "seats_used": 44,
    "weeks": [
        {"begins_on": "2026-02-16", "active_users": 40.0},
        {"begins_on": "2026-02-23", "active_users": 44.0},
    ],
}


async def test_the_page_shows_topics_and_the_current_figures_in_the_language_of_the_contact(
    notifier: Notifier,
) -> None:
    """S59, S129: available at any time, without a key, a script or a change."""
    await notifier.add_acme(contacts=ANN)
    notifier.facts.figures["acme"] = {
        "usage": USAGE,
        "contract": {"contract_id": "c1", "renews_on": "2026-12-31"},
    }
    review = {
        "type": "business_review",
        "due_at": "2026-03-10T09:00:00Z",
        "channel": "meeting",
        "topic": "account",
    }
    notifier.facts.coming["acme"] = [review]

    page = await notifier.http.get(
        f"/p/{make_page_token(notifier.link_keys, 'ann', real_now())}", headers={"Authorization": ""}
    )

    assert page.status_code == 200
    assert '<html lang="de" dir="ltr">' in page.text
    assert page.text.count("checked") == 7
    assert "42 (+5\u00a0%)" in page.text
    assert "44 von 50" in page.text
    assert "31. Dezember 2026" in page.text
    assert "Ergebnisgespräch: Dienstag, 10. März 2026 um 10:00 MEZ" in page.text
    assert "<script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert await notifier.outbox() == []


async def test_a_saved_choice_binds_and_is_confirmed(notifier: Notifier) -> None:
    """S183: topic by topic, and everything; the contact's own act lifts the contact's own opt-out."""
    await notifier.add_acme(contacts=ANN)
    notifier.facts.status = 503
    url = f"/p/{make_page_token(notifier.link_keys, 'ann', real_now())}"

    saved = await notifier.http.post(
        url, data={"topic": ["account", "surveys"]}, headers={"Authorization": ""}
    )
    assert "Gespeichert. Sie erhalten: Kontoinformationen und Umfragen." in saved.text
    assert saved.text.count(" checked") == 2
    await notifier.due()
    assert [row["state"] for row in await notifier.deliveries(contact_id="ann")] == ["suppressed"]

    nothing = await notifier.http.post(url, data={"none": "1", "topic": "account"})
    assert "Sie erhalten keine Nachrichten mehr von uns." in nothing.text
    assert (await notifier.http.get(url)).text.count(" checked") == 0

    again = await notifier.http.post(url, data={"topic": "education"})
    assert "Sie erhalten: Tipps und Anleitungen." in again.text
    assert (await notifier.http.get(url)).text.count(" checked") == 1
    facts = [data for _, _, headers, data in await notifier.outbox() if "preference" in headers["ce_type"]]
    assert all(fact["by_contact"] for fact in facts)
    assert len(facts) == 5 + 1 + 1


@pytest.mark.parametrize("token", ["x", "AAAA", "%00", "é", "A" * 900])
async def test_a_wrong_link_is_a_friendly_page_in_the_language_of_the_browser(
    notifier: Notifier, token: str
) -> None:
    for method in ("GET", "POST"):
        headers = {"Accept-Language": "pt-BR,pt;q=0.9", "Authorization": ""}
        answer = await notifier.http.request(method, f"/p/{token}", headers=headers)
        assert answer.status_code == 404
        if token != "%00":
            assert "Este link não funciona" in answer.text
    assert await notifier.outbox() == []


async def test_who_is_not_in_the_directory_can_still_say_no(notifier: Notifier) -> None:
    url = f"/p/{make_page_token(notifier.link_keys, 'zoe', real_now())}"

    assert (
        "Saved. You get no messages from us any more."
        in (await notifier.http.post(url, data={"none": "1"})).text
    )
    await notifier.add_acme(contacts=[{**ACME["contacts"][0], "contact_id": "zoe"}])
    await notifier.due()

    assert [row["state"] for row in await notifier.deliveries(contact_id="zoe")] == ["suppressed"]
