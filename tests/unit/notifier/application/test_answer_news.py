"""News of an answer, in the language and the zone of who leads the account."""

from datetime import UTC, datetime
from itertools import product

import pytest

from schemas.directory import ContactRecord, CsmRecord
from services.notifier.adapters.phrases import load_people_phrases
from services.notifier.application.answer_news import (
    AnswerMessage,
    AnswerParties,
    AnswerWriter,
    write_answer,
)
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.inbound_decision import AnsweredMail, AnswerKind, AnswerNews
from services.notifier.domain.people import Account

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROPOSED = datetime(2026, 3, 11, 9, tzinfo=UTC)
BOOK = load_people_phrases()
ANN = ContactRecord(contact_id="ann", name="Ann", email="ann@acme.example")


def write(
    kind: AnswerKind, person: CsmRecord | None, *, at: datetime | None = PROPOSED, text: str = "Sure"
) -> AnswerMessage:
    recipient = Recipient(RecipientKind.CONTACT, "ann")
    mail = AnsweredMail(
        "d1",
        "calendar",
        recipient,
        "acme",
        "t1",
        "business_review",
        b"",
        1,
        datetime(2026, 3, 10, 12, tzinfo=UTC),
    )
    writer = AnswerWriter(
        BOOK, lambda touchpoint, person_id, _: f"http://us/a/{touchpoint}-{person_id}", "http://console"
    )
    parties = AnswerParties(Account("acme", "Acme", contacts=(ANN,)), ANN, person)
    return write_answer(AnswerNews(kind, text, at), mail, parties, writer, NOON)


def carl(language: str = "en", zone: str = "Europe/Berlin") -> CsmRecord:
    return CsmRecord(csm_id="carl", name="Carl", language=language, timezone=zone, version=1)


@pytest.mark.parametrize(("kind", "language"), [*product(AnswerKind, BOOK.languages)])
def test_every_kind_is_written_in_every_language(kind: AnswerKind, language: str) -> None:
    message = write(kind, carl(language))
    whole = "\n".join((message.subject, *message.paragraphs, message.button, message.why))

    assert message.language == language
    assert "{" not in whole
    assert "Ann" in message.subject
    assert "Acme" in message.subject
    assert message.paragraphs[-1] == "Sure"


def test_a_proposed_time_is_shown_in_the_readers_zone_and_filled_into_the_form() -> None:
    message = write(AnswerKind.PROPOSED, carl())

    assert message.url == "http://us/a/t1-carl?do=move&to=2026-03-11T10%3A00"
    assert "Proposed: Wednesday, 11 March 2026 at 10:00 CET" in message.paragraphs
    assert "Planned for Tuesday, 10 March 2026 at 13:00 CET" in message.paragraphs


def test_a_proposed_time_that_cannot_be_read_leads_to_the_calendar() -> None:
    message = write(AnswerKind.PROPOSED, carl(), at=None)

    assert message.url == "http://us/a/t1-carl"
    assert "Proposed: see the invitation in your calendar" in message.paragraphs


def test_a_reply_leads_to_the_account_and_is_answered_to_the_contact() -> None:
    message = write(AnswerKind.REPLIED, None, text="")

    assert message.url == "http://console/?account=acme"
    assert message.reply_to == ("Ann", "ann@acme.example")
    assert message.paragraphs == ("Ann answered without a text.",)


def test_what_is_stored_is_read_as_it_was_written() -> None:
    message = write(AnswerKind.DECLINED, carl())

    assert AnswerMessage.read(message.write()) == message
