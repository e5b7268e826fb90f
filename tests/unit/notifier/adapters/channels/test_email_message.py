"""Mail is read alike by other libraries than Python's: fast-mail-parser (Rust) and npm's mailparser."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from fast_mail_parser import parse_email

from services.chassis.mailbox import ParsedMailbox
from services.notifier.adapters.channels.email_message import Sender, build_email
from services.notifier.application.mail_ports import Mail, Mailbox
from services.notifier.domain.message import Message
from tests.node import run_script

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
LONG_URL = "https://drumbeat.vendor.example/v1/unsubscribe/" + "Ab3-_" * 51
TEXT = "Hello,\n\nGrüße 你好 🙂\n" + "a long line without an end " * 40 + "\n.\n.leading dot\nFrom here\n"
HTML = "<!doctype html><p>Grüße &amp; 你好</p>" + "<p>" + "word " * 400 + "</p>"


@dataclass(frozen=True)
class Case:
    name: str
    subject: str = "A report"
    address: str = "ann@acme.example"
    domain: str = "vendor.example"


CASES = [
    Case("Northwind"),
    Case("Northwind Traders, Inc."),
    Case('The "Best" Company \\ Co'),
    Case("Müller & Söhne GmbH", subject="Grüße an alle"),
    Case("Müller, Jo (EU)", subject="Über: [Test] =?utf-8?q?x?="),
    Case("株式会社ノースウィンド", subject="レポート " * 20),
    Case("شركة الشمال", subject="تقرير القيمة"),
    Case("😀 Smile; Co. <not an address>"),
    Case("=?utf-8?q?spoof?="),
    Case("N" * 200, subject="s" * 200),
    Case("Ñandú " * 33, subject="Ünï cödé " * 22),
    Case("a.b@c", subject="  two  blanks"),
    Case("Northwind", address=f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 50}.example"),
    Case("Northwind", address="ann@bücher.example", domain="xn--bcher-kva.example"),
    Case("O'Neil: Sales", subject="100% off? (no)"),
]


def build(case: Case) -> bytes:
    mailbox = ParsedMailbox(" ".join(case.name.split()), f"success@{case.domain}")
    message = Message(" ".join(case.subject.split()), TEXT, HTML)
    reply_to = Mailbox(case.name, "carl@vendor.example")
    mail = Mail("7c0e5b1e-6b3c-5b0a-9a55-1f0b4b8b9a11", case.address, message, LONG_URL, reply_to)
    return build_email(mail, sender=Sender(mailbox), at=NOW)[1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:12])
def test_a_mail_has_lines_that_every_relay_carries(case: Case) -> None:
    """RFC 5321 4.5.3.1.6 and RFC 5322 2.1.1: ASCII, at most 998 characters in a line."""
    content = build(case)

    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    long = [line for line in content.split(b"\r\n") if len(line) > 78]
    assert all(line.startswith((b"List-Unsubscribe: ", b"To: ")) for line in long)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:12])
def test_a_parser_in_rust_reads_what_was_meant(case: Case) -> None:
    """Row 45, row 46; RFC 2047, RFC 5322, RFC 2369, RFC 8058."""
    mail = parse_email(build(case))

    assert mail.subject == " ".join(case.subject.split())
    assert mail.from_ is not None
    name = " ".join(case.name.split())
    assert (mail.from_.display_name, mail.from_.address) == (name, f"success@{case.domain}")
    assert [(one.display_name, one.address) for one in mail.reply_to] == [(name, "carl@vendor.example")]
    assert [one.address for one in mail.to] == [case.address.replace("bücher", "xn--bcher-kva")]
    headers = {name.lower(): values for name, values in mail.headers.items()}
    assert headers["list-unsubscribe"] == [f"<{LONG_URL}>"]
    assert headers["list-unsubscribe-post"] == ["List-Unsubscribe=One-Click"]
    assert headers["message-id"] == [f"<7c0e5b1e-6b3c-5b0a-9a55-1f0b4b8b9a11@{case.domain}>"]
    assert headers["auto-submitted"] == ["auto-generated"]
    assert parsedate_to_datetime(headers["date"][0]) == NOW
    assert [text.replace("\r\n", "\n").rstrip() for text in mail.text_plain] == [TEXT.rstrip()]
    assert [html.replace("\r\n", "\n").rstrip() for html in mail.text_html] == [HTML]


def test_npm_mailparser_reads_what_was_meant(tmp_path: Path) -> None:
    """Row 45, row 46."""
    paths = [tmp_path / f"{number}.eml" for number in range(len(CASES))]
    for path, case in zip(paths, CASES, strict=True):
        path.write_bytes(build(case))

    mails: list[dict[str, Any]] = run_script("read_mail.js", *map(str, paths))

    for case, mail in zip(CASES, mails, strict=True):
        name = " ".join(case.name.split())
        assert mail["subject"] == " ".join(case.subject.split())
        assert mail["from"] == [
            {"name": name, "address": f"success@{case.domain.replace('xn--bcher-kva', 'bücher')}"}
        ]
        assert mail["replyTo"] == [{"name": name, "address": "carl@vendor.example"}]
        assert mail["messageId"] == f"<7c0e5b1e-6b3c-5b0a-9a55-1f0b4b8b9a11@{case.domain}>"
        assert mail["date"] == "2026-01-05T12:00:00.000Z"
        assert mail["list"]["unsubscribe"]["url"] == LONG_URL
        assert mail["lines"]["list-unsubscribe-post"] == "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
        assert mail["text"].rstrip() == TEXT.rstrip()
        assert mail["html"].rstrip() == HTML


@pytest.mark.parametrize("is_postmark", [True, False])
def test_a_mail_takes_its_delivery_along_also_for_postmark(*, is_postmark: bool) -> None:
    sender = Sender(ParsedMailbox("Northwind", "success@vendor.example"), is_postmark=is_postmark)
    mail = Mail("7c0e5b1e-6b3c-5b0a-9a55-1f0b4b8b9a11", "ann@acme.example", Message("A report", TEXT, HTML))
    read = message_from_bytes(build_email(mail, sender=sender, at=NOW)[1])

    assert read["X-Drumbeat-Delivery"] == mail.delivery_id
    kept = (read["X-PM-KeepID"], read["X-PM-Metadata-drumbeat-delivery"])
    assert kept == (("true", mail.delivery_id) if is_postmark else (None, None))
