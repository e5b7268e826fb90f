"""Mail against a real SMTP server: replies are read as RFC 5321 defines them; a repeat keeps its Message-ID."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.chassis.mailbox import ParsedMailbox
from services.chassis.outages import Outages
from services.notifier.adapters.channels.email import Mailer, classify
from services.notifier.adapters.channels.email_message import Sender
from services.notifier.application.mail_ports import Mail
from services.notifier.domain.delivery import AttemptOutcome
from services.notifier.domain.message import Message

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SENDER = Sender(ParsedMailbox("Drumbeat", "beat@vendor.example"))
LONG = Message("Grüße an alle " * 14, "Wörter, die länger sind. " * 80, "<p>Wörter</p>" * 80)
HELLO = Message("Grüße from Acme", "Plain words, naïve ones.", "<p>Rich words.</p>")


class Sink:
    """A mail server that keeps its mails; `rcpt_reply` and `data_reply` are its next answers."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.contents: list[bytes] = []
        self.sessions = 0
        self.rcpt_reply: str | None = None
        self.data_reply: str | None = None

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt_reply:
            return self.rcpt_reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = cast("bytes", envelope.original_content)
        self.contents.append(content)
        mail = message_from_bytes(content, policy=default)
        self.mails.append(([str(address) for address in envelope.rcpt_tos], mail))
        if self.data_reply == "drop":
            cast("asyncio.WriteTransport", server.transport).abort()
        return self.data_reply or "250 kept"


