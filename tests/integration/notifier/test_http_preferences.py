"""Preferences and unsubscribing: binding at once, published as facts, unaffected by link scanners."""

import re
from typing import Any

import pytest

from services.chassis.clock import real_now
from services.notifier.domain.unsubscribe import make_token
from tests.integration.notifier.conftest import Notifier

pytestmark = pytest.mark.integration


async def facts(notifier: Notifier) -> list[tuple[str, dict[str, Any]]]:
    return [(key, data) for topic, key, _, data in await notifier.outbox() if topic == "account.signals"]


async def test_a_change_is_shown_and_published_as_a_fact(notifier: Notifier) -> None:
    await notifier.add_acme()
    change = {"opted_in": True, "channel": "email", "frequency": "monthly"}

    answer = await notifier.http.put("/v1/contacts/ann/preferences", json={"topics": {"education": change}})

    assert answer.json()["topics"]["education"] == change
    assert answer.json()["topics"]["promotion"] == {"opted_in": True, "channel": None, "frequency": None}
    shown = await notifier.http.get("/v1/contacts/ann/preferences")
    assert shown.json() == answer.json()
    assert await facts(notifier) == [("acme", {"contact_id": "ann", "topic": "education", **change})]


async def test_a_later_frequency_does_not_lift_an_opt_out(notifier: Notifier) -> None:
    await notifier.add_acme()
    for change in ({"opted_in": False}, {"frequency": "weekly"}):
        await notifier.http.put("/v1/contacts/ann/preferences", json={"topics": {"education": change}})

    shown = (await notifier.http.get("/v1/contacts/ann/preferences")).json()

    assert shown["topics"]["education"] == {"opted_in": False, "channel": None, "frequency": "weekly"}


async def test_a_wish_ends_and_is_published_as_a_fact(notifier: Notifier) -> None:
    await notifier.add_acme()
    url = "/v1/contacts/ann/preferences"
    await notifier.http.put(url, json={"topics": {"education": {"channel": "in_app", "frequency": "weekly"}}})

    ended = {"channel": "suggested", "frequency": "suggested"}
    shown = await notifier.http.put(url, json={"topics": {"education": ended}})

    assert shown.json()["topics"]["education"] == {"opted_in": True, "channel": None, "frequency": None}
    assert (await facts(notifier))[-1] == ("acme", {"contact_id": "ann", "topic": "education", **ended})
    consent = {"topics": {"education": {"opted_in": True, "channel": "suggested"}}}
    assert (await notifier.http.put(url, json=consent)).status_code == 422


async def test_an_unknown_contact_is_not_found(notifier: Notifier) -> None:
    assert (await notifier.http.get("/v1/contacts/zoe/preferences")).status_code == 404
    body = {"topics": {"education": {"opted_in": False}}}
    assert (await notifier.http.put("/v1/contacts/zoe/preferences", json=body)).status_code == 404
    body = {"topics": {"gossip": {"opted_in": False}}}
    assert (await notifier.http.put("/v1/contacts/ann/preferences", json=body)).status_code == 422


async def test_opening_the_link_changes_nothing_and_the_button_does(notifier: Notifier) -> None:
    await notifier.add_acme()
    link = f"/v1/unsubscribe/{make_token(notifier.link_keys, 'ann', ['education'], real_now())}"

    opened = await notifier.http.get(link, headers={"Authorization": ""})
    assert opened.status_code == 200
    assert 'method="post"' in opened.text
    assert await facts(notifier) == []

    left = await notifier.http.post(link, content="List-Unsubscribe=One-Click", headers={"Authorization": ""})
    await notifier.http.post(link, content="List-Unsubscribe=One-Click")
    await notifier.due()
    await notifier.send_messages()

    assert left.status_code == 200
    assert [mail.to for mail in notifier.mailer.mails] == ["ben@acme.example"]
    assert (await facts(notifier))[0] == (
        "acme",
        {"contact_id": "ann", "topic": "education", "opted_in": False, "by_contact": True},
    )


