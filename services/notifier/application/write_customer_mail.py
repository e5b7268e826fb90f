"""Write what a contact at the customer gets, from the content of its type in the contact's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from schemas.directory import ContactRecord, CsmRecord
from schemas.vocabulary import Topic
from schemas.zones import UTC_ZONE, TimeZone, UnknownZone, find_zone
from services.cadence.content.parse import ContentFile
from services.cadence.content.render import Rendered, render_content
from services.notifier.application.message_content import find_content
from services.notifier.application.message_facts import MessageFacts
from services.notifier.application.message_values import (
    NO_INVITATION,
    Links,
    MessageContext,
    Values,
    customer_values,
    program_of,
)
from services.notifier.application.phrases import PhraseBook, Phrases
from services.notifier.domain import message
from services.notifier.domain.event import Event
from services.notifier.domain.people import Account

MOST_TITLE: Final = 200
_BEHIND_PREHEADER: Final = "\u00a0\u200c" * 80
"""Fills the preview of mail programs, which otherwise goes on with the first words of the body."""


class MakeLinks(Protocol):
    """Makes the addresses of the contact's page (None: of a test) and of the end of these topics (none: of all)."""

    def __call__(self, contact_id: str | None, topics: Sequence[Topic]) -> Links: ...


@dataclass(frozen=True, slots=True)
class CustomerWriter:
    """How customers are written to. `organization`, `postal_address`: who writes, in the footer."""

    render: message.Render
    book: PhraseBook
    links: MakeLinks
    organization: str
    postal_address: str


@dataclass(frozen=True, slots=True)
class Reader:
    """A contact with the account and who leads it. `language` overrides that of the contact."""

    account: Account | None
    contact: ContactRecord | None
    csm: CsmRecord | None = None
    language: str | None = None

    @property
    def tag(self) -> str | None:
        """The language of the contact, else of the account."""
        own = (self.contact.language if self.contact else None) or (
            self.account.language if self.account else None
        )
        return self.language or own

    @property
    def zone(self) -> TimeZone:
        """The zone of the contact, else the first of the account, else UTC."""
        zones = self.account.zones if self.account else ()
        name = (self.contact.timezone if self.contact else None) or next(iter(zones), None)
        try:
            return find_zone(name) if name else UTC_ZONE
        except UnknownZone:
            return UTC_ZONE


@dataclass(frozen=True, slots=True)
class Section:
    """The body of a message, and what its layout says of it: why the reader gets it, and how they end its topic."""

    subject: str
    preheader: str
    html: str
    text: str
    topic: Topic | None
    unsubscribe_url: str
    account_name: str | None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """A message as a contact gets it. `program_id`: what it presents; `page_url`: of the contact's page.

    `is_once`: it presents what was announced, which a contact gets once. A message about a program of its own, such as
    the reminder of a webinar, is not.
    """

    message: message.Message
    section: Section
    language: str
    missing: tuple[str, ...]
    program_id: str | None
    is_once: bool
    page_url: str = ""

    @property
    def body(self) -> str:
        """Its text without the layout."""
        return self.section.text

    @property
    def unsubscribe_url(self) -> str:
        return self.section.unsubscribe_url


