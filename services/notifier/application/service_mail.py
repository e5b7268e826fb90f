"""Mails of the service itself: a fresh link for a contact, news of endpoints, partitions, and answers that came in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from html import escape
from typing import Final, Protocol

from schemas.subscriptions import SubscriptionNews
from schemas.times import format_instant
from services.notifier.application.answer_news import AnswerMessage
from services.notifier.application.halt_news import HALTED_NEWS, RESUMED_NEWS, HaltNews
from services.notifier.application.mail_ports import Mail, Mailbox, Mailer
from services.notifier.application.phrases import PhraseBook
from services.notifier.application.write_customer_mail import CustomerWriter, Reader
from services.notifier.domain import message
from services.notifier.domain.decision import Reason
from services.notifier.domain.delivery import AttemptOutcome

WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480))
"""Real time between attempts."""
SENDING: Final = timedelta(minutes=5)
"""Real time in which nobody else sends a mail that is being sent."""

FAILING_NEWS: Final = (
    "Webhooks to {host} keep failing",
    "The endpoint at {host} (subscription {id}) has been failing since {since}, at last with: {problem}.",
    "If it goes on, it is disabled on {disables}.",
    "GET /v1/subscriptions/{id}/deliveries shows the attempts, and POST /v1/subscriptions/{id}/test tries it now.",
)
DISABLED_NEWS: Final = (
    "Webhooks to {host} are disabled",
    "The endpoint at {host} (subscription {id}), which has been failing since {since}, is disabled: {problem}.",
    "Nothing is sent to it any more; what it would have got is recorded as failed.",
    "When it is repaired, POST /v1/subscriptions/{id}/recover?since={instant} enables it and sends again what failed.",
)


class MailKind(StrEnum):
    FRESH_LINK = "fresh_link"
    ENDPOINT = "endpoint"
    ANSWER = "answer"
    PARTITION = "partition"


class MailState(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    ON_HOLD = "on_hold"


@dataclass(frozen=True, slots=True)
class ServiceMail:
    """A mail to write and send. `data`: of the event, for news of an endpoint; words, for that of an answer; `HaltNews`.

    `attempts`: how many were made.
    """

    id: str
    kind: MailKind
    address: str
    data: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class MailEnd:
    """What became of it: final, or pending until `next_at` (real time)."""

    mail: ServiceMail
    state: MailState
    detail: str
    next_at: datetime | None = None


class ServiceMails(Protocol):
    async def request_link(self, address: str) -> None:
        """Take in that somebody wants a fresh link at this address; too often is the same as once."""
        ...

    async def claim(self) -> tuple[ServiceMail | None, datetime]:
        """A mail that is due, with this real moment; nobody else gets it for `SENDING`."""
        ...

    async def complete(self, end: MailEnd) -> None: ...

    async def is_live(self) -> bool:
        """Whether customers may be written to: the mode of the deployment."""
        ...

    async def contact_at(self, address: str) -> str | None:
        """The contact with this address who may be written to; None: there is none."""
        ...


class Readers(Protocol):
    async def reader(self, contact_id: str) -> Reader | None: ...


@dataclass(frozen=True, slots=True)
class ServiceMailing:
    """How these mails are written and sent. `hold`: why customers get no mail; None: they do."""

    mails: ServiceMails
    readers: Readers
    writer: CustomerWriter
    mailer: Mailer
    hold: str | None = None

    @property
    def book(self) -> PhraseBook:
        return self.writer.book


async def send_service_mail(mailing: ServiceMailing, unwritten: list[MailEnd]) -> bool:
    """Send one that is due. Returns whether there was one.

    `unwritten` keeps the outcome that the database did not take: it is written before another mail goes, so that at most
    one is in doubt, whose sender ended meanwhile.
    """
    if unwritten:
        await mailing.mails.complete(unwritten[0])
        unwritten.clear()
    mail, now = await mailing.mails.claim()
    if mail is None:
        return False
    unwritten.append(await _send(mail, mailing, now))
    await mailing.mails.complete(unwritten[0])
    unwritten.clear()
    return True


async def _send(mail: ServiceMail, mailing: ServiceMailing, now: datetime) -> MailEnd:
    match mail.kind:
        case MailKind.ENDPOINT:
            written = write_endpoint_news(mail, mailing.writer)
        case MailKind.ANSWER:
            written = write_answer_mail(mail, mailing.writer)
        case MailKind.PARTITION:
            written = write_halt_mail(mail, mailing.writer)
        case MailKind.FRESH_LINK:
            written = await _write_link(mail, mailing)
    if isinstance(written, MailEnd):
        return written
    response = await mailing.mailer.send(written, at=now)
    if response.outcome is AttemptOutcome.DELIVERED:
        return MailEnd(mail, MailState.SENT, response.detail)
    if response.is_permanent or mail.attempts >= len(WAITS):
        return MailEnd(mail, MailState.FAILED, response.detail)
    return MailEnd(mail, MailState.PENDING, response.detail, now + WAITS[mail.attempts])


async def _write_link(mail: ServiceMail, mailing: ServiceMailing) -> Mail | MailEnd:
    if mailing.hold is not None:
        return MailEnd(mail, MailState.ON_HOLD, mailing.hold)
    if not await mailing.mails.is_live():
        return MailEnd(mail, MailState.ON_HOLD, Reason.ON_HOLD)
    contact_id = await mailing.mails.contact_at(mail.address)
    reader = await mailing.readers.reader(contact_id) if contact_id else None
    address = reader.contact.email if reader and reader.contact else None
    if contact_id is None or reader is None or address is None:
        return MailEnd(mail, MailState.UNKNOWN, "no contact with this address may be written to")
    writer = mailing.writer
    phrases = writer.book.phrases(reader.tag, reader.zone)
    links = writer.links(contact_id, ())
    words = {key: phrases.text("opt_out", key) for key in ("subject", "body", "button")}
    layout = {
        **layout_of(writer, phrases.language, phrases.direction, words["subject"], [words["body"]]),
        "why": phrases.text("opt_out", "why", organization=writer.organization),
        "page_url": links.page,
        "page_words": words["button"],
        "unsubscribes": [(links.unsubscribe, phrases.text("page", "stop_all"))],
    }
    # As the directory spells it: another spelling of the same address might lead to somebody else.
    return Mail(mail.id, address, render_mail(writer, layout), unsubscribe_url=links.unsubscribe)


def write_endpoint_news(mail: ServiceMail, writer: CustomerWriter) -> Mail:
    """In English: the language of who operates an endpoint is not known."""
    news = SubscriptionNews.read(mail.data)
    subject, *paragraphs = DISABLED_NEWS if news.state == "disabled" else FAILING_NEWS
    since, phrases = news.failing_since or news.at, writer.book.phrases("en")
    values = {
        "id": news.subscription_id,
        "host": news.host,
        "problem": news.problem,
        "since": phrases.moment(since),
        "instant": format_instant(since),
        "disables": phrases.moment(news.disables_at or news.at),
    }
    texts = [paragraph.format_map(values) for paragraph in paragraphs]
    layout = {
        **layout_of(writer, "en", "ltr", message.one_line(subject.format_map(values)), texts),
        "why": f"You get this because you are the contact for webhooks of {writer.organization}.",
    }
    return Mail(mail.id, mail.address, render_mail(writer, layout))


def write_halt_mail(mail: ServiceMail, writer: CustomerWriter) -> Mail:
    """In English, as all that operators read: logs, alerts, the runbook."""
    news = HaltNews.read(mail.data)
    subject, *paragraphs = HALTED_NEWS if news.state == "halted" else RESUMED_NEWS
    at = writer.book.phrases("en").moment(news.at)
    values = {**news.place._asdict(), "reason": news.reason, "at": at}
    texts = [paragraph.format_map(values) for paragraph in paragraphs]
    layout = {
        **layout_of(writer, "en", "ltr", message.one_line(subject.format_map(values)), texts),
        "why": f"You get this because {writer.organization} has named this address for what nobody else is told of.",
    }
    return Mail(mail.id, mail.address, render_mail(writer, layout))


def write_answer_mail(mail: ServiceMail, writer: CustomerWriter) -> Mail:
    """As it was written when the answer came in; an answer to it goes to who answered."""
    answer = AnswerMessage.read(mail.data)
    layout = {
        **layout_of(writer, answer.language, answer.direction, answer.subject, answer.paragraphs),
        "why": answer.why,
        "page_url": answer.url,
        "page_words": answer.button,
    }
    reply_to = Mailbox(*answer.reply_to) if answer.reply_to else None
    return Mail(mail.id, mail.address, render_mail(writer, layout), reply_to=reply_to)


def layout_of(
    writer: CustomerWriter, language: str, direction: str, subject: str, paragraphs: Sequence[str]
) -> dict[str, object]:
    """What the layout of such a mail is filled with: these paragraphs of plain text."""
    html = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    return {
        "language": language,
        "direction": direction,
        "subject": subject,
        "preheader": "",
        "padding": "",
        "sections": [{"html": html, "text": "\n\n".join(paragraphs)}],
        "is_joint": False,
        "page_url": "",
        "page_words": "",
        "unsubscribes": [],
        "organization": writer.organization,
        "postal_address": writer.postal_address,
        "test": "",
    }


def render_mail(writer: CustomerWriter, layout: Mapping[str, object]) -> message.Message:
    """The mail of such a layout."""
    return message.Message(
        subject=message.header(str(layout["subject"])),
        text=writer.render("customer.txt", layout, html=False),
        html=writer.render("customer.html", layout, html=True),
    )
