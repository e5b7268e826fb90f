"""Send messages: decide once more on each claimed delivery, write the mail, send it, derive the result."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from services.notifier.application.approve_messages import write_approved
from services.notifier.application.claim_results import (
    attempted,
    attempted_together,
    instead_of,
    not_sent,
    replaced,
)
from services.notifier.application.fold_messages import Outgoing, Written, fold_messages
from services.notifier.application.hand_off_messages import hand_off
from services.notifier.application.hand_over_mail import hand_over_mail, with_opt_outs
from services.notifier.application.mail_ports import BeginningMail, OptOuts
from services.notifier.application.ports import ClaimResult, MessageClaim, Now
from services.notifier.application.send_invitations import send_invitations
from services.notifier.application.send_owner_mail import send_owner_mails
from services.notifier.application.send_owner_texts import send_owner_texts
from services.notifier.application.send_texts import send_text, write_text
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
from services.notifier.application.track_mail import track_mail
from services.notifier.application.wait_for_room import reserve_room_for
from services.notifier.domain.contact_channel import MAIL, TEXT_CHANNELS
from services.notifier.domain.decision import Action, Reason
from services.notifier.domain.delivery import CALENDAR, AttemptOutcome, RecipientKind, Response
from services.notifier.domain.delivery_policy import decide_delivery
from services.notifier.domain.owner_policy import OWNER_TEXTS
from services.notifier.domain.situation import Directory, Situation


async def send_messages(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, *, sending: Sending
) -> list[ClaimResult]:
    """The results that are not recorded yet. Facts are asked for once, and mails are sent concurrently.

    The outcome of a mail that was handed over is recorded by then.
    """
    directory = replace(directory, closed=sending.texts.closed)
    to_calendars = [claim for claim in claims if claim.delivery.channel == CALENDAR]
    messages = [claim for claim in claims if claim.delivery.channel != CALENDAR]
    to_customers = [claim for claim in messages if claim.delivery.recipient.kind is RecipientKind.CONTACT]
    others = [claim for claim in messages if claim.delivery.recipient.kind is not RecipientKind.CONTACT]
    to_owners = [claim for claim in others if claim.delivery.channel not in OWNER_TEXTS]
    texts_to_owners = [claim for claim in others if claim.delivery.channel in OWNER_TEXTS]
    parts = await asyncio.gather(
        send_invitations(to_calendars, directory, now, sending),
        _send_to_customers(to_customers, directory, now, sending),
        send_owner_mails(to_owners, directory, now, sending),
        send_owner_texts(texts_to_owners, directory, now, sending),
    )
    return [result for part in parts for result in part]


async def _send_to_customers(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, sending: Sending
) -> list[ClaimResult]:
    situations = {claim.delivery.id: situation_of(claim, directory, now, sending) for claim in claims}
    batch = await gather_batch(claims, directory, situations, now, sending.customers)
    results = [_write_safely(claim, batch, now, sending) for claim in claims]
    written = [result for result in results if isinstance(result, Written)]
    taken = await _taken_programs(written, sending)
    free = [one for one in written if one.claim.delivery.id not in taken]
    outgoing, alone = fold_messages(free, sending.customers.writer, now)
    going, waiting = await reserve_room_for(outgoing, sending.reservations, now)
    sent = await asyncio.gather(*(_deliver(one, batch, now, sending) for one in going))
    return [
        *(result for result in results if isinstance(result, ClaimResult)),
        *(wait_for_program(one.claim, now) for one in written if one.claim.delivery.id in taken),
        *alone,
        *waiting,
        *(result for open_results in sent for result in open_results),
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
    reserved = await sending.reservations.reserve_programs(uses)
    once = {one.claim.delivery.id for one in written if one.message.is_once}
    return once & {use.delivery_id for use in uses} - reserved


def _write_safely(
    claim: MessageClaim, batch: CustomerBatch, now: Now, sending: Sending
) -> Written | ClaimResult:
    """One mail that cannot be written must not stop the others of its batch."""
    try:
        return _write(claim, batch, now, sending)
    except Exception as problem:  # noqa: BLE001
        detail = f"the message could not be written: {problem!r}"[:500]
        return attempted(claim, Response(AttemptOutcome.REFUSED, detail, is_permanent=True), now)


def _write(claim: MessageClaim, batch: CustomerBatch, now: Now, sending: Sending) -> Written | ClaimResult:
    directory, situation = batch.directory, batch.situations[claim.delivery.id]
    others = replaced(claim, directory, situation, now)
    if others is not None:
        return others
    stopped = _decide(claim, directory, situation, now)
    if stopped is not None:
        return stopped
    reader = reader_of(claim, directory, situation)
    message = (
        hand_off(claim, batch)
        or write_approved(claim, reader, batch)
        or write_for_customer(claim, reader, batch)
    )
    if isinstance(message, ClaimResult):
        return message
    is_approved = situation.approval is not None
    if claim.delivery.channel in TEXT_CHANNELS:
        text = write_text(claim, message, reader, sending, now)
        if isinstance(text, ClaimResult):
            return text
        return Written(claim, message, reader, text=text, is_approved=is_approved)
    mail = customer_mail(claim, message, reader) if claim.delivery.channel == MAIL else None
    return Written(claim, message, reader, mail, is_approved=is_approved)


def _decide(claim: MessageClaim, directory: Directory, situation: Situation, now: Now) -> ClaimResult | None:
    """The result of a claim that the delivery policy does not let go now; None: it goes."""
    delivery = claim.delivery
    decision = decide_delivery(claim.event, delivery.recipient, delivery.channel, situation, now.service)
    if decision.action is not Action.SEND:
        return not_sent(claim, decision, now, instead_of(claim, decision, directory, situation, now))
    if decision.send_after is not None:
        postponed = delivery.postponed(now.real, decision.text)
        return ClaimResult(claim, postponed, send_after=decision.send_after, timing=decision.timing)
    return None


async def _deliver(
    outgoing: Outgoing, batch: CustomerBatch, now: Now, sending: Sending
) -> Sequence[ClaimResult]:
    claims, mail = outgoing.claims, outgoing.mail

    def stop(opt_outs: OptOuts) -> Sequence[ClaimResult]:
        return _stopped(claims, with_opt_outs(batch.directory, opt_outs), now, sending)

    first = outgoing.parts[0]
    if first.text is not None:
        return await send_text(first.claim, first.text, first.message.program_id, batch, sending, stop)
    if mail is None:
        return [post_to_customer(part.claim, part.message) for part in outgoing.parts]

    def results_of(response: Response) -> Sequence[ClaimResult]:
        results = attempted_together(claims, response, now, mail.to)
        return [
            replace(result, program_id=part.message.program_id)
            for result, part in zip(results, outgoing.parts, strict=True)
        ]

    account = batch.situations[first.claim.delivery.id].account
    contact_ids = [contact.contact_id for contact in account.contacts] if account else []
    may_measure = batch.directory.may_measure(first.claim.delivery.recipient)
    return await hand_over_mail(
        track_mail(mail, sending.tracking, may_measure=may_measure),
        BeginningMail(claims, contact_ids, mail.to),
        sending.through,
        now.real,
        results_of=results_of,
        stop=stop,
    )


def _stopped(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, sending: Sending
) -> list[ClaimResult]:
    """The results of a mail of which a part must not go after all: the rest is written anew. Empty: it goes."""
    decided = [
        (claim, _decide(claim, directory, situation_of(claim, directory, now, sending), now))
        for claim in claims
    ]
    if all(result is None for _, result in decided):
        return []
    return [
        result or ClaimResult(claim, claim.delivery.postponed(now.real, Reason.READY))
        for claim, result in decided
    ]


def situation_of(claim: MessageClaim, directory: Directory, now: Now, sending: Sending) -> Situation:
    situation = directory.situation_of(
        claim.event,
        mail_hold=sending.mail_hold,
        fallback_to=sending.fallback_to,
        has_waited=claim.has_waited(now.real),
    )
    draft = directory.draft_of(claim.event, claim.delivery.id)
    return situation if draft is None else replace(situation, approval=draft.approval)
