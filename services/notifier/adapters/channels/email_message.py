"""A mail on paper: headers and bodies of one message to one recipient, as bytes for the wire."""

import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from services.notifier.application.ports import Mail
from services.notifier.domain.message import HeaderInjection, header

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})")


class AddressRejected(Exception):
    """The text is not a mail address that a message can be sent to."""


def address(value: str) -> str:
    """The bare address, or `AddressRejected`. International domains become ASCII; local parts must be."""
    try:
        local, at, domain = header(value.strip()).rpartition("@")
        plain = f"{local}{at}{domain.encode('idna').decode()}" if not domain.isascii() else value.strip()
    except (HeaderInjection, UnicodeError) as problem:
        raise AddressRejected(f"not a mail address: {value!r}") from problem
    if not ADDRESS.fullmatch(plain):
        raise AddressRejected(f"not a mail address: {value!r}")
    return plain


def domain_of(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def build(letter: Mail, *, sender: str, redirect_to: str | None, at: datetime) -> tuple[str, bytes]:
    """The envelope recipient and the message. The Message-ID is the delivery's: a repeat is recognisable."""
    intended = address(letter.to)
    recipient = address(redirect_to) if redirect_to else intended
    mail = EmailMessage(policy=SMTP)
    mail["From"] = header(sender)
    mail["To"] = recipient
    mail["Subject"] = header(letter.message.subject)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{letter.delivery_id}@{domain_of(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Drumbeat-Delivery"] = letter.delivery_id
    if redirect_to:
        mail["X-Drumbeat-Intended-To"] = intended
    if letter.unsubscribe_url:
        mail["List-Unsubscribe"] = f"<{header(letter.unsubscribe_url)}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(letter.message.text)
    mail.add_alternative(letter.message.html, subtype="html")
    return recipient, mail.as_bytes()
