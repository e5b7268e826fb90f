"""What a person of ours reads about one touchpoint: what is new, whom to talk to, why, and how to act."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from babel.dates import format_time

from schemas.directory import ContactRecord
from schemas.figures import AccountFigures
from schemas.touchpoints import TouchpointData
from services.cadence.content.parse import ContentFile
from services.cadence.content.render import Rendered, render_content
from services.cadence.content.values import Value
from services.notifier.application.message_content import find_content, names_read
from services.notifier.application.phrases import Phrases
from services.notifier.application.ports import MessageClaim
from services.notifier.domain.acts import allowed_acts
from services.notifier.domain.customer_policy import ROLES
from services.notifier.domain.delivery import RecipientKind
from services.notifier.domain.event import News
from services.notifier.domain.owner_policy import is_handed_over, is_owned_by_person, is_stranger
from services.notifier.domain.situation import Directory, Situation

MOST_CONTACTS: Final = 4
OPEN: Final = frozenset({News.DUE, News.OVERDUE, News.REASSIGNED})

ActionUrl = Callable[[str, str | None], str]
"""Makes the address at which a person (None: the mailbox) acts on a touchpoint."""


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
    """The words about one touchpoint. Empty: nothing to say."""

    title: str
    time: str
    news: Sequence[str] = ()
    people: Sequence[PersonLine] = ()
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
    sent: Sequence[str] = ()
    buttons: Sequence[Button] = ()


@dataclass(frozen=True, slots=True)
class BriefContext:
    """What briefs are written from. `figures` by account."""

    directory: Directory
    phrases: Phrases
    now: datetime
    figures: Mapping[str, AccountFigures]
    action_url: ActionUrl
    is_day: bool


def write_brief(claim: MessageClaim, context: BriefContext) -> Brief:
    """The brief of a claim. What has ended, or belongs to others now, has no more than its news."""
    data = touchpoint_of(claim)
    situation = context.directory.situation_of(claim.event)
    title = context.phrases.touchpoint_type(data.touchpoint_type)
    news = tuple(news_of(claim, data, situation, context))
    if not is_open_for(claim):
        return Brief(title, "", news, is_open=False)
    figures = context.figures.get(data.account_id)
    content, rendered = _content(claim, data, figures, context)
    says = names_read(content) if content and rendered else frozenset[str]()
    title_of_note, note = _note(figures, context.phrases)
    return Brief(
        title=title,
        time=time_of(data, context),
        news=news,
        people=() if "contact.list" in says else people_of(data, situation, context.phrases),
        body_html=rendered.html if rendered else "",
        body_text=rendered.text if rendered else "",
        purpose="" if rendered else data.purpose,
        reason="" if "touchpoint.reason" in says else data.reason.text,
        agenda=() if "agenda.list" in says else (content.agenda if content else ()) or data.agenda,
        preparation=content.preparation if content and "preparation.list" not in says else (),
        expects="" if "expects.text" in says else (content.expects if content else "") or data.expects,
        note_title=title_of_note,
        note="" if "conversation.notes" in says else note,
        sent=() if "customer.sent" in says else sent_lines(data.account_id, context),
        buttons=buttons_of(claim, data, situation, context),
    )


def touchpoint_of(claim: MessageClaim) -> TouchpointData:
    """People of ours hear of touchpoints only."""
    content = claim.event.content
    if not isinstance(content, TouchpointData):
        raise TypeError(f"{claim.event.id} is about no touchpoint")
    return content


def is_open_for(claim: MessageClaim) -> bool:
    """Whether the recipient has something to do about it."""
    event = claim.event
    was_theirs = claim.delivery.recipient.id == event.previous_csm_id
    return event.news in OPEN and not (event.news is News.REASSIGNED and was_theirs)


def news_of(
    claim: MessageClaim, data: TouchpointData, situation: Situation, context: BriefContext
) -> list[str]:
    """What happened to it, in sentences."""
    event, phrases = claim.event, context.phrases
    match event.news:
        case News.CANCELLED:
            return [_because(phrases, "cancelled", data.note)]
        case News.MOVED:
            before = phrases.moment(data.previous_due_at or data.due_at)
            return [_because(phrases, "moved", data.note, before=before, after=phrases.moment(data.due_at))]
        case News.REASSIGNED:
            return [_change_of_owner(claim, data, context)]
        case News.OVERDUE:
            moment = phrases.moment(data.deadline or data.due_at)
            return [phrases.text("owner", "overdue", moment=moment), *_whose(claim, data, situation, context)]
        case News.DUE:
            return _whose(claim, data, situation, context)


def _because(phrases: Phrases, key: str, note: str | None, **values: str) -> str:
    if note:
        return phrases.text("owner", f"{key}_because", note=note, **values)
    return phrases.text("owner", key, **values)


def _change_of_owner(claim: MessageClaim, data: TouchpointData, context: BriefContext) -> str:
    phrases, before = context.phrases, data.previous_owner
    if not is_open_for(claim):
        new = _name(data.owner.csm_id, data.owner.name, context)
        return phrases.text("owner", "given", name=new) if new else phrases.text("owner", "given_to_nobody")
    if claim.delivery.recipient.id != data.owner.csm_id:
        return phrases.text("owner", "unowned")
    old = _name(before.csm_id, before.name, context) if before else ""
    return phrases.text("owner", "yours_from", name=old) if old else phrases.text("owner", "yours")


def _whose(
    claim: MessageClaim, data: TouchpointData, situation: Situation, context: BriefContext
) -> list[str]:
    """Why it is told to somebody who does not own it."""
    event, phrases = claim.event, context.phrases
    if is_handed_over(event):
        return [phrases.text("owner", "by_hand", channel=phrases.channel(data.channel))]
    if not is_owned_by_person(event):
        account = account_name(data, context)
        return [phrases.text("owner", "unreachable", account=account)]
    if not is_stranger(event, claim.delivery.recipient, situation):
        return []
    name = _name(data.owner.csm_id, data.owner.name, context)
    return [phrases.text("owner", "of_person", name=name) if name else phrases.text("owner", "unowned")]


def _name(csm_id: str | None, in_event: str | None, context: BriefContext) -> str:
    """The name of a person of ours; empty for nobody and for an id that nobody described."""
    person = context.directory.csms.get(csm_id or "")
    return (person.name if person else None) or in_event or (person.email if person else None) or ""


def account_name(data: TouchpointData, context: BriefContext) -> str:
    """The account's name, its id only where nobody told a name."""
    account = context.directory.accounts.get(data.account_id)
    return (account.name if account else None) or data.account_name or data.account_id


