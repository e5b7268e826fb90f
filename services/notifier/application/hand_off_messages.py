"""Hand messages off: an automation platform gets what Drumbeat would write, and Drumbeat itself sends nothing.

The platform gets all contacts who may be written to in one webhook. Without a platform that takes it somebody of ours is
told.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.hand_off import HandOffContent, HandOffRecipient
from services.cadence.content.format import Formatter, is_known, locale_of
from services.cadence.content.parse import ContentFile
from services.cadence.content.values import Chart, Items, Link, Markdown, Value
from services.notifier.application.ingest_events import new_delivery
from services.notifier.application.message_content import names_read
from services.notifier.application.message_facts import MessageFacts
from services.notifier.application.message_values import customer_values, program_of
from services.notifier.application.ports import ClaimResult, MessageClaim, NewDelivery
from services.notifier.application.send_to_customers import CustomerBatch, handed_off_readers, without_facts
from services.notifier.application.write_customer_mail import (
    Draft,
    NoContent,
    Reader,
    content_of,
    context_of,
    missing_content,
    render_customer_message,
)
from services.notifier.domain.decision import (
    Action,
    DeliveryDecision,
    Reason,
    RecipientDecision,
    suppress,
)
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import CONTENT, Event
from services.notifier.domain.hand_off import HandOffAudience, find_hand_off_audience
from services.notifier.domain.owner_policy import decide_fallback


@dataclass(frozen=True, slots=True)
class _HandOff:
    """A message that is handed off at this moment to this platform."""

    claim: MessageClaim
    platform: str
    audience: HandOffAudience
    batch: CustomerBatch

    @property
    def event(self) -> Event:
        return self.claim.event


def hand_off(claim: MessageClaim, batch: CustomerBatch) -> ClaimResult | None:
    """The result of a claim whose message a platform writes; None: Drumbeat writes it."""
    situation = batch.situations[claim.delivery.id]
    platform = situation.handling.hand_off
    if platform is None or not claim.event.is_handed_off(platform):
        return None
    audience = find_hand_off_audience(claim.event, situation, batch.now.service)
    this = _HandOff(claim, platform, audience, batch)
    takers = [one for one in batch.directory.platforms if one.takes(platform, claim.event)]
    if not takers:
        return _replaced(this, _for_our_people(this))
    problem = next(filter(None, (facts.problem for facts in _facts_of(this))), None)
    if problem is not None:
        return without_facts(claim, problem, batch.now)
    recipients, refused = _write_all(this)
    event = _with_content(this, recipients)
    webhooks = [
        NewDelivery(event, "webhook", Recipient(RecipientKind.SUBSCRIPTION, one.id), next_at=batch.now.real)
        for one in takers
    ]
    return _replaced(this, _decisions(this, recipients, refused), webhooks)


def _replaced(
    this: _HandOff, decisions: Sequence[RecipientDecision], webhooks: Sequence[NewDelivery] = ()
) -> ClaimResult:
    """One delivery for each contact instead of the one for all."""
    directory, now = this.batch.directory, this.batch.now
    deliveries = [new_delivery(this.event, one, directory, now) for one in decisions]
    return ClaimResult(this.claim, this.claim.delivery, replacements=(*deliveries, *webhooks))


def _for_our_people(this: _HandOff) -> list[RecipientDecision]:
    """Nobody takes it: each contact has that as the reason, and somebody of ours is told."""
    situation, now = this.batch.situations[this.claim.delivery.id], this.batch.now.service
    missing = suppress(Reason.NO_PLATFORM, this.platform)
    decisions = dict.fromkeys(this.audience.opens_at, missing) | dict(this.audience.refused)
    return [*_of_contacts(this, decisions), *decide_fallback(this.event, situation, now)]


def _of_contacts(this: _HandOff, decisions: Mapping[Recipient, DeliveryDecision]) -> list[RecipientDecision]:
    channel = this.event.customer_channel
    return [RecipientDecision(recipient, channel, decision) for recipient, decision in decisions.items()]


def _decisions(
    this: _HandOff,
    recipients: Mapping[Recipient, HandOffRecipient],
    refused: Mapping[Recipient, DeliveryDecision],
) -> list[RecipientDecision]:
    """Those whom the platform got, and those whom it did not get, each with the reason."""
    if recipients:
        without = {
            one: suppress(Reason.HANDED_OFF, f"{this.platform} without this contact: {decision.text}")
            for one, decision in refused.items()
        }
        handed_off = dict.fromkeys(recipients, suppress(Reason.HANDED_OFF, this.platform))
        return _of_contacts(this, {**handed_off, **without})
    decisions = _of_contacts(this, refused)
    if not all(one.decision.leaves_nobody for one in decisions):
        return decisions
    situation = this.batch.situations[this.claim.delivery.id]
    return [*decisions, *decide_fallback(this.event, situation, this.batch.now.service)]


def _readers(this: _HandOff) -> Iterator[tuple[Recipient, Reader, ContentFile | None]]:
    directory, situation = this.batch.directory, this.batch.situations[this.claim.delivery.id]
    for recipient, reader in handed_off_readers(this.audience, directory, situation):
        yield recipient, reader, content_of(this.event, reader, directory.contents)


def _facts_of(this: _HandOff) -> Iterator[MessageFacts]:
    for _, _, content in _readers(this):
        if content is not None:
            yield _facts_for(this, content)


def _facts_for(this: _HandOff, content: ContentFile) -> MessageFacts:
    return this.batch.facts.get(f"{this.claim.delivery.id}:{content.language}", MessageFacts())


def _write_all(
    this: _HandOff,
) -> tuple[dict[Recipient, HandOffRecipient], dict[Recipient, DeliveryDecision]]:
    """Who the platform gets, and who not: those who may not be written to, and those without content."""
    written: dict[Recipient, HandOffRecipient] = {}
    refused = dict(this.audience.refused)
    for recipient, reader, content in _readers(this):
        one = _write(this, recipient, reader, content)
        if isinstance(one, NoContent):
            refused[recipient] = DeliveryDecision(Action.EXPIRE, Reason.NO_CONTENT, one.detail)
        else:
            written[recipient] = one
    return written, refused


def _write(
    this: _HandOff, recipient: Recipient, reader: Reader, content: ContentFile | None
) -> HandOffRecipient | NoContent:
    contact = reader.contact
    if content is None or contact is None:
        return missing_content(this.event)
    directory, writer = this.batch.directory, this.batch.sending.writer
    draft = Draft(
        event=this.event,
        content=content,
        reader=reader,
        facts=_facts_for(this, content),
        now=this.batch.now.service,
        contents=directory.contents,
        presented=directory.programs.get(contact.contact_id, frozenset()),
    )
    rendered = render_customer_message(draft, writer)
    if isinstance(rendered, NoContent):
        return rendered
    context = context_of(draft, writer)
    formatter = Formatter(locale_of(content.language), context.phrases.zone)
    program = program_of(context) if content.program else None
    return HandOffRecipient(
        id=contact.contact_id,
        name=contact.name,
        address=contact.email,
        phone=contact.phone,
        not_before=this.audience.opens_at[recipient],
        language=content.language,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        values=values_shown(content, customer_values(context), formatter),
        program_id=program.program_id if program is not None else None,
        page_url=context.links.page,
        unsubscribe_url=context.links.unsubscribe,
    )


def values_shown(
    content: ContentFile, values: Mapping[str, Value | None], formatter: Formatter
) -> dict[str, str]:
    """The known values that the content reads, as its reader sees them: a list has a line each, a link its address."""
    known = {name: value for name in sorted(names_read(content)) if is_known(value := values.get(name))}
    return {
        name: text
        for name, value in known.items()
        if value is not None and (text := _shown(value, formatter))
    }


def _shown(value: Value, formatter: Formatter) -> str:
    match value:
        case Items(lines=lines):
            return "\n".join(lines)
        case Link(url=url):
            return url
        case Markdown(text=text):
            return text
        case Chart():
            return ""  # a picture has no text
        case _:
            return formatter.text(value)


def _with_content(this: _HandOff, recipients: Mapping[Recipient, HandOffRecipient]) -> Event:
    """The event that the platform's webhooks carry: the same with the content, under an id of its own."""
    everyone = tuple(recipients.values())
    first = next(iter(everyone), None)
    texts = first.model_dump(include={"language", "subject", "text", "html", "values"}) if first else {}
    content = HandOffContent(name=this.platform, recipients=everyone, **texts)
    data = {**json.loads(this.event.data), "content": json.loads(content.write())}
    return replace(this.event, id=f"{this.event.id}{CONTENT}", data=json.dumps(data).encode())
