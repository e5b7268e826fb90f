"""Send messages: decide once more on each claimed delivery, write the mail, send it, derive the result."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.notifier.application.ingest_events import PATIENCE, POSTED, in_app_message, messages_of
from services.notifier.application.message_facts import MessageFacts
from services.notifier.application.ports import ClaimResult, Mailer, MessageClaim, Now
from services.notifier.application.send_to_customers import (
    CustomerSending,
    customer_mail,
    gather_customer_facts,
    post_to_customer,
    reader_of,
    write_for_customer,
)
from services.notifier.application.write_owner_mail import write_owner_mail
from services.notifier.domain import message
from services.notifier.domain.delivery import AttemptOutcome, RecipientKind, Response, State
from services.notifier.domain.delivery_policy import Action, DeliveryDecision, Reason, decide_delivery
from services.notifier.domain.retry import after_attempt
from services.notifier.domain.situation import Directory, Situation


@dataclass(frozen=True, slots=True)
class Sending:
    """How mails are written and sent. `mail_hold`: why customers get no mail."""

    mailer: Mailer
    render: message.Render
    customers: CustomerSending
    mail_hold: str | None = None


async def send_messages(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, *, sending: Sending
) -> list[ClaimResult]:
    """A result for every claim. Facts are asked for once for all of them, and mails are sent concurrently."""
    facts = await gather_customer_facts(claims, directory, sending.customers)
    batch = [_send_safely(claim, directory, facts, now, sending) for claim in claims]
    return list(await asyncio.gather(*batch))


async def _send_safely(
    claim: MessageClaim, directory: Directory, facts: Mapping[str, MessageFacts], now: Now, sending: Sending
) -> ClaimResult:
    """One mail that cannot be written must not stop the others of its batch."""
    try:
        return await _send(claim, directory, facts, now, sending)
    except Exception as problem:  # noqa: BLE001
        detail = f"the mail could not be written: {problem!r}"[:500]
        return _attempted(claim, Response(AttemptOutcome.REFUSED, detail, is_permanent=True), now)


async def _send(
    claim: MessageClaim, directory: Directory, facts: Mapping[str, MessageFacts], now: Now, sending: Sending
) -> ClaimResult:
    delivery, event = claim.delivery, claim.event
    # What does not wait for the directory was known at ingest: whoever is unknown now has been deleted.
    has_waited = claim.waits_until is None or now.real >= claim.waits_until
    situation = directory.situation_of(event, mail_hold=sending.mail_hold, has_waited=has_waited)
    if delivery.recipient.id is None:
        new = messages_of(event, directory, situation, now)
        recipients = [(replacement.recipient, replacement.channel) for replacement in new]
        if (delivery.recipient, delivery.channel) not in recipients:
            return ClaimResult(claim, delivery, replacements=tuple(new))
    decision = decide_delivery(event, delivery.recipient, delivery.channel, situation, now.service)
    if decision.action is not Action.SEND:
        return _not_sent(claim, decision, now)
    if delivery.recipient.kind is RecipientKind.CONTACT and decision.send_after is None:
        own = facts.get(delivery.id, MessageFacts())
        return await _send_to_customer(claim, directory, situation, own, now, sending)
    if delivery.channel == "in_app":
        posted = delivery.finished(State.SENT, POSTED)
        return ClaimResult(claim, posted, in_app=in_app_message(event, directory))
    if decision.send_after is not None:
        postponed = delivery.postponed(now.real, decision.text)
        return ClaimResult(claim, postponed, send_after=decision.send_after)
    mail = write_owner_mail(claim, situation, sending.render)
    return _attempted(claim, await sending.mailer.send(mail, at=now.real), now, address=mail.to)


async def _send_to_customer(
    claim: MessageClaim,
    directory: Directory,
    situation: Situation,
    facts: MessageFacts,
    now: Now,
    sending: Sending,
) -> ClaimResult:
    reader = reader_of(claim.delivery.recipient.id, directory, situation)
    written = write_for_customer(claim, directory, reader, facts, now, sending.customers)
    if isinstance(written, ClaimResult):
        return written
    if claim.delivery.channel == "in_app":
        return post_to_customer(claim, written)
    mail = customer_mail(claim, written, reader)
    response = await sending.mailer.send(mail, at=now.real)
    return replace(_attempted(claim, response, now, address=mail.to), program_id=written.program_id)


def _not_sent(claim: MessageClaim, decision: DeliveryDecision, now: Now) -> ClaimResult:
    match decision.action:
        case Action.SUPPRESS:
            return ClaimResult(claim, claim.delivery.finished(State.SUPPRESSED, decision.text))
        case Action.EXPIRE:
            return ClaimResult(claim, claim.delivery.finished(State.EXPIRED, _expiry(claim, decision)))
        case _:
            until = claim.waits_until or now.real + PATIENCE
            return ClaimResult(claim, claim.delivery.postponed(until, decision.text))


def _expiry(claim: MessageClaim, decision: DeliveryDecision) -> str:
    """What waited for facts until its deadline expires for that reason."""
    waited = (claim.delivery.reason or "").startswith(Reason.NO_FIGURES)
    return claim.delivery.reason or "" if waited and decision.reason is Reason.DEADLINE else decision.text


def _attempted(claim: MessageClaim, response: Response, now: Now, address: str | None = None) -> ClaimResult:
    delivery, attempt = after_attempt(claim.delivery, response, at=now.real, first_at=claim.first_at)
    is_unknown = response.is_unknown_address and response.outcome is AttemptOutcome.REFUSED
    return ClaimResult(
        claim,
        delivery,
        attempt=attempt,
        response=response,
        address=address,
        is_unknown_address=is_unknown and address is not None,
    )
