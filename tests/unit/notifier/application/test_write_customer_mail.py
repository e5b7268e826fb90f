"""The layout around content: who writes, why, the way out, and nothing that a name could break."""

import re
from dataclasses import replace

import pytest

from schemas.directory import ContactRecord
from services.cadence.content.parse import parse_content
from services.notifier.adapters.phrases import load_phrases
from services.notifier.adapters.templates import Templates
from services.notifier.application.customer_links import links_of
from services.notifier.application.message_facts import MessageFacts
from services.notifier.application.write_customer_mail import (
    CustomerMessage,
    CustomerWriter,
    Draft,
    NoContent,
    Reader,
    write_customer_message,
)
from services.notifier.domain.link_token import LinkKeys
from services.notifier.domain.people import Account
from tests.unit.notifier.events import NOON, due

WRITER = CustomerWriter(
    Templates(),
    load_phrases(),
    links_of("https://beat.northwind.example", LinkKeys({1: b"k" * 32}), lambda: NOON),
    "Northwind",
    "1 Long Road\nSpringfield",
)
TEXT = """---
subject: "A tip for {{ account.name | otherwise: you }}"
preheader: "One minute"
---
Hello {{ contact.first_name | otherwise: there }}.

[Your page]({{ links.page }})
"""
ANN = ContactRecord(contact_id="ann", name="Ann Lee", email="ann@acme.example")


def write(account: str | None = "Acme", language: str = "en", *, is_test: bool = False) -> CustomerMessage:
    content = parse_content(TEXT, file=f"{language}/tips")
    reader = Reader(Account("acme", account), ANN, language=language)
    draft = Draft(due(), content, reader, MessageFacts(), NOON, {}, is_test=is_test)
    written = write_customer_message(draft, WRITER)
    assert isinstance(written, CustomerMessage)
    return written


@pytest.mark.parametrize("language", ["en", "de", "pt", "es", "id"])
def test_a_mail_says_who_writes_why_and_how_to_end_it_in_its_language(language: str) -> None:
    """S215, row 45."""
    written = write(language=language)

    assert f'<html lang="{language}" dir="ltr">' in written.message.html
    for body in (written.message.html, written.message.text):
        assert "Northwind" in body
        assert "1 Long Road\nSpringfield" in body
        assert WRITER.book.phrases(language).topic("education") in body
        assert "https://beat.northwind.example/p/" in body
        assert written.unsubscribe_url in body
    assert "Acme" in written.message.text.partition("\n--\n")[2]


@pytest.mark.parametrize(
    "account", [None, "", "<b>Acme</b> & Sons", "شركة الشمال", "דרום", "N" * 200, "a\u202eb", "{{ x }}"]
)
def test_no_name_breaks_the_layout(account: str | None) -> None:
    written = write(account)

    assert written.message.subject.isprintable()
    assert len(written.message.subject) <= 200
    assert "<b>Acme" not in written.message.html
    for body in (written.message.html, written.message.text):
        assert "None" not in body
        assert "\u202e" not in body
    assert len(re.findall("<table", written.message.html)) == len(
        re.findall("</table>", written.message.html)
    )


def test_a_test_has_no_link_that_changes_anything() -> None:
    written = write(is_test=True)

    assert written.message.subject == "[Test] A tip for Acme"
    links = re.findall(r"https://beat\.northwind\.example\S*", written.message.text)
    assert set(links) == {
        "https://beat.northwind.example/p/test",
        "https://beat.northwind.example/v1/unsubscribe/test",
    }


def test_a_mail_follows_light_and_dark_and_narrow_screens() -> None:
    html = write().message.html

    assert '<meta name="color-scheme" content="light dark">' in html
    assert "prefers-color-scheme:dark" in html
    assert "max-width:600px" in html


def test_content_that_has_nothing_left_to_say_is_not_sent() -> None:
    """S173."""
    content = parse_content('---\nsubject: "x"\n---\n{{ csm.name }}\n', file="en/tips")
    draft = Draft(due(), content, Reader(Account("acme"), ANN), MessageFacts(), NOON, {})

    assert write_customer_message(draft, WRITER) == NoContent("en/tips: csm.name not known", ("csm.name",))
    other = replace(draft, content=parse_content('---\nsubject: "x"\n---\n', file="en/tips"))
    assert write_customer_message(other, WRITER) == NoContent("en/tips: nothing is left to say")
