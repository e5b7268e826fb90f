"""Send messages: decide once more on each claimed delivery, write the mail, send it, derive the result."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.notifier.application.claim_results import attempted, instead_of, not_sent
from services.notifier.application.ingest_events import messages_of
from services.notifier.application.message_facts import MessageFacts
from services.notifier.application.ports import ClaimResult, MessageClaim, Now
from services.notifier.application.send_owner_mail import send_owner_mail
from services.notifier.application.send_to_customers import (
    customer_mail,
    gather_customer_facts,
    post_to_customer,
    reader_of,
    write_for_customer,
)
from services.notifier.application.sending import Sending
from services.notifier.domain.decision import Action
from services.notifier.domain.delivery import AttemptOutcome, RecipientKind, Response
from services.notifier.domain.delivery_policy import decide_delivery
from services.notifier.domain.situation import Directory, Situation


async def send_messages(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, *, sending: Sending
) -> list[ClaimResult]:
    """A result for every claim. Facts are asked for once for all of them, and mails are sent concurrently."""
    facts = await gather_customer_facts(claims, directory, sending.customers)
    mails: defaultdict[tuple[bool, str], list[MessageClaim]] = defaultdict(list)
    for claim in claims:
        is_customer = claim.delivery.recipient.kind is RecipientKind.CONTACT
        mails[is_customer, claim.delivery.id if is_customer else claim.message_id].append(claim)
    results = await asyncio.gather(
        *(
            _send_safely(mail[0], directory, facts, now, sending)
            if is_customer
            else send_owner_mail(mail, directory, now, sending)
            for (is_customer, _), mail in mails.items()
        )
    )
    return [result for of_mail in results for result in of_mail]


async def _send_safely(
    claim: MessageClaim, directory: Directory, facts: Mapping[str, MessageFacts], now: Now, sending: Sending
) -> list[ClaimResult]:
    """One mail that cannot be written must not stop the others of its batch."""
    try:
        return [await _send(claim, directory, facts, now, sending)]
    except Exception as problem:  # noqa: BLE001
        detail = f"the mail could not be written: {problem!r}"[:500]
        return [attempted(claim, Response(AttemptOutcome.REFUSED, detail, is_permanent=True), now)]


async def _send(
    claim: MessageClaim, directory: Directory, facts: Mapping[str, MessageFacts], now: Now, sending: Sending
) -> ClaimResult:
    delivery, event = claim.delivery, claim.event
    situation = directory.situation_of(
        event,
        mail_hold=sending.mail_hold,
        fallback_to=sending.fallback_to,
        has_waited=claim.has_waited(now.real),
    )
    if delivery.recipient.id is None:
        new = messages_of(event, directory, situation, now)
        recipients = [(replacement.recipient, replacement.channel) for replacement in new]
        if (delivery.recipient, delivery.channel) not in recipients:
            return ClaimResult(claim, delivery, replacements=tuple(new))
    decision = decide_delivery(event, delivery.recipient, delivery.channel, situation, now.service)
    if decision.action is not Action.SEND:
        return not_sent(claim, decision, now, instead_of(claim, decision, directory, situation, now))
    if decision.send_after is not None:
        postponed = delivery.postponed(now.real, decision.text)
        return ClaimResult(claim, postponed, send_after=decision.send_after)
    own = facts.get(delivery.id, MessageFacts())
    return await _send_to_customer(claim, directory, situation, own, now, sending)


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
    return replace(attempted(claim, response, now, address=mail.to), program_id=written.program_id)
