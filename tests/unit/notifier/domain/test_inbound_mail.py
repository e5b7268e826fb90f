"""Mails as people's programs and servers write them are read alike; no bytes at all raise an error."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifier.domain.inbound_mail import CalendarAnswer, Ignored, Reply, kind_of, read_mail
from services.notifier.domain.mail_parts import MOST_BYTES
from services.notifier.domain.mail_reports import Bounce, Complaint
from tests.unit.notifier.inbound_mails import (
    ANN,
    DELIVERY,
    absence_notice,
    apple_counter,
    apple_reply,
    exchange_bounce,
    gmail_reply,
    google_answer,
    outlook_answer,
    outlook_reply,
    postfix_bounce,
    returned_mail,
    yahoo_complaint,
)

OWN_ID = f"{DELIVERY}@vendor.example"
CORPUS = [
    gmail_reply(DELIVERY),
    outlook_reply(DELIVERY),
    apple_reply(DELIVERY),
    postfix_bounce(DELIVERY),
    exchange_bounce(DELIVERY),
    yahoo_complaint(DELIVERY),
    google_answer(DELIVERY),
    outlook_answer(DELIVERY),
    apple_counter(DELIVERY),
    absence_notice(DELIVERY),
    returned_mail(DELIVERY),
]


@pytest.mark.parametrize(
    ("mail", "text"),
    [
        (
            gmail_reply(DELIVERY),
            "Thanks, that helped. Could we talk about the import on Thursday? ✓\n\nAnn",
        ),
        (outlook_reply(DELIVERY), "Schöne Grüße — das machen wir."),
        (apple_reply(DELIVERY), "Works for us."),
    ],
)
def test_a_reply_names_the_mail_and_has_what_the_person_wrote(mail: bytes, text: str) -> None:
    content = read_mail(mail).content

    assert content == Reply(ANN, [OWN_ID], text)


@pytest.mark.parametrize(
    ("mail", "kind"),
    [
        (postfix_bounce(DELIVERY), "hard"),
        (exchange_bounce(DELIVERY), "hard"),
        (postfix_bounce(DELIVERY, status="4.2.2"), "soft"),
        (postfix_bounce(DELIVERY, status="5.2.2"), "soft"),
        (postfix_bounce(DELIVERY, status="5.7.1"), "soft"),
        (postfix_bounce(DELIVERY, status="5.2.1"), "hard"),
        (postfix_bounce(DELIVERY, status="4.4.1", action="delayed"), "soft"),
        (postfix_bounce(DELIVERY, status="5.1.1", action="delayed"), "soft"),
    ],
)
def test_a_bounce_is_hard_when_the_delivery_failed_for_good(mail: bytes, kind: str) -> None:
    content = read_mail(mail).content

    assert isinstance(content, Bounce)
    assert content.kind == kind
    assert content.message_ids[-1] == OWN_ID
    assert {address.lower() for address in content.addresses} == {ANN}


def test_a_report_that_a_mail_was_delivered_is_no_bounce() -> None:
    content = read_mail(postfix_bounce(DELIVERY, status="2.0.0", action="delivered")).content

    assert content == Ignored("the report says of no delivery that it failed or is late")


def test_a_complaint_names_the_mail_although_its_recipient_is_left_out() -> None:
    assert read_mail(yahoo_complaint(DELIVERY)).content == Complaint([OWN_ID])


def test_that_a_mail_is_no_spam_is_no_complaint() -> None:
    assert read_mail(yahoo_complaint(DELIVERY, "not-spam")).content == Ignored("the feedback is no complaint")


@pytest.mark.parametrize(
    ("mail", "answer"), [(google_answer(DELIVERY), "declined"), (outlook_answer(DELIVERY), "accepted")]
)
def test_the_answer_of_a_calendar_is_read_from_whoever_wrote_it(mail: bytes, answer: str) -> None:
    content = read_mail(mail).content

    assert isinstance(content, CalendarAnswer)
    assert (content.sender, content.reply.uid, content.reply.sequence) == (ANN, DELIVERY, 1)
    assert [(one.address.lower(), one.answer) for one in content.reply.attendees] == [(ANN, answer)]


def test_a_counter_proposal_has_the_proposed_time() -> None:
    content = read_mail(apple_counter(DELIVERY)).content

    assert isinstance(content, CalendarAnswer)
    assert content.reply.is_counter
    assert content.reply.proposed_at == datetime(2026, 3, 11, 9, tzinfo=UTC)


def test_what_a_program_answers_and_what_comes_back_is_ignored() -> None:
    assert read_mail(absence_notice(DELIVERY)).content == Ignored("an automatic answer, or mail of a list")
    assert read_mail(returned_mail(DELIVERY)).content == Ignored("a mail of Drumbeat came back")


def test_a_mail_is_the_same_whichever_way_it_came() -> None:
    first, second = gmail_reply(DELIVERY), b"Received: from elsewhere\r\n" + gmail_reply(DELIVERY)
    unnamed = first.replace(b"Message-ID: <CAA1@mail.example>\r\n", b"")

    assert read_mail(first).id == read_mail(second).id == "CAA1@mail.example"
    assert read_mail(unnamed).id == read_mail(unnamed).id != read_mail(unnamed + b"\r\n").id


def deep(levels: int) -> bytes:
    parts = "".join(
        f"Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n" for level in range(levels)
    )
    return f"From: {ANN}\r\n{parts}Content-Type: text/plain\r\n\r\nhello\r\n".encode()


def enclosed(levels: int) -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\n" * levels + b"\r\nhello"


HOSTILE = {
    "nothing": b"\x00",
    "zeros": b"\x00" * 100_000,
    "deep": deep(90),
    "deeper": deep(20_000),
    "enclosed": enclosed(90),
    "enclosed deeper": enclosed(100_000),
    "many parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 500_000,
    "many lines": b"\n" * 5_000_000,
    "a long header": b"Subject: " + b"a " * 2_000_000 + b"\r\n\r\nhello",
    "many headers": b"X-A: b\r\n" * 200_000 + b"\r\nhello",
    "headers in eight bits": b"From: \xff\xfe <\xe4@acme.example>\r\nSubject: \xfc\r\n\r\n\xff\x00",
    "encoded words without end": b"From: =?utf-8?b?////?= =?x?q?=ZZ?= <a@b>\r\nIn-Reply-To: <a@b>\r\n\r\nx",
    "an unknown charset": b"In-Reply-To: <a@b>\r\nContent-Type: text/plain; charset=nowhere\r\n\r\n\xff",
    "a slow charset": b"In-Reply-To: <a@b>\r\nContent-Type: text/plain; charset=punycode\r\n\r\n"
    + b"a-9" * 500_000,
    "no text": b"In-Reply-To: <a@b>\r\nContent-Type: text/plain; charset=hex\r\n\r\nzz",
    "a charset with a zero": b'In-Reply-To: <a@b>\r\nContent-Type: text/plain; charset="u\x00"\r\n\r\nx\xff',
    "a charset in parts": b"In-Reply-To: <a@b>\r\nContent-Type: text/plain; charset*0*=x'y'%ff; charset*2=z\r\n\r\nx",
    "base64 that is none": b"In-Reply-To: <a@b>\r\nContent-Transfer-Encoding: base64\r\n\r\n="
    + b"A" * 999_997,
    "uuencode": b"In-Reply-To: <a@b>\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 666 x\r\n\xff\xff\r\n",
    "a broken declaration": b"In-Reply-To: <a@b>\r\nContent-Type: text/html\r\n\r\n<![x<!-- <a "
    + b"<" * 60_000,
    "an empty report": b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\n",
    "a report of one part": b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: message/feedback-report\r\n\r\n--b--",
    "a calendar that is none": b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\n"
    b"UID:x\r\nSEQUENCE:many\r\nDTSTART:99999999T999999\r\nEND:VEVENT\r\nEND:VCALENDAR",
    "a calendar that ends early": b"Content-Type: text/calendar\r\n\r\n" + b"BEGIN:VCALENDAR\r\n" * 10_000,
    "half of a character": b"In-Reply-To: <a@b>\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_hostile_mails_are_read_or_ignored(raw: bytes) -> None:
    mail = read_mail(raw)

    assert not failed(raw)
    assert kind_of(mail.content) in ("reply", "ignored")
    mail.id.encode()
    if isinstance(mail.content, Reply):
        mail.content.text.encode()
        assert "\x00" not in mail.content.text


def test_a_mail_that_is_too_large_is_not_read() -> None:
    assert read_mail(b"\n" * (MOST_BYTES + 1)).content == Ignored(
        f"the mail cannot be read: it is larger than {MOST_BYTES} bytes"
    )


def failed(raw: bytes) -> bool:
    """Whether the library failed where nobody expects it; then the mail is ignored with the name of the error."""
    content = read_mail(raw).content
    return isinstance(content, Ignored) and content.reason.startswith("the mail cannot be read (")


def changed(raw: bytes, seed: int) -> bytes:
    """The mail with bytes replaced, left out, doubled and cut off."""
    dice, data = random.Random(seed), bytearray(raw)
    for _ in range(dice.randrange(1, 30)):
        start, length = dice.randrange(len(data) + 1), dice.randrange(40)
        piece = data[start : start + length]
        match dice.randrange(4):
            case 0:
                data[start : start + length] = dice.randbytes(length)
            case 1:
                del data[start : start + length]
            case 2:
                data[start:start] = piece * dice.randrange(4)
            case _:
                data[start:start] = dice.choice(
                    (b"\r\n", b"\r", b"\n\n", b";", b"=?", b"\x00", b'"', b"<", b"--")
                )
    return bytes(data)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(CORPUS), st.integers(0, 2**32))
def test_no_change_of_a_mail_raises_an_error(raw: bytes, seed: int) -> None:
    assert not failed(changed(raw, seed))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=4_000))
def test_no_bytes_raise_an_error(raw: bytes) -> None:
    assert not failed(raw)
