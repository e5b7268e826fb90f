"""What a person of ours reads about one touchpoint: what is new, whom to talk to, why, and how to act."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.directory import ContactRecord
from schemas.figures import AccountFigures
from schemas.touchpoints import TouchpointData
from services.cadence.content.parse import ContentFile
from services.cadence.content.render import Rendered, render_content
from services.notifier.application.brief_context import (
    BriefContext,
    touchpoint_of,
)
from services.notifier.application.message_content import find_content, names_read
from services.notifier.application.note_text import translate_why
from services.notifier.application.owner_news import is_open_for, news_of
from services.notifier.application.owner_values import OwnerContext, owner_values
from services.notifier.application.phrases import Phrases
from services.notifier.application.ports import MessageClaim
from services.notifier.domain.acts import Act, allowed_acts
from services.notifier.domain.customer_policy import ROLES
from services.notifier.domain.delivery import RecipientKind
from services.notifier.domain.event import News
from services.notifier.domain.people import Account
from services.notifier.domain.situation import Situation

MOST_CONTACTS: Final = 4
AFTERWARDS: Final = frozenset({Act.DONE, Act.MISSED})
"""What nobody says of a touchpoint before it takes place."""


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A contact at the customer."""

    name: str
    role: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Brief:
    """The words about one touchpoint. Empty: nothing to say. `missing`: placeholders of its content without a value."""

    title: str
    time: str
    news: Sequence[str] = ()
    people: tuple[PersonLine, ...] = ()
    is_open: bool = True
    body_html: str = ""
    body_text: str = ""
    purpose: str = ""
    reason: str = ""
    agenda: Sequence[str] = ()
    preparation: Sequence[str] = ()
    expects: str = ""
    note_title: str = ""
    note: str = ""
    sent: tuple[str, ...] = ()
    buttons: Sequence[Button] = ()
    missing: tuple[str, ...] = ()


def write_brief(claim: MessageClaim, context: BriefContext) -> Brief:
    """The brief of a claim. What has ended, or belongs to others now, has no more than its news."""
    data = touchpoint_of(claim)
    situation = context.directory.situation_of(claim.event)
    title = context.phrases.touchpoint_type(data.touchpoint_type)
    news = tuple(news_of(claim, data, situation, context))
    if not is_open_for(claim):
        return Brief(title, "", news, is_open=False)
    figures = context.figures.get(claim.delivery.id)
    content, rendered = _content(claim, data, figures, context)
    says = names_read(content) if content and rendered else frozenset[str]()
    title_of_note, note = _note(figures, context.phrases)
    return Brief(
        title=title,
        time=time_of(data, context, with_deadline=claim.event.news not in (News.OVERDUE, News.AT_RISK)),
        news=news,
        people=() if "contact.list" in says else people_of(data, situation, context.phrases),
        body_html=rendered.html if rendered else "",
        body_text=rendered.text if rendered else "",
        purpose="" if rendered else data.purpose,
        reason="" if "touchpoint.reason" in says else translate_why(data.reason.text, context.phrases),
        agenda=() if "agenda.list" in says else (content.agenda if content else ()) or data.agenda,
        preparation=content.preparation if content and "preparation.list" not in says else (),
        expects="" if "expects.text" in says else (content.expects if content else "") or data.expects,
        note_title=title_of_note,
        note="" if "conversation.notes" in says else note,
        sent=() if "customer.sent" in says else sent_lines(data.account_id, context),
        buttons=buttons_of(claim, data, situation, context),
        missing=rendered.missing if rendered else (),
    )


def time_of(data: TouchpointData, context: BriefContext, *, with_deadline: bool) -> str:
    """When and how: the time alone for today in the mail of the day; internal work has no channel."""
    phrases, local = context.phrases, data.due_at.astimezone(context.phrases.zone)
    is_today = local.date() == context.now.astimezone(phrases.zone).date()
    if context.is_day and is_today:
        when = phrases.formatter.time(local)
    else:
        key = "planned" if data.due_at > context.now else "due"
        when = phrases.text("owner", key, moment=phrases.moment(data.due_at))
    parts = [when] if data.topic is None else [when, phrases.channel(data.channel)]
    if data.deadline is not None and with_deadline:
        parts.append(phrases.text("owner", "deadline", moment=phrases.moment(data.deadline)))
    return " · ".join(parts)