async def test_an_opt_out_of_everything_covers_every_topic(notifier: Notifier) -> None:
    await notifier.add_acme()
    link = f"/v1/unsubscribe/{make_token(notifier.link_keys, 'ann', ['education'], real_now())}"

    await notifier.http.post(link, params={"everything": "true"})

    shown = (await notifier.http.get("/v1/contacts/ann/preferences")).json()
    assert not any(row["opted_in"] for row in shown["topics"].values())


async def test_a_link_opts_out_even_before_the_directory_has_the_contact(
    notifier: Notifier,
) -> None:
    link = f"/v1/unsubscribe/{make_token(notifier.link_keys, 'ann', [], real_now())}"
    await notifier.http.post(link)

    await notifier.add_acme()
    await notifier.due()
    await notifier.send_messages()

    assert [mail.to for mail in notifier.mailer.mails] == ["ben@acme.example"]


PAGES = {
    "de": ("Produktneuigkeiten abbestellen?", "Sie erhalten von uns nicht mehr", "Sie haben wieder bestellt"),
    "pt-BR": ("Não receber mais novidades", "Você não recebe mais novidades", "Você voltou a receber"),
    "es": ("¿No recibir más novedades", "Ya no recibe novedades", "vuelve a estar activa"),
    "id": ("Berhenti menerima kabar produk?", "tidak lagi menerima kabar", "Anda berlangganan lagi"),
    "en": ("Stop product updates?", "You no longer get product updates", "You are subscribed again"),
}


@pytest.mark.parametrize("language", [*PAGES])
async def test_the_pages_speak_the_language_of_the_contact_whatever_the_browser_prefers(
    notifier: Notifier, language: str
) -> None:
    await notifier.add_acme(contacts=[{"contact_id": "ann", "name": "Ann", "language": language}])
    link = f"/v1/unsubscribe/{make_token(notifier.link_keys, 'ann', ['product_updates'], real_now())}"
    browser = {"Authorization": "", "Accept-Language": "fr, pl;q=0.9, es;q=0.5"}
    asks, done, back = PAGES[language]

    shown = await notifier.http.get(link, headers=browser)
    stopped = await notifier.http.post(link, headers=browser)
    lifted = await notifier.http.post(f"{link}?again=true", headers=browser)

    for page, words in ((shown, asks), (stopped, done), (lifted, back)):
        assert f'<html lang="{language[:2]}" dir="ltr">' in page.text
        assert words in page.text
    if language != "en":
        everything = await notifier.http.post(f"{link}?everything=yes", headers=browser)
        assert not re.search(r"\b(You|Stop|from us|subscribe)\b", shown.text + stopped.text + everything.text)


async def test_the_browser_decides_on_the_language_where_the_contact_is_not_known(notifier: Notifier) -> None:
    link = f"/v1/unsubscribe/{make_token(notifier.link_keys, 'zoe', ['surveys'], real_now())}"

    for prefers, words in (
        ("fr, DE-at;q=0.8, es;q=0.9", "¿No recibir más encuestas?"),
        ("de;q=0, pt", "Não receber mais pesquisas?"),
        ("xx;q=?, *", "Stop surveys?"),
    ):
        shown = await notifier.http.get(link, headers={"Accept-Language": prefers})
        assert words in shown.text
    form = await notifier.http.get("/v1/unsubscribe", headers={"Accept-Language": "de"})
    assert '<p><label for="address">Geben Sie Ihre E-Mail-Adresse an' in form.text
    act = await notifier.http.get("/a/x", headers={"Accept-Language": "de"})
    assert (act.status_code, "Dieser Link funktioniert nicht" in act.text) == (404, True)
    lost = await notifier.http.get("/v1/unsubscribe/x", headers={"Accept-Language": "id"})
    assert lost.status_code == 404
    assert '<html lang="id" dir="ltr">' in lost.text
    assert "Tautan ini tidak berfungsi" in lost.text


@pytest.mark.parametrize("text", ["x", "AAAA", "%00", "é", "A" * 900, "A" * 2000])
async def test_a_link_that_was_not_made_here_does_nothing(notifier: Notifier, text: str) -> None:
    for method in ("GET", "POST"):
        answer = await notifier.http.request(method, f"/v1/unsubscribe/{text}")
        assert answer.status_code == 404
    assert await facts(notifier) == []
