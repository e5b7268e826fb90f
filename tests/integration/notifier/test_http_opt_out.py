"""The way out without a link that works: one gives the mail address, and a fresh link goes to it if it is known."""

import re
from datetime import timedelta

import pytest

from services.chassis.clock import real_now
from services.notifier.domain.delivery import AttemptOutcome, Response
from services.notifier.domain.page_link import make_page_token
from services.notifier.domain.unsubscribe import make_token
from tests.integration.notifier.conftest import ACME, Notifier

pytestmark = pytest.mark.integration

NO_KEY = {"Authorization": ""}
OLD = timedelta(days=500)


async def ask(notifier: Notifier, address: str, language: str = "en") -> tuple[int, str]:
    headers = {**NO_KEY, "Accept-Language": language}
    answer = await notifier.http.post("/v1/unsubscribe", data={"address": address}, headers=headers)
    return answer.status_code, answer.text


async def test_an_expired_or_unknown_link_offers_the_way_out_by_address(notifier: Notifier) -> None:
    """Issue 11 B, in the language of the browser."""
    at = real_now() - OLD
    page = make_page_token(notifier.link_keys, "ann", at)
    unsubscribe = make_token(notifier.link_keys, "ann", ["education"], at)
    for path, action in (
        (f"/p/{page}", "../v1/unsubscribe"),
        ("/p/unknown", "../v1/unsubscribe"),
        (f"/v1/unsubscribe/{unsubscribe}", "../unsubscribe"),
        ("/v1/unsubscribe/unknown", "../unsubscribe"),
    ):
        shown = await notifier.http.get(path, headers={**NO_KEY, "Accept-Language": "de"})
        assert shown.status_code == 404, path
        assert f'action="{action}"' in shown.text
        assert "Neuen Link schicken" in shown.text
        assert "<script" not in shown.text


async def test_a_known_address_gets_a_fresh_link_in_its_language_and_the_answer_is_that_for_an_unknown_one(
    notifier: Notifier,
) -> None:
    await notifier.add_acme(contacts=[{**ACME["contacts"][0], "language": "pt"}])

    known = await ask(notifier, " Ann@ACME.example ")
    unknown = await ask(notifier, "nobody@acme.example")
    await notifier.send_service_mails()

    assert known == unknown
    assert known[0] == 200
    assert "a mail with a new link is on its way" in known[1]
    (mail,) = notifier.mailer.mails
    assert (mail.to, mail.message.subject) == ("ann@acme.example", "Seu link: escolha o que recebe de nós")
    found = re.search(r"http://test(/p/\S+)", mail.message.text)
    assert found is not None
    page = await notifier.http.get(found[1], headers=NO_KEY)
    assert page.status_code == 200
    states = await notifier.database.pool.fetch("SELECT state, address FROM service_mail ORDER BY state")
    assert [tuple(row) for row in states] == [("sent", None), ("unknown", None)]


async def test_an_address_gets_one_mail_however_often_it_is_given_and_a_client_has_to_wait(
    notifier: Notifier,
) -> None:
    await notifier.add_acme()

    answers = [(await ask(notifier, "ann@acme.example"))[0] for _ in range(7)]
    await notifier.send_service_mails()

    assert answers == [*[200] * 5, *[429] * 2]
    assert len(notifier.mailer.mails) == 1
    waiting = await notifier.http.post("/v1/unsubscribe", data={"address": "x@y.example"}, headers=NO_KEY)
    assert int(waiting.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "address", ["", "ann", "ann@", "a@b\x00.example", "ann@acme.example, ben@acme.example"]
)
async def test_what_is_no_address_gets_the_form_again(notifier: Notifier, address: str) -> None:
    status, text = await ask(notifier, address)

    assert status == 422
    assert "This is not a mail address" in text
    assert 'action="unsubscribe"' in text


async def test_a_mail_that_could_not_be_sent_is_tried_again_and_its_address_is_stored_only_sealed(
    notifier: Notifier,
) -> None:
    await notifier.add_acme()
    notifier.mailer.responses = [Response(AttemptOutcome.UNREACHED, "no relay")]
    await ask(notifier, "ann@acme.example")
    (stored,) = await notifier.database.pool.fetch("SELECT address FROM service_mail")
    assert b"ann" not in stored[0]

    await notifier.send_service_mails()
    assert await notifier.send_service_mails() == 0
    await notifier.database.pool.execute("UPDATE service_mail SET next_at = clock_timestamp()")
    await notifier.send_service_mails()

    assert [mail.to for mail in notifier.mailer.mails] == ["ann@acme.example"] * 2
    assert await notifier.database.pool.fetchval("SELECT state FROM service_mail") == "sent"