def contacts_of(data: TouchpointData, account: Account | None) -> list[ContactRecord]:
    """The contacts to talk to: those of the audience first, then by role."""
    present = [contact for contact in account.contacts if not contact.left] if account else []

    def rank(contact: ContactRecord) -> tuple[bool, int, str]:
        role = ROLES.index(contact.role) if contact.role else len(ROLES)
        return contact.role not in data.audience, role, contact.contact_id

    known = [contact for contact in present if contact.name or contact.email or contact.phone]
    return sorted(known, key=rank)[:MOST_CONTACTS]


def people_of(data: TouchpointData, situation: Situation, phrases: Phrases) -> tuple[PersonLine, ...]:
    return tuple(
        PersonLine(
            name=contact.name or contact.email or contact.phone or "",
            role=phrases.text("roles", contact.role) if contact.role else "",
            phone=contact.phone or "",
            email=contact.email or "",
        )
        for contact in contacts_of(data, situation.account)
    )


def _content(
    claim: MessageClaim, data: TouchpointData, figures: AccountFigures | None, context: BriefContext
) -> tuple[ContentFile | None, Rendered | None]:
    """The content for owners of this type, and what it says here; None where it says nothing."""
    language, phrases, directory = context.phrases.language, context.phrases, context.directory
    content = find_content(directory.contents, data.touchpoint_type, "owner", language)
    if content is None:
        return None, None
    account = directory.accounts.get(data.account_id)
    lead = data.owner.csm_id or (account.csm_id if account else None)
    values = owner_values(
        OwnerContext(
            event=claim.event,
            data=data,
            content=content,
            phrases=phrases,
            now=context.now,
            organization=context.organization,
            account=account,
            contacts=contacts_of(data, account),
            person=directory.csms.get(lead or ""),
            sales=directory.csms.get((account.sales_id if account else None) or ""),
            figures=figures,
            sent=sent_lines(data.account_id, context),
        )
    )
    rendered = render_content(content, values, language=language, zone=phrases.zone)
    return content, None if rendered.is_empty else rendered


def _note(figures: AccountFigures | None, phrases: Phrases) -> tuple[str, str]:
    conversation = figures.conversation if figures else None
    if conversation is None or not conversation.notes:
        return "", ""
    date = phrases.date(conversation.at.astimezone(phrases.zone).date())
    return phrases.text("owner", "note_on", date=date), conversation.notes


def sent_lines(account_id: str, context: BriefContext) -> tuple[str, ...]:
    """What the customer got lately, the newest first."""
    phrases = context.phrases
    return tuple(
        phrases.text(
            "owner",
            "sent_line",
            type=phrases.touchpoint_type(touchpoint_type),
            date=phrases.date(at.astimezone(phrases.zone).date()),
        )
        for touchpoint_type, at in context.directory.sent.get(account_id, ())
    )


def buttons_of(
    claim: MessageClaim, data: TouchpointData, situation: Situation, context: BriefContext
) -> tuple[Button, ...]:
    """The ways to act: for the owner, for who may take it, or for whoever reads the mailbox."""
    recipient = claim.delivery.recipient
    person_id = None if recipient.kind is RecipientKind.MAILBOX else recipient.id
    person = situation.csms.get(person_id or "")
    acts = allowed_acts(
        data.owner,
        person_id,
        is_owner_known=data.owner.csm_id in situation.csms,
        leads=person is not None and person.role == "manager",
    )
    if claim.event.news is News.REMINDER or data.status == "planned":
        acts = [act for act in acts if act not in AFTERWARDS]
    url = context.action_url(data.touchpoint_id, person_id)
    return tuple(Button(context.phrases.text("acts", act), f"{url}?do={act}") for act in acts)
