"""Reads a mail that came in: an answer, an answer to an invitation, a report about a mail of ours, or none of these."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from hashlib import sha256
from typing import Final

from services.calendar.icalendar_answers import CalendarReply, read_reply
from services.notifier.domain.mail_parts import (
    UnreadableMail,
    address_in,
    bytes_of,
    clean_text,
    find_part,
    header_of,
    message_ids,
    parse_mail,
    text_of,
    walk_parts,
)
from services.notifier.domain.mail_reports import (
    DELIVERY_HEADER,
    Bounce,
    Complaint,
    read_bounce,
    read_complaint,
)
from services.notifier.domain.provider_events import EngagementReport, ProviderReport
from services.notifier.domain.reply_text import own_text

MOST_IDS: Final = 50
"""Of those that an answer names: a long conversation repeats the ids of all its mails."""
_AUTOMATIC: Final = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "List-Id", "X-Loop")
_PRECEDENCE: Final = frozenset({"bulk", "junk", "list", "auto_reply"})
_REPORT_TYPE: Final = re.compile(r"report-type\s*=\s*\"?([a-z-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """A person's answer. `text`: what they wrote, at most 2,000 characters; empty: nothing but a quotation."""

    sender: str | None
    message_ids: Sequence[str]
    text: str


@dataclass(frozen=True, slots=True)
class CalendarAnswer:
    """The answer of somebody's calendar to an invitation."""

    sender: str | None
    reply: CalendarReply


@dataclass(frozen=True, slots=True)
class Ignored:
    """A mail that is nothing of these; `reason` says why."""

    reason: str


MailContent = Reply | CalendarAnswer | Bounce | Complaint | ProviderReport | EngagementReport | Ignored
"""A bounce or a complaint also as a provider reports it."""


@dataclass(frozen=True, slots=True)
class InboundMail:
    """A mail that came in. `id`: the same each time it comes: from its Message-ID, else from its bytes.

    `provider_id`: what a provider that reports about a mail of ours named it in place of our Message-ID.
    """

    id: str
    content: MailContent
    provider_id: str | None = None


def read_mail(raw: bytes) -> InboundMail:
    """Whatever the bytes are. Takes seconds for the largest mails."""
    digest = sha256(raw).hexdigest()
    try:
        mail = parse_mail(raw)
    except UnreadableMail as problem:
        return InboundMail(digest, Ignored(f"the mail cannot be read: {problem}"))
    ids = message_ids(mail, "Message-ID")
    try:
        content = _content(mail)
    except Exception as problem:  # noqa: BLE001 - the library fails for mails that nobody has thought of yet
        content = Ignored(f"the mail cannot be read ({type(problem).__name__})")
    return InboundMail(ids[0] if ids else digest, content)


def kind_of(content: MailContent) -> str:
    """A word for what it is."""
    match content:
        case Reply():
            return "reply"
        case CalendarAnswer():
            return "calendar"
        case Bounce():
            return "bounce"
        case Complaint():
            return "complaint"
        case ProviderReport() | EngagementReport():
            return content.kind
        case Ignored():
            return "ignored"


def _content(mail: Message) -> MailContent:
    """Reports and calendars come first: programs write them, and say so as automatic answers do."""
    report = _report_type(mail)
    if report == "delivery-status":
        return read_bounce(mail) or Ignored("the report says of no delivery that it failed or is late")
    if report == "feedback-report":
        complaint = read_complaint(mail)
        return Ignored(complaint) if isinstance(complaint, str) else complaint
    if report is not None:
        return Ignored("a report that is neither of delivery nor of feedback")
    if header_of(mail, DELIVERY_HEADER):
        return Ignored("a mail of Drumbeat came back")
    reply = _calendar_reply(mail)
    if reply is not None:
        return CalendarAnswer(address_in(mail, "From"), reply)
    if _is_automatic(mail):
        return Ignored("an automatic answer, or mail of a list")
    return _reply(mail)


def _report_type(mail: Message) -> str | None:
    if mail.get_content_type() != "multipart/report":
        return None
    found = _REPORT_TYPE.search(header_of(mail, "Content-Type"))
    if found:
        return found.group(1).lower()
    kinds = ("message/delivery-status", "message/feedback-report")
    part = find_part(mail, *kinds)
    return part.get_content_subtype() if part is not None else ""


def _calendar_reply(mail: Message) -> CalendarReply | None:
    """The first answer among the calendars of the mail."""
    parts = [
        part for part in walk_parts(mail) if part.get_content_type() in ("text/calendar", "application/ics")
    ]
    replies = (read_reply(bytes_of(part)) for part in parts[:5])
    return next((reply for reply in replies if reply is not None), None)


def _is_automatic(mail: Message) -> bool:
    submitted = header_of(mail, "Auto-Submitted").lower()
    if submitted and not submitted.startswith("no"):
        return True
    precedence = header_of(mail, "Precedence").lower()
    return precedence in _PRECEDENCE or any(header_of(mail, name) for name in _AUTOMATIC)


def _reply(mail: Message) -> Reply | Ignored:
    ids = message_ids(mail, "In-Reply-To", "References")[:MOST_IDS]
    if not ids:
        return Ignored("it answers no mail: it has neither In-Reply-To nor References")
    part = find_part(mail, "text/plain", "text/html", attached=False)
    text = own_text(text_of(part)) if part is not None else ""
    return Reply(address_in(mail, "From"), ids, clean_text(text))