@pytest.fixture(autouse=True)
def _no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outages of its own for each test, which end at once."""
    monkeypatch.setattr("services.chassis.outages.SETTLED_SECONDS", 0.0)
    monkeypatch.setattr("services.notifier.adapters.channels.email.OUTAGES", Outages())


@asynccontextmanager
async def serving(sink: Sink) -> AsyncGenerator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, loop=loop), "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    yield port
    server.close()


@asynccontextmanager
async def mailing(sink: Sink, **more: str) -> AsyncGenerator[Mailer]:
    async with serving(sink) as port:
        mailer = Mailer("127.0.0.1", port, sender=replace(SENDER, **more))
        yield mailer
        await mailer.stop()


def make_mail(to: str = "ann@acme.example", unsubscribe: str | None = None) -> Mail:
    return Mail("d-1", to, HELLO, unsubscribe)


async def test_a_mail_arrives_as_it_was_written() -> None:
    sink = Sink()
    async with mailing(sink) as mailer:
        response = await mailer.send(make_mail(unsubscribe="https://drumbeat.example/u/abc"), at=NOW)

    assert response.outcome is AttemptOutcome.DELIVERED
    ((recipients, mail),) = sink.mails
    assert recipients == ["ann@acme.example"]
    assert mail["subject"] == "Grüße from Acme"
    assert mail["message-id"] == "<d-1@vendor.example>"
    assert mail["list-unsubscribe"] == "<https://drumbeat.example/u/abc>"
    assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert "naïve" in plain.get_content()
    assert "<p>" in rich.get_content()


async def test_mail_to_a_csm_has_no_unsubscribe_link() -> None:
    sink = Sink()
    async with mailing(sink) as mailer:
        await mailer.send(make_mail(), at=NOW)

    assert "list-unsubscribe" not in sink.mails[0][1]


async def test_in_staging_every_mail_goes_to_one_address_and_names_the_intended_one() -> None:
    sink = Sink()
    async with mailing(sink, redirect_to="staging@vendor.example") as mailer:
        await mailer.send(make_mail(), at=NOW)

    ((recipients, mail),) = sink.mails
    assert recipients == ["staging@vendor.example"]
    assert mail["to"] == "staging@vendor.example"
    assert mail["x-drumbeat-intended-to"] == "ann@acme.example"


async def test_connections_are_reused() -> None:
    sink = Sink()
    async with mailing(sink) as mailer:
        for _ in range(5):
            await mailer.send(make_mail(), at=NOW)
        await asyncio.gather(*(mailer.send(make_mail(f"p{i}@d{i}.example"), at=NOW) for i in range(40)))

    assert len(sink.mails) == 45
    assert sink.sessions <= 16


@pytest.mark.parametrize("reply", ["450 busy", "451 4.7.1 greylisted", "452 4.3.1 full", "421 closing"])
async def test_a_4xx_is_deferred(reply: str) -> None:
    sink = Sink()
    sink.rcpt_reply = reply
    async with mailing(sink) as mailer:
        response = await mailer.send(make_mail(), at=NOW)
        sink.rcpt_reply = None
        again = await mailer.send(make_mail(), at=NOW)

    assert response.outcome is AttemptOutcome.DEFERRED
    assert not response.is_permanent
    assert again.outcome is AttemptOutcome.DELIVERED


@pytest.mark.parametrize(
    ("code", "text", "is_unknown"),
    [
        (550, "no such user", True),
        (550, "5.1.1 no such user", True),
        (551, "not local", True),
        (553, "mailbox name not allowed", True),
        (550, "5.7.1 policy", False),
        (550, "5.2.2 mailbox full", False),
        (552, "too large", False),
        (554, "transaction failed", False),
        (554, "5.7.1 spam", False),
        (554, "5.1.1 unknown", True),
    ],
)
def test_a_5xx_is_final_and_only_unknown_mailboxes_are_suppressed(
    code: int, text: str, *, is_unknown: bool
) -> None:
    response = classify(code, text)

    assert response.outcome is AttemptOutcome.REFUSED
    assert response.is_permanent
    assert response.is_unknown_address is is_unknown


async def test_a_connection_lost_after_the_final_dot_is_ambiguous_and_the_repeat_has_the_same_id() -> None:
    sink = Sink()
    sink.data_reply = "drop"
    async with mailing(sink) as mailer:
        first = await mailer.send(make_mail(), at=NOW)
        sink.data_reply = None
        second = await mailer.send(make_mail(), at=NOW)

    assert first.outcome is AttemptOutcome.AMBIGUOUS
    assert second.outcome is AttemptOutcome.DELIVERED
    assert {mail["message-id"] for _, mail in sink.mails} == {"<d-1@vendor.example>"}


async def test_without_a_relay_no_mail_reaches_whatever_listens_on_this_machine() -> None:
    response = await Mailer(None, 25, sender=SENDER).send(make_mail(), at=NOW)

    assert response.outcome is AttemptOutcome.UNREACHED
    assert response.detail == "there is no mail relay; set DRUMBEAT_EMAIL__HOST"


async def test_a_closed_port_is_unreached_and_an_outage_of_the_relay_until_it_answers() -> None:
    sink = Sink()
    async with serving(sink) as port:
        pass
    mailer = Mailer("127.0.0.1", port, sender=SENDER)
    with capture_logs() as lines:
        assert (await mailer.send(make_mail(), at=NOW)).outcome is AttemptOutcome.UNREACHED
        assert REGISTRY.get_sample_value("drumbeat_part_away", {"part": "mail relay"}) == 1
        async with mailing(Sink()) as other:
            assert (await other.send(make_mail(), at=NOW)).outcome is AttemptOutcome.DELIVERED

    assert [(line["event"], line["part"]) for line in lines] == [
        ("outage.began", "mail relay"),
        ("outage.ended", "mail relay"),
    ]
    assert REGISTRY.get_sample_value("drumbeat_part_away", {"part": "mail relay"}) == 0


@pytest.mark.parametrize(
    "to",
    [
        "",
        "ann",
        "ann@",
        "@acme.example",
        "ann@acme.example\r\nBcc: all@acme.example",
        "a b@c.example",
        "ann@x,y",
        "ann..lee@acme.example",
        "ann@acme",
        "jörg@acme.example",  # row 34 of the reported faults: the door refuses it, too
    ],
)
async def test_an_invalid_address_is_refused_permanently(to: str) -> None:
    sink = Sink()
    async with mailing(sink) as mailer:
        response = await mailer.send(make_mail(to), at=NOW)

    assert response.is_permanent
    assert response.is_unknown_address
    assert sink.mails == []


@pytest.mark.parametrize(
    ("to", "written"),
    [
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
    ],
)
async def test_an_international_domain_is_written_in_ascii(to: str, written: str) -> None:
    """Row 35 of the reported faults: by IDNA 2008."""
    sink = Sink()
    async with mailing(sink) as mailer:
        response = await mailer.send(make_mail(to), at=NOW)

    assert response.outcome is AttemptOutcome.DELIVERED
    assert sink.mails[0][0] == [written]


def fields_on_the_wire(content: bytes) -> list[tuple[bytes, bytes]]:
    """The header fields by the grammar of RFC 5322 (2.2): name, colon, then the body as it was sent, folds included."""
    head, _, _ = content.partition(b"\r\n\r\n")
    fields = re.findall(rb"([!-9;-~]+):((?:[^\r\n]|\r\n[ \t])*)(?:\r\n|\Z)", head)
    assert b"\r\n".join(name + b":" + body for name, body in fields) == head
    return fields


@pytest.mark.parametrize("length", [76, 77, 78, 79, 100, 150, 240, 340, 512, 700, 900])
async def test_the_unsubscribe_address_is_one_uri_in_angle_brackets_on_one_line(length: int) -> None:
    """Row 46: RFC 2369 section 2, RFC 8058 section 3.1; RFC 5322 section 2.1.1 allows 998 characters in a line."""
    url = "https://drumbeat.vendor.example/v1/unsubscribe/"
    url += ("Ab3-_" * 200)[: length - len(url)]
    sink = Sink()
    async with mailing(sink) as mailer:
        await mailer.send(Mail("d-1", "ann@acme.example", LONG, url), at=NOW)

    (content,) = sink.contents
    fields = fields_on_the_wire(content)
    assert [body for name, body in fields if name == b"List-Unsubscribe"] == [f" <{url}>".encode()]
    assert [body for name, body in fields if name == b"List-Unsubscribe-Post"] == [
        b" List-Unsubscribe=One-Click"
    ]
    assert sum(name == b"Message-ID" for name, _ in fields) == 1
    others = [line for line in content.split(b"\r\n") if not line.startswith(b"List-Unsubscribe:")]
    assert max(map(len, others)) <= 78


async def test_an_address_beyond_ascii_is_percent_encoded() -> None:
    """Row 46: a URI is ASCII (RFC 3986)."""
    sink = Sink()
    async with mailing(sink) as mailer:
        await mailer.send(make_mail(unsubscribe="https://drumbeat.example/ü/%2F?a=b c>"), at=NOW)

    fields = dict(fields_on_the_wire(sink.contents[0]))
    assert fields[b"List-Unsubscribe"] == b" <https://drumbeat.example/%C3%BC/%2F?a=b%20c%3E>"