@dataclass(frozen=True, slots=True)
class NoContent:
    """Nothing is sent: `detail` says which file or value is missing."""

    detail: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be written at a moment of service time. `contents`: the content files about its type.

    `presented`: programs that the contact got already. The links of a test change nothing. `more`: values that only this
    message has. `why`: why the reader gets it, where they are no contact; then it has no links.
    """

    event: Event
    content: ContentFile
    reader: Reader
    facts: MessageFacts
    now: datetime
    contents: Mapping[str, str]
    presented: frozenset[str] = frozenset()
    is_test: bool = False
    more: Values = field(default_factory=lambda: NO_INVITATION)
    why: str | None = None


def content_of(event: Event, reader: Reader, contents: Mapping[str, str]) -> ContentFile | None:
    """The content for this customer; None: there is none."""
    return find_content(contents, event.message_type, "customer", reader.tag)


def missing_content(event: Event) -> NoContent:
    return NoContent(f"no content for customers about {event.message_type}")


def write_customer_message(draft: Draft, writer: CustomerWriter) -> CustomerMessage | NoContent:
    """The message, or why there is none."""
    rendered = render_customer_message(draft, writer)
    return rendered if isinstance(rendered, NoContent) else lay_out(rendered, draft, writer)


def render_customer_message(draft: Draft, writer: CustomerWriter) -> Rendered | NoContent:
    """The message without the layout around it, or why there is none."""
    context, content = context_of(draft, writer), draft.content
    program = program_of(context) if content.program else None
    is_once = program is not None and context.about is None
    if program is not None and is_once and program.program_id in draft.presented:
        return NoContent(f"the contact got {program.program_id} already, and nothing newer is announced")
    language = draft.reader.tag or content.language
    rendered = render_content(content, customer_values(context), language=language, zone=context.phrases.zone)
    if rendered.is_empty:
        return NoContent(_empty_text(content, rendered), rendered.missing)
    return rendered


def lay_out(rendered: Rendered, draft: Draft, writer: CustomerWriter) -> CustomerMessage:
    """The message in its layout, with the links of its reader."""
    context, content = context_of(draft, writer), draft.content
    program = program_of(context) if content.program else None
    is_once = program is not None and context.about is None
    section = _section(rendered, context, draft)
    return CustomerMessage(
        message=write_in_layout(
            [section], context.phrases, writer, page_url=context.links.page, is_test=draft.is_test
        ),
        section=section,
        language=content.language,
        missing=rendered.missing,
        program_id=program.program_id if program is not None else None,
        is_once=is_once,
        page_url=context.links.page,
    )


def context_of(draft: Draft, writer: CustomerWriter) -> MessageContext:
    """What the message is written from."""
    reader, event = draft.reader, draft.event
    contact_id = reader.contact.contact_id if reader.contact and not draft.is_test else None
    return MessageContext(
        event=event,
        now=draft.now,
        phrases=writer.book.phrases(draft.content.language, reader.zone),
        organization=writer.organization,
        account=reader.account,
        contact=reader.contact,
        csm=reader.csm,
        facts=draft.facts,
        links=writer.links(contact_id, topics_of(event)) if draft.why is None else Links(),
        contents=draft.contents,
        more=draft.more,
    )


def topics_of(event: Event) -> list[Topic]:
    return [event.content.topic] if event.content.topic is not None else []


def _empty_text(content: ContentFile, rendered: Rendered) -> str:
    unknown = [name for name in content.needs if name in rendered.missing] or list(rendered.missing)
    names = ", ".join(unknown)
    return f"{content.file}: {names} not known" if names else f"{content.file}: nothing is left to say"


def _section(rendered: Rendered, context: MessageContext, draft: Draft) -> Section:
    account = context.account
    return Section(
        subject=message.one_line(rendered.subject, MOST_TITLE),
        preheader=rendered.preheader,
        html=rendered.html,
        text=rendered.text,
        topic=context.event.content.topic,
        unsubscribe_url=context.links.unsubscribe,
        account_name=message.one_line(account.name, 80) if account and account.name else None,
        why=draft.why,
    )


def write_in_layout(
    sections: Sequence[Section],
    phrases: Phrases,
    writer: CustomerWriter,
    *,
    page_url: str,
    is_test: bool = False,
) -> message.Message:
    """The bodies in one layout: why the reader gets them (S215), the links, and who writes from where.

    Several have the subject of the first one, which says that there is more, and each its own as a heading.
    """
    first, is_joint = sections[0], len(sections) > 1
    joint = phrases.text("mail", "joint_subject", subject=first.subject)
    subject = message.one_line(joint, MOST_TITLE) if is_joint else first.subject
    preheader = " · ".join(one.subject for one in sections[1:]) if is_joint else first.preheader
    layout = {
        "language": phrases.language,
        "direction": phrases.direction,
        "subject": subject,
        "preheader": preheader,
        "padding": _BEHIND_PREHEADER if preheader else "",
        "sections": sections,
        "is_joint": is_joint,
        "why": _why(sections, phrases, writer.organization),
        "page_url": page_url,
        "page_words": phrases.text("mail", "page"),
        "unsubscribes": _unsubscribes(sections, phrases),
        "organization": writer.organization,
        "postal_address": writer.postal_address,
        "test": phrases.text("mail", "test") if is_test else "",
    }
    return message.Message(
        subject=message.header(f"[Test] {subject}" if is_test else subject),
        text=writer.render("customer.txt", layout, html=False),
        html=writer.render("customer.html", layout, html=True),
    )


def _why(sections: Sequence[Section], phrases: Phrases, organization: str) -> str:
    first = sections[0]
    if first.why is not None:
        return first.why
    topics = dict.fromkeys(phrases.topic(one.topic or "account") for one in sections)
    values = {"organization": organization, "topic": phrases.formatter.enumeration(list(topics))}
    if first.account_name is None:
        return phrases.text("mail", "why_without_account", **values)
    return phrases.text("mail", "why", account=first.account_name, **values)


def _unsubscribes(sections: Sequence[Section], phrases: Phrases) -> list[tuple[str, str]]:
    """The address and the words of the link that ends each topic."""
    links = {one.topic or "account": one.unsubscribe_url for one in sections if one.unsubscribe_url}
    return [
        (url, phrases.text("mail", "unsubscribe", topic=phrases.topic(topic))) for topic, url in links.items()
    ]
