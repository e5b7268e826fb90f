"""Send messages: decide once more on each claimed delivery, write the mail, send it, derive the result."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from services.notifier.application.claim_results import attempted, instead_of, not_sent, replaced
from services.notifier.application.hand_over_mail import hand_over_mail, with_opt_outs
from services.notifier.application.ports import BeginningMail, ClaimResult, MessageClaim, Now, OptOuts
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
from services.notifier.application.write_customer_mail import CustomerMessage
from services.notifier.domain.decision import Action
from services.notifier.domain.delivery import AttemptOutcome, RecipientKind, Response
from services.notifier.domain.delivery_policy import decide_delivery
from services.notifier.domain.situation import Directory, Situation


async def send_messages(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, *, sending: Sending
) -> list[ClaimResult]:
    """The results that are not recorded yet. Facts are asked for once, and mails are sent concurrently.

    The outcome of a mail that was handed over is recorded by then.
    """
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
    sent = await asyncio.gather(*(_send_safely(claim, batch, now, sending) for claim in claims))
    return [result for results in sent for result in results]


async def _send_safely(
    claim: MessageClaim, batch: CustomerBatch, now: Now, sending: Sending
) -> Sequence[ClaimResult]:
    """One mail that cannot be written must not stop the others of its batch."""
    try:
        written = _write(claim, batch, now, sending)
    except Exception as problem:  # noqa: BLE001
        detail = f"the mail could not be written: {problem!r}"[:500]
        return [attempted(claim, Response(AttemptOutcome.REFUSED, detail, is_permanent=True), now)]
    if isinstance(written, ClaimResult):
        return [written]
    return await _deliver(claim, written, batch.directory, now, sending)


def _write(
    claim: MessageClaim, batch: CustomerBatch, now: Now, sending: Sending
) -> ClaimResult | CustomerMessage:
    """The message, or the result of a claim for which none is sent now."""
    delivery, directory = claim.delivery, batch.directory
    situation = _situation(claim, directory, now, sending)
    others = replaced(claim, directory, situation, now)
    if others is not None:
        return others
    stopped = _decide(claim, directory, now, sending)
    if stopped is not None:
        return stopped
    written = write_for_customer(claim, reader_of(delivery.recipient.id, directory, situation), batch)
    if isinstance(written, ClaimResult) or delivery.channel != "in_app":
        return written
    return post_to_customer(claim, written)


def _situation(claim: MessageClaim, directory: Directory, now: Now, sending: Sending) -> Situation:
    return directory.situation_of(
        claim.event,
        mail_hold=sending.mail_hold,
        fallback_to=sending.fallback_to,
        has_waited=claim.has_waited(now.real),
    )


def _decide(claim: MessageClaim, directory: Directory, now: Now, sending: Sending) -> ClaimResult | None:
    """The result of a claim that the delivery policy does not let go now; None: it goes."""
    delivery, situation = claim.delivery, _situation(claim, directory, now, sending)
    decision = decide_delivery(claim.event, delivery.recipient, delivery.channel, situation, now.service)
    if decision.action is not Action.SEND:
        return not_sent(claim, decision, now, instead_of(claim, decision, directory, situation, now))
    if decision.send_after is not None:
        postponed = delivery.postponed(now.real, decision.text)
        return ClaimResult(claim, postponed, send_after=decision.send_after)
    return None


async def _deliver(
    claim: MessageClaim, written: CustomerMessage, directory: Directory, now: Now, sending: Sending
) -> Sequence[ClaimResult]:
    account = directory.accounts.get(claim.event.content.account_id)
    reader = reader_of(claim.delivery.recipient.id, directory, _situation(claim, directory, now, sending))
    mail = customer_mail(claim, written, reader)

    def results_of(response: Response) -> Sequence[ClaimResult]:
        return [replace(attempted(claim, response, now, address=mail.to), program_id=written.program_id)]

    def stop(opt_outs: OptOuts) -> Sequence[ClaimResult]:
        stopped = _decide(claim, with_opt_outs(directory, opt_outs), now, sending)
        return [] if stopped is None else [stopped]

    contact_ids = [contact.contact_id for contact in account.contacts] if account else []
    beginning = BeginningMail([claim], contact_ids, mail.to)
    return await hand_over_mail(mail, beginning, sending.through, now.real, results_of=results_of, stop=stop)
