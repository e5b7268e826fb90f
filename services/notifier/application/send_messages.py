"""Send messages: decide once more on each claimed delivery, write the mail, send it, derive the result."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from services.notifier.application.claim_results import attempted, instead_of, not_sent, replaced
from services.notifier.application.ports import ClaimResult, MessageClaim, Now
from services.notifier.application.send_owner_mail import send_owner_mails
from services.notifier.application.send_to_customers import (
    CustomerBatch,
    customer_mail,
    gather_batch,
    post_to_customer,
    reader_of,
    write_for_customer,
)
from services.notifier.application.sending import Sending
from services.notifier.application.write_customer_mail import CustomerMessage, Reader
from services.notifier.domain.decision import Action
from services.notifier.domain.delivery import AttemptOutcome, RecipientKind, Response
from services.notifier.domain.delivery_policy import decide_delivery
from services.notifier.domain.situation import Directory


async def send_messages(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, *, sending: Sending
) -> list[ClaimResult]:
    """A result for every claim. Facts are asked for once for all of them, and mails are sent concurrently."""
    to_customers = [claim for claim in claims if claim.delivery.recipient.kind is RecipientKind.CONTACT]
    to_owners = [claim for claim in claims if claim.delivery.recipient.kind is not RecipientKind.CONTACT]
    parts = await asyncio.gather(
        _send_to_customers(to_customers, directory, now, sending),
        send_owner_mails(to_owners, directory, now, sending),
    )
    return [result for part in parts for result in part]


async def _send_to_customers(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, sending: Sending
) -> list[ClaimResult]:
    batch = await gather_batch(claims, directory, now, sending.customers)
    return list(await asyncio.gather(*(_send_safely(claim, batch, now, sending) for claim in claims)))


async def _send_safely(claim: MessageClaim, batch: CustomerBatch, now: Now, sending: Sending) -> ClaimResult:
    """One mail that cannot be written must not stop the others of its batch."""
    try:
        return await _send(claim, batch, now, sending)
    except Exception as problem:  # noqa: BLE001
        detail = f"the mail could not be written: {problem!r}"[:500]
        return attempted(claim, Response(AttemptOutcome.REFUSED, detail, is_permanent=True), now)


async def _send(claim: MessageClaim, batch: CustomerBatch, now: Now, sending: Sending) -> ClaimResult:
    delivery, event, directory = claim.delivery, claim.event, batch.directory
    situation = directory.situation_of(
        event,
        mail_hold=sending.mail_hold,
        fallback_to=sending.fallback_to,
        has_waited=claim.has_waited(now.real),
    )
    others = replaced(claim, directory, situation, now)
    if others is not None:
        return others
    decision = decide_delivery(event, delivery.recipient, delivery.channel, situation, now.service)
    if decision.action is not Action.SEND:
        return not_sent(claim, decision, now, instead_of(claim, decision, directory, situation, now))
    if decision.send_after is not None:
        postponed = delivery.postponed(now.real, decision.text)
        return ClaimResult(claim, postponed, send_after=decision.send_after)
    reader = reader_of(delivery.recipient.id, directory, situation)
    written = write_for_customer(claim, reader, batch)
    return (
        written if isinstance(written, ClaimResult) else await _deliver(claim, written, reader, now, sending)
    )


async def _deliver(
    claim: MessageClaim, written: CustomerMessage, reader: Reader, now: Now, sending: Sending
) -> ClaimResult:
    if claim.delivery.channel == "in_app":
        return post_to_customer(claim, written)
    mail = customer_mail(claim, written, reader)
    response = await sending.mailer.send(mail, at=now.real)
    return replace(attempted(claim, response, now, address=mail.to), program_id=written.program_id)
