"""Builds an email: headers and bodies of one message to one recipient, as bytes."""

from datetime import datetime
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, parseaddr
from urllib.parse import quote

from schemas.addresses import encode_address
from services.notifier.application.ports import Mail
from services.notifier.domain.message import header


class OneLineHeader(UnstructuredHeader, BaseHeader):
    """A header that is never folded or encoded: mail clients read the URI of RFC 2369 from one line as it is."""

    def fold(self, *, policy: Policy) -> str:
        """The line of the header, however long; RFC 5322 allows 998 characters."""
        return f"{self.name}: {self}{policy.linesep}"


HEADERS = HeaderRegistry()
HEADERS.map_to_type("list-unsubscribe", OneLineHeader)
HEADERS.map_to_type("list-unsubscribe-post", OneLineHeader)
MAIL_POLICY = SMTP.clone(header_factory=HEADERS)


class AddressRejected(Exception):
    """The text is not a mail address that a message can be sent to."""


def _uri(value: str) -> str:
    """The URI in the characters of RFC 3986, others percent-encoded: a header in angle brackets has no other form."""
    return quote(header(value), safe="!#$%&'()*+,/:;=?@[]-._~")


def parse_address(value: str) -> str:
    """The address as SMTP carries it, by the rule of `schemas.addresses`. Raises AddressRejected."""
    try:
        return encode_address(value.strip())
    except ValueError as problem:
        raise AddressRejected(f"invalid email address: {problem}") from problem


def domain_of(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def build_email(mail: Mail, *, sender: str, redirect_to: str | None, at: datetime) -> tuple[str, bytes]:
    """The envelope recipient and the message. Raises AddressRejected or HeaderInjection.

    The Message-ID derives from the delivery, so that a repeated mail can be recognised.
    """
    intended = parse_address(mail.to)
    recipient = parse_address(redirect_to) if redirect_to else intended
    email = EmailMessage(policy=MAIL_POLICY)
    email["From"] = header(sender)
    email["To"] = recipient
    email["Subject"] = header(mail.message.subject)
    email["Date"] = format_datetime(at)
    email["Message-ID"] = f"<{mail.delivery_id}@{domain_of(sender)}>"
    email["Auto-Submitted"] = "auto-generated"
    email["X-Drumbeat-Delivery"] = mail.delivery_id
    if redirect_to:
        email["X-Drumbeat-Intended-To"] = intended
    if mail.unsubscribe_url:
        email["List-Unsubscribe"] = f"<{_uri(mail.unsubscribe_url)}>"
        email["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    email.set_content(mail.message.text)
    email.add_alternative(mail.message.html, subtype="html")
    return recipient, email.as_bytes()
