"""Preferences and unsubscribing: binding at once, told to the rules engine, safe from link scanners."""

from typing import Any

import pytest

from services.notifier.domain.unsubscribe import TokenRejected, opened, token
from tests.integration.notifier.conftest import Notifier

pytestmark = pytest.mark.integration


async def facts(notifier: Notifier) -> list[tuple[str, dict[str, Any]]]:
    return [(key, data) for topic, key, _, data in await notifier.outbox() if topic == "account.signals"]


async def test_what_is_put_is_shown_and_told_as_a_fact(notifier: Notifier) -> None:
    await notifier.know_acme()
    wish = {"opted_in": True, "channel": "email", "frequency": "monthly"}

    answer = await notifier.http.put("/v1/contacts/ann/preferences", json={"topics": {"education": wish}})

    assert answer.json()["topics"]["education"] == wish
    assert answer.json()["topics"]["promotion"] == {"opted_in": True, "channel": None, "frequency": None}
    shown = await notifier.http.get("/v1/contacts/ann/preferences")
    assert shown.json() == answer.json()
    assert await facts(notifier) == [("acme", {"contact_id": "ann", "topic": "education", **wish})]


async def test_a_later_frequency_does_not_wash_out_an_opt_out(notifier: Notifier) -> None:
    await notifier.know_acme()
    for wish in ({"opted_in": False}, {"frequency": "weekly"}):
        await notifier.http.put("/v1/contacts/ann/preferences", json={"topics": {"education": wish}})

    shown = (await notifier.http.get("/v1/contacts/ann/preferences")).json()

    assert shown["topics"]["education"] == {"opted_in": False, "channel": None, "frequency": "weekly"}


async def test_a_contact_nobody_knows_is_not_found(notifier: Notifier) -> None:
    assert (await notifier.http.get("/v1/contacts/zoe/preferences")).status_code == 404
    body = {"topics": {"education": {"opted_in": False}}}
    assert (await notifier.http.put("/v1/contacts/zoe/preferences", json=body)).status_code == 404
    body = {"topics": {"gossip": {"opted_in": False}}}
    assert (await notifier.http.put("/v1/contacts/ann/preferences", json=body)).status_code == 422


async def test_looking_at_the_link_changes_nothing_and_the_button_does(notifier: Notifier) -> None:
    await notifier.know_acme()
    link = f"/v1/unsubscribe/{token(notifier.unsubscribe_key, 'ann', 'education')}"

    looked = await notifier.http.get(link, headers={"Authorization": ""})
    assert looked.status_code == 200
    assert 'method="post"' in looked.text
    assert await facts(notifier) == []

    left = await notifier.http.post(link, content="List-Unsubscribe=One-Click", headers={"Authorization": ""})
    await notifier.http.post(link, content="List-Unsubscribe=One-Click")
    await notifier.due()
    await notifier.tell_people()

    assert left.status_code == 200
    assert [mail.to for mail in notifier.postbox.mails] == ["ben@acme.example"]
    said = await facts(notifier)
    assert said[0] == ("acme", {"contact_id": "ann", "topic": "education", "opted_in": False})


async def test_leaving_everything_leaves_every_topic(notifier: Notifier) -> None:
    await notifier.know_acme()
    link = f"/v1/unsubscribe/{token(notifier.unsubscribe_key, 'ann', 'education')}"

    await notifier.http.post(link, params={"everything": "true"})

    shown = (await notifier.http.get("/v1/contacts/ann/preferences")).json()
    assert not any(each["opted_in"] for each in shown["topics"].values())


async def test_who_holds_the_link_has_the_last_word_even_before_the_directory_comes(
    notifier: Notifier,
) -> None:
    link = f"/v1/unsubscribe/{token(notifier.unsubscribe_key, 'ann', None)}"
    await notifier.http.post(link)

    await notifier.know_acme()
    await notifier.due()
    await notifier.tell_people()

    assert [mail.to for mail in notifier.postbox.mails] == ["ben@acme.example"]


@pytest.mark.parametrize("text", ["x", "AAAA", "%00", "é", "A" * 900])
async def test_a_link_that_was_not_made_here_does_nothing(notifier: Notifier, text: str) -> None:
    for method in ("GET", "POST"):
        answer = await notifier.http.request(method, f"/v1/unsubscribe/{text}")
        assert answer.status_code == 404
    assert await facts(notifier) == []


def test_a_token_opens_only_with_its_key() -> None:
    link = token(b"k" * 32, "ann", None)

    assert opened(b"k" * 32, link) == ("ann", None)
    with pytest.raises(TokenRejected):
        opened(b"j" * 32, link)
    with pytest.raises(TokenRejected):
        opened(b"k" * 32, link[:-4])
