"""Send short texts to people of ours: urgent news in Slack, and the telephone task of a call."""

import asyncio
import json
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Final

from schemas.directory import ContactRecord
from schemas.figures import AccountFigures
from schemas.times import format_instant
from schemas.touchpoints import TouchpointData
from services.notifier.application.claim_results import attempted
from services.notifier.application.hand_over_mail import hand_over
from services.notifier.application.mail_ports import BeginningMail, Handover
from services.notifier.application.ports import ClaimResult, MessageClaim, Now
from services.notifier.application.send_owner_mail import decide_claim, figures_of
from services.notifier.application.sending import Sending
from services.notifier.application.text_ports import TextMessage
from services.notifier.application.write_owner_mail import write_owner_mail
from services.notifier.domain.consent import find_opt_out
from services.notifier.domain.contact_channel import CALL, SLACK, consents_on
from services.notifier.domain.delivery import AttemptOutcome, Response
from services.notifier.domain.phone_number import international_number
from services.notifier.domain.situation import Directory, Situation

MOST_SLACK: Final = 3_000
"""Characters of a text in Slack before it is cut; Slack advises 4,000 at the most."""


async def send_owner_texts(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, sending: Sending
) -> list[ClaimResult]:
    """The results that are not recorded yet. News does not wait for figures: the mail beside it has them."""
    decided = [(claim, decide_claim(claim, directory, now, sending)) for claim in claims]
    results = [result for _, result in decided if result is not None]
    going = [claim for claim, result in decided if result is None]
    if not going:
        return results
    figures = await figures_of([claim for claim in going if claim.delivery.channel == SLACK], sending) or {}
    sent = await asyncio.gather(*(_send(claim, directory, figures, now, sending) for claim in going))
    return [*results, *(result for one in sent for result in one)]


async def _send(
    claim: MessageClaim,
    directory: Directory,
    figures: Mapping[str, AccountFigures],
    now: Now,
    sending: Sending,
) -> Sequence[ClaimResult]:
    try:
        text = (
            _task(claim, directory, now, sending)
            if claim.delivery.channel == CALL
            else _news(claim, directory, figures, now, sending)
        )
    except Exception as problem:  # noqa: BLE001 - one that cannot be written must not stop the others of its batch
        detail = f"the message could not be written: {problem!r}"[:500]
        return [attempted(claim, Response(AttemptOutcome.REFUSED, detail, is_permanent=True), now)]
    sender = sending.texts.senders[claim.delivery.channel]

    def results_of(response: Response) -> Sequence[ClaimResult]:
        address = text.to if claim.delivery.channel == SLACK else None
        return [attempted(claim, response, now, address=address)]

    def send(handover: Handover) -> Awaitable[Response]:
        return sender.send(text, at=now.real, handover=handover)

    return await hand_over(send, BeginningMail([claim]), sending.recorder, results_of=results_of)


def _news(
    claim: MessageClaim,
    directory: Directory,
    figures: Mapping[str, AccountFigures],
    now: Now,
    sending: Sending,
) -> TextMessage:
    """The text of the mail about it."""
    mail = write_owner_mail([claim], directory, figures, now, sending)
    text = f"{mail.message.subject}\n\n{mail.message.text.strip()}"
    if len(text) > MOST_SLACK:
        text = text[:MOST_SLACK].rsplit(maxsplit=1)[0] + " …"
    person = directory.csms.get(claim.delivery.recipient.id or "")
    return TextMessage(claim.delivery.id, (person.slack if person else None) or "", text)


def _task(claim: MessageClaim, directory: Directory, now: Now, sending: Sending) -> TextMessage:
    """The task as docs/channels.md describes it: who calls whom about what, and where the outcome is recorded."""
    event, owner_id = claim.event, claim.delivery.recipient.id or ""
    content, situation = event.content, directory.situation_of(event)
    person, account = directory.csms.get(owner_id), situation.account
    task = {
        "id": claim.delivery.id,
        "type": "call",
        "touchpoint_id": content.touchpoint_id,
        "touchpoint_type": content.touchpoint_type,
        "account_id": content.account_id,
        "account_name": account.name if account else None,
        "purpose": content.purpose,
        "agenda": list(content.agenda) if isinstance(content, TouchpointData) else [],
        "due_at": _instant(content.due_at),
        "deadline": _instant(content.deadline),
        "owner": {
            "csm_id": owner_id,
            "name": person.name if person else None,
            "email": person.email if person else None,
            "phone": international_number(person.phone) if person else None,
        },
        "contacts": [_contact(contact) for contact in _people_to_call(claim, situation, now)],
        "url": sending.owners.action_url(content.touchpoint_id, owner_id, now.real),
    }
    return TextMessage(claim.delivery.id, owner_id, json.dumps(task, ensure_ascii=False))


def _people_to_call(claim: MessageClaim, situation: Situation, now: Now) -> Sequence[ContactRecord]:
    """The audience as far as it has a telephone and may be called: who opted out or is left alone is not listed."""
    account, content = situation.account, claim.event.content
    if account is None:
        return ()
    audience = [
        contact
        for contact in account.contacts
        if not contact.left and (not content.audience or contact.role in content.audience)
    ]
    return [
        contact
        for contact in audience
        if contact.phone
        and find_opt_out(consents_on(contact, CALL, situation), content.topic, CALL) is None
        and not any(pause.applies_to(contact.contact_id, now.service) for pause in account.pauses)
    ]


def _contact(contact: ContactRecord) -> dict[str, str | None]:
    """`phone`: as E.164 where that is known, else as it was described."""
    number = international_number(contact.phone) or contact.phone
    return {"contact_id": contact.contact_id, "name": contact.name, "role": contact.role, "phone": number}


def _instant(moment: datetime | None) -> str | None:
    return format_instant(moment) if moment is not None else None
