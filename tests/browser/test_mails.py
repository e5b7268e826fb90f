"""Mails in a real browser: they fit a telephone whatever the names in them are, and follow light and dark."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.async_api import Browser

from schemas.directory import ContactRecord, CsmRecord
from services.cadence.policy.load import shipped_contents
from services.notifier.application.message_content import find_content
from services.notifier.application.message_facts import MessageFacts
from services.notifier.application.write_customer_mail import (
    CustomerMessage,
    Draft,
    Reader,
    write_customer_message,
)
from services.notifier.domain.people import Account
from tests.browser.test_pages import axe
from tests.unit.notifier import invites
from tests.unit.notifier.events import NOON, due
from tests.unit.notifier.owner_claims import ACME, CARL, DORA, claim, directory, sending, write

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

PHONE = 320
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"


def mail_to_people(language: str) -> str:
    """A mail of the day with a long account name, owner and contact."""
    carl = CARL.model_copy(update={"name": LONG, "language": language})
    among = replace(directory(carl, DORA), accounts={"acme": replace(ACME, name=f"{LONG} & Co.")})
    return write(claim(), among=among).message.html


def mail_to_a_customer(language: str) -> str:
    """The check-in by mail, with a long account name, contact and signature."""
    contents = {name.key: text for name, text in shipped_contents().items()}
    content = find_content(contents, "check_in", "customer", language)
    assert content is not None
    contact = ContactRecord(contact_id="ada", name=LONG, email="ada@acme.example", language=language)
    csm = CsmRecord(csm_id="carl", name=LONG, email="carl@vendor.example", version=1)
    reader = Reader(Account("acme", LONG), contact, csm)
    draft = Draft(due(touchpoint_type="check_in"), content, reader, MessageFacts(), NOON, contents)
    written = write_customer_message(draft, sending().customers.writer)
    assert isinstance(written, CustomerMessage)
    return written.message.html


def invitation(language: str) -> str:
    """To a review, with a long account name and long names of people."""
    return invites.write(invites.review(NOON), language=language, names=LONG).message.message.html


@pytest.mark.parametrize("language", ["en", "de", "pt", "es", "id"])
@pytest.mark.parametrize("write_mail", [mail_to_people, mail_to_a_customer, invitation])
async def test_a_mail_with_long_names_fits_a_telephone_in_light_and_dark(
    browser: Browser, write_mail: Callable[[str], str], language: str
) -> None:
    context = await browser.new_context(viewport={"width": PHONE, "height": 800})
    try:
        page = await context.new_page()
        await page.set_content(write_mail(language))
        assert await page.evaluate(SIDEWAYS) <= 0
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            assert await axe(page, {"runOnly": ["color-contrast"]}) == []
    finally:
        await context.close()
