"""Builds an email: headers and bodies of one message to one recipient, as bytes."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import quote

from schemas.addresses import encode_address
from services.chassis.mailbox import ParsedMailbox
from services.notifier.adapters.channels.email_headers import MAIL_POLICY, encode_text, format_mailbox
from services.notifier.application.mail_ports import CalendarPart, Mail, Mailbox
from services.notifier.domain.mail_reports import DELIVERY_HEADER
from services.notifier.domain.message import header, one_line
from services.notifier.domain.provider_events import METADATA


class AddressRejected(Exception):
    """The text is not a mail address that a message can be sent to."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mail comes from. `reply_to`: where answers go unless a mail names somebody; `redirect_to`: where all goes.

    `is_postmark`: Postmark is asked to keep our Message-ID, and to name the delivery in what it reports.
    """

    mailbox: ParsedMailbox
    reply_to: ParsedMailbox | None = None
    redirect_to: str | None = None
    is_postmark: bool = False


def _uri(value: str) -> str:
    """The URI in the characters of RFC 3986, others percent-encoded: a header in angle brackets has no other form."""
    return quote(header(value), safe="!#$%&'()*+,/:;=?@[]-._~")


def parse_address(value: str) -> str:
    """The address as SMTP carries it, by the rule of `schemas.addresses`. Raises AddressRejected."""
    try:
        return encode_address(value.strip())
    except ValueError as problem:
        raise AddressRejected(f"invalid email address: {problem}") from problem


def _reply_to(mailbox: Mailbox | None, sender: Sender) -> ParsedMailbox | None:
    """A person whose address cannot be written to gives way to the mailbox of the deployment."""
    if mailbox is None:
        return sender.reply_to
    try:
        return ParsedMailbox(one_line(mailbox.name), parse_address(mailbox.address))
    except AddressRejected:
        return sender.reply_to


def _add_calendar(email: EmailMessage, part: CalendarPart) -> None:
    """As an alternative, which calendars take in, and as a file for mail programs that show none (RFC 6047)."""
    text, method = part.content.decode(), {"method": part.method}
    email.add_alternative(text, subtype="calendar", params=method)
    email.add_attachment(part.content, maintype="application", subtype="ics", filename="invite.ics")


def build_email(mail: Mail, *, sender: Sender, at: datetime) -> tuple[str, bytes]:
    """The envelope recipient and the message. Raises AddressRejected or HeaderInjection.

    The Message-ID derives from the delivery, so that a repeated mail can be recognised.
    """
    intended = parse_address(mail.to)
    recipient = parse_address(sender.redirect_to) if sender.redirect_to else intended
    reply_to = _reply_to(mail.reply_to, sender)
    email = EmailMessage(policy=MAIL_POLICY)
    email["From"] = format_mailbox(sender.mailbox)
    email["To"] = recipient
    if reply_to is not None:
        email["Reply-To"] = format_mailbox(reply_to)
    email["Subject"] = encode_text(header(mail.message.subject))
    email["Date"] = format_datetime(at)
    email["Message-ID"] = f"<{mail.delivery_id}@{sender.mailbox.domain}>"
    email["Auto-Submitted"] = "auto-generated"
    email[DELIVERY_HEADER] = mail.delivery_id
    if sender.is_postmark:
        email["X-PM-KeepID"] = "true"
        email[f"X-PM-Metadata-{METADATA}"] = mail.delivery_id
    if sender.redirect_to:
        email["X-Drumbeat-Intended-To"] = intended
    if mail.unsubscribe_url:
        email["List-Unsubscribe"] = f"<{_uri(mail.unsubscribe_url)}>"
        email["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    email.set_content(mail.message.text)
    email.add_alternative(mail.message.html, subtype="html")
    if mail.calendar is not None:
        _add_calendar(email, mail.calendar)
    return recipient, email.as_bytes()
