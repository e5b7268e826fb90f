"""Messages that fall together are one mail: in order of urgency, in one language, and what is whole goes alone."""

from dataclasses import replace
from typing import Any

import pytest

from services.cadence.content.parse import parse_content
from services.notifier.application.fold_messages import ALONE, Outgoing, Written, fold_messages
from services.notifier.application.mail_ports import Mail
from services.notifier.application.message_facts import MessageFacts
from services.notifier.application.ports import ClaimResult, MessageClaim
from services.notifier.application.write_customer_mail import (
    CustomerMessage,
    Draft,
    Reader,
    write_customer_message,
)
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.link_token import LinkKeys
from services.notifier.domain.people import Account
from services.notifier.domain.unsubscribe import read_token
from tests.unit.notifier.application.test_write_customer_mail import ANN, WRITER
from tests.unit.notifier.events import NOON
from tests.unit.notifier.owner_claims import NOW, claim

KEYS = LinkKeys({1: b"k" * 32})
TO_ANN = Recipient(RecipientKind.CONTACT, "ann")
BODY = '---\nsubject: "About {{ touchpoint.name }}"\n---\nAll of {{ touchpoint.name }} & more.\n'


def written(name: str, *, language: str = "en", program_id: str | None = None, **more: Any) -> Written:
    fields: dict[str, Any] = {
        "channel": "email",
        "touchpoint_type": "tips",
        "topic": "education",
        "due_at": NOON,
        **more,
    }
    claimed: MessageClaim = claim(name, recipient=TO_ANN, **fields)
    reader = Reader(Account("acme", "Acme"), ANN, language=language)
    kind = claimed.event.content.touchpoint_type
    content = parse_content(BODY, file=f"{language}/{kind}")
    message = write_customer_message(Draft(claimed.event, content, reader, MessageFacts(), NOON, {}), WRITER)
    assert isinstance(message, CustomerMessage)
    message = replace(message, program_id=program_id)
    mail = Mail(claimed.delivery.id, "ann@acme.example", message.message, message.unsubscribe_url)
    return Written(claimed, message, reader, mail)


def fold(*parts: Written) -> tuple[list[Outgoing], list[ClaimResult]]:
    return fold_messages(parts, WRITER, NOW)


@pytest.mark.parametrize("language", ["en", "de", "pt", "es", "id"])
def test_one_mail_has_a_section_for_each_in_the_order_of_urgency_and_ends_all_their_topics(
    language: str,
) -> None:
    tip = written("t1", language=language)
    report = written(
        "t2", language=language, touchpoint_type="usage_report", topic="account", precedence="floor"
    )
    ((one,), alone) = fold(tip, report)

    assert alone == []
    assert [part.claim.delivery.id for part in one.parts] == ["delivery-t2", "delivery-t1"]
    mail = one.mail
    assert mail is not None
    assert mail.delivery_id == "delivery-t2"
    assert mail.message.subject.startswith(report.message.message.subject)
    assert mail.message.subject != report.message.message.subject
    for body in (mail.message.text, mail.message.html):
        assert body.index(report.message.section.subject) < body.index(tip.message.section.subject)
        for topic in ("education", "account"):
            assert WRITER.book.phrases(language).topic(topic) in body
    assert "&amp; more" in mail.message.html
    token = (mail.unsubscribe_url or "").rpartition("/")[2]
    assert read_token(KEYS, token, now=NOON) == ("ann", ["account", "education"])


def test_programs_surveys_and_escalations_go_alone_and_at_once() -> None:
    tip, program = written("t1"), written("t2", program_id="march")
    survey = written("t3", touchpoint_type="survey", topic="surveys")
    urgent = written("t4", precedence="escalation")
    ((one,), alone) = fold(tip, program, survey, urgent)

    assert one.parts == (tip,)
    assert one.mail == tip.mail
    assert {result.claim.delivery.id for result in alone} == {"delivery-t2", "delivery-t3", "delivery-t4"}
    assert {(result.delivery.reason, result.delivery.next_at) for result in alone} == {(ALONE, NOW.real)}
    assert all(result.timing is None for result in alone)


def test_of_several_that_go_alone_one_goes_with_this_claim() -> None:
    ((one,), (other,)) = fold(written("t1", program_id="march"), written("t2", program_id="april"))

    assert len(one.parts) == 1
    assert other.claim.delivery.id == "delivery-t2"


def test_sections_of_two_languages_are_two_mails() -> None:
    ((one,), (other,)) = fold(written("t1", language="de"), written("t2", language="en"))

    assert one.parts[0].message.language == "de"
    assert other.claim.delivery.id == "delivery-t2"