def time_of(data: TouchpointData, context: BriefContext) -> str:
    """When it is due: the time alone for today in the mail of the day."""
    phrases, local = context.phrases, data.due_at.astimezone(context.phrases.zone)
    channel = phrases.channel(data.channel)
    is_today = local.date() == context.now.astimezone(phrases.zone).date()
    if context.is_day and is_today:
        time = format_time(local, "short", locale=phrases.formatter.locale)
        when = f"{time} {phrases.formatter.zone_name(local)}"
    else:
        key = "planned" if data.due_at > context.now else "due"
        when = phrases.text("owner", key, moment=phrases.moment(data.due_at))
    parts = [when, channel]
    if data.deadline is not None:
        parts.append(phrases.text("owner", "deadline", moment=phrases.moment(data.deadline)))
    return " · ".join(parts)


def people_of(data: TouchpointData, situation: Situation, phrases: Phrases) -> tuple[PersonLine, ...]:
    """The contacts to talk to: those of the audience first, then by role."""
    contacts = situation.account.contacts if situation.account else ()
    present = [contact for contact in contacts if not contact.left]

    def rank(contact: ContactRecord) -> tuple[bool, int, str]:
        role = ROLES.index(contact.role) if contact.role else len(ROLES)
        return contact.role not in data.audience, role, contact.contact_id

    return tuple(
        PersonLine(
            name=contact.name or contact.email or contact.phone or "",
            role=phrases.text("roles", contact.role) if contact.role else "",
            phone=contact.phone or "",
            email=contact.email or "",
        )
        for contact in sorted(present, key=rank)[:MOST_CONTACTS]
        if contact.name or contact.email or contact.phone
    )


def _content(
    claim: MessageClaim, data: TouchpointData, figures: AccountFigures | None, context: BriefContext
) -> tuple[ContentFile | None, Rendered | None]:
    """The content for owners of this type, and what it says here; None where it says nothing."""
    language, phrases = context.phrases.language, context.phrases
    content = find_content(context.directory.contents, data.touchpoint_type, "owner", language)
    if content is None:
        return None, None
    values: Mapping[str, Value | None] = owner_values(claim, data, figures, context)
    rendered = render_content(content, values, language=language, zone=phrases.zone)
    return content, None if rendered.is_empty else rendered


def owner_values(
    claim: MessageClaim, data: TouchpointData, figures: AccountFigures | None, context: BriefContext
) -> Mapping[str, Value | None]:
    """The values of the placeholders that an owner may read."""
    return {}


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
    url = context.action_url(data.touchpoint_id, person_id)
    return tuple(Button(context.phrases.text("acts", act), f"{url}?do={act}") for act in acts)
