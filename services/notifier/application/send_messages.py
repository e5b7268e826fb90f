"""Send messages: decide once more on each claimed delivery, write the mail, send it, derive the result."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.notifier.application.claim_results import attempted, instead_of, not_sent, replaced
from services.notifier.application.ports import ClaimResult, MessageClaim, Now
from services.notifier.application.send_owner_mail import send_owner_mails
from services.notifier.application.send_to_customers import (
    CustomerBatch,
    customer_mail,
    gather_batch,
    post_to_customer,
    reader_of,
    wait_for_program,
    write_for_customer,
)
from services.notifier.application.sending import ProgramUse, Sending
from services.notifier.application.write_customer_mail import CustomerMessage, Reader
from services.notifier.domain.decision import Action
from services.notifier.domain.delivery import AttemptOutcome, RecipientKind, Response
from services.notifier.domain.delivery_policy import decide_delivery
from services.notifier.domain.situation import Directory


@dataclass(frozen=True, slots=True)
class Written:
    """A message to a contact that is ready to be sent."""

    claim: MessageClaim
    message: CustomerMessage
    reader: Reader


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
    situations = {
        claim.delivery.id: directory.situation_of(
            claim.event,
            mail_hold=sending.mail_hold,
            fallback_to=sending.fallback_to,
            has_waited=claim.has_waited(now.real),
        )
        for claim in claims
    }
    batch = await gather_batch(claims, directory, situations, now, sending.customers)
    results = [_write_safely(claim, batch, now) for claim in claims]
    written = [result for result in results if isinstance(result, Written)]
    taken = await _taken_programs(written, sending)
    sent = [_deliver_safely(one, now, sending) for one in written if one.claim.delivery.id not in taken]
    return [
        *(result for result in results if isinstance(result, ClaimResult)),
        *(wait_for_program(one.claim, now) for one in written if one.claim.delivery.id in taken),
        *await asyncio.gather(*sent),
    ]


async def _taken_programs(written: Sequence[Written], sending: Sending) -> set[str]:
    """The deliveries that present a program once to a contact to whom another delivery presents it at this moment."""
    uses = [
        ProgramUse(one.claim.delivery.id, one.claim.delivery.recipient.id or "", one.message.program_id)
        for one in written
        if one.message.program_id is not None
    ]
    if not uses:
        return set()
    reserved = await sending.programs.reserve_programs(uses)
    once = {one.claim.delivery.id for one in written if one.message.is_once}
    return once & {use.delivery_id for use in uses} - reserved


def _write_safely(claim: MessageClaim, batch: CustomerBatch, now: Now) -> Written | ClaimResult:
    """One mail that cannot be written must not stop the others of its batch."""
    try:
        return _write(claim, batch, now)
    except Exception as problem:  # noqa: BLE001
        return _broken(claim, problem, now)


async def _deliver_safely(written: Written, now: Now, sending: Sending) -> ClaimResult:
    try:
        return await _deliver(written, now, sending)
    except Exception as problem:  # noqa: BLE001
        return _broken(written.claim, problem, now)


def _broken(claim: MessageClaim, problem: Exception, now: Now) -> ClaimResult:
    detail = f"the mail could not be written: {problem!r}"[:500]
    return attempted(claim, Response(AttemptOutcome.REFUSED, detail, is_permanent=True), now)


def _write(claim: MessageClaim, batch: CustomerBatch, now: Now) -> Written | ClaimResult:
    delivery, event, directory = claim.delivery, claim.event, batch.directory
    situation = batch.situations[delivery.id]
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
    message = write_for_customer(claim, reader, batch)
    return message if isinstance(message, ClaimResult) else Written(claim, message, reader)


async def _deliver(written: Written, now: Now, sending: Sending) -> ClaimResult:
    claim, message = written.claim, written.message
    if claim.delivery.channel == "in_app":
        return post_to_customer(claim, message)
    mail = customer_mail(claim, message, written.reader)
    response = await sending.mailer.send(mail, at=now.real)
    return replace(attempted(claim, response, now, address=mail.to), program_id=message.program_id)
