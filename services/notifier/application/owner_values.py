"""The values of the placeholders that an owner may read: those of customers, and what only people of ours see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.directory import ContactRecord, CsmRecord
from schemas.figures import AccountFigures
from schemas.touchpoints import TouchpointData
from services.cadence.content.parse import ContentFile
from services.cadence.content.values import Amount, Items, Value
from services.notifier.application.message_facts import MessageFacts
from services.notifier.application.message_values import MessageContext, customer_values
from services.notifier.application.note_text import translate_why
from services.notifier.application.phrases import Phrases
from services.notifier.domain.event import Event, readable_name
from services.notifier.domain.message import sentence_case
from services.notifier.domain.people import Account

Values = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class OwnerContext:
    """What a brief is written from. `person`: who owns the touchpoint or leads the account; `sales`: of the account."""

    event: Event
    data: TouchpointData
    content: ContentFile
    phrases: Phrases
    now: datetime
    organization: str
    account: Account | None
    contacts: Sequence[ContactRecord]
    person: CsmRecord | None
    sales: CsmRecord | None
    figures: AccountFigures | None
    sent: Sequence[str]


def owner_values(context: OwnerContext) -> Values:
    """The values of every placeholder that an owner may read."""
    data, content, phrases = context.data, context.content, context.phrases
    shared = customer_values(
        MessageContext(
            event=context.event,
            now=context.now,
            phrases=phrases,
            organization=context.organization,
            account=context.account,
            contact=next(iter(context.contacts), None),
            csm=context.person,
            facts=MessageFacts(figures=context.figures),
        )
    )
    return {
        **shared,
        **_account(context),
        **_conversation(context.figures, phrases),
        "agenda.list": _items(content.agenda or data.agenda),
        "contact.list": _items([contact_line(contact, phrases) for contact in context.contacts]),
        "customer.sent": _items(context.sent),
        "expects.text": content.expects or data.expects or None,
        "preparation.list": _items(content.preparation),
        "sales.name": (context.sales.name or context.sales.email) if context.sales else None,
        "touchpoint.purpose": data.purpose or None,
        "touchpoint.reason": translate_why(data.reason.text, phrases) or None,
    }


def contact_line(contact: ContactRecord, phrases: Phrases) -> str:
    """Name, role, telephone number and address, as far as they are known."""
    role = phrases.text("roles", contact.role) if contact.role else None
    return ", ".join(filter(None, (contact.name, role, contact.phone, contact.email)))


def _account(context: OwnerContext) -> Values:
    figures, phrases = context.figures, context.phrases
    values: dict[str, Value | None] = {"account.url": context.data.url}
    if figures is None:
        return values
    if figures.arr is not None and figures.currency is not None:
        values["account.arr"] = Amount(figures.arr, figures.currency)
    values["account.segment"] = _word(phrases, "segments", figures.segment)
    values["account.stage"] = _word(phrases, "stages", figures.stage)
    health = (
        _word(phrases, "colors", figures.color),
        None if figures.health_score is None else phrases.formatter.number(figures.health_score),
    )
    values["account.health"] = ", ".join(filter(None, health)) or None
    return values


def _word(phrases: Phrases, section: str, key: str | None) -> str | None:
    if key is None:
        return None
    text = phrases.words[section].get(key)
    return sentence_case(text if isinstance(text, str) else readable_name(key))


def _conversation(figures: AccountFigures | None, phrases: Phrases) -> Values:
    conversation = figures.conversation if figures else None
    if conversation is None:
        return {}
    channel = conversation.channel
    return {
        "conversation.notes": conversation.notes,
        "conversation.by_channel": sentence_case(phrases.channel(channel)) if channel else None,
    }


def _items(lines: Sequence[str]) -> Items | None:
    known = tuple(line for line in lines if line.strip())
    return Items(known) if known else None
