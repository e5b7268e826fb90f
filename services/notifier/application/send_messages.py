"""Tell people: judge what was claimed once more, write the mail, send it, settle the claim."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.notifier.application.ingest_events import PATIENCE, in_app, posted, tellings
from services.notifier.application.ports import Claim, Mail, Mailer, Now, Settled
from services.notifier.domain.delivery import Outcome, Receipt, Recipient, RecipientKind
from services.notifier.domain.delivery_policy import (
    Action,
    Directory,
    Situation,
    Verdict,
    contact_of,
    csm_address,
    judge,
)
from services.notifier.domain.event import Announcement
from services.notifier.domain.message import (
    Render,
    compose,
    context_for,
    csm_family,
    customer_family,
)
from services.notifier.domain.retry import after_attempt

UnsubscribeUrl = Callable[[str, str | None], str]


@dataclass(frozen=True, slots=True)
class Post:
    """The post office: how a mail is written and sent, and whether customers may hear from us at all."""

    mailer: Mailer
    render: Render
    unsubscribe_url: UnsubscribeUrl
    live: bool


async def tell_people(
    claims: Sequence[Claim], directory: Directory, now: Now, *, post: Post
) -> list[Settled]:
    """Settle every claim; mails go out side by side, as far as the mailer lets them."""
    return list(await asyncio.gather(*(_settle_surely(each, directory, now, post) for each in claims)))


async def _settle(claim: Claim, directory: Directory, now: Now, post: Post) -> Settled:
    delivery, heard = claim.delivery, claim.heard
    # What is not held for the directory was known when it was heard: who is unknown now is gone.
    waited = claim.waits_until is None or now.real >= claim.waits_until
    if delivery.recipient.id is None:
        found = tellings(heard, directory, live=post.live, now=now, waited=waited)
        if not any(each.delivery.id == delivery.id for each in found):
            return Settled(claim, delivery, replaced_by=tuple(found))
    situation = directory.around(heard, live=post.live, waited=waited)
    verdict = judge(heard, delivery.recipient, delivery.channel, situation, now.service)
    if verdict.action is not Action.SEND:
        return _not_sent(claim, verdict, now)
    if delivery.channel == "in_app":
        return Settled(claim, posted(delivery), in_app=in_app(heard, directory))
    if verdict.send_after is not None:
        held = delivery.postponed(now.real, verdict.text)
        return Settled(claim, held, send_after=verdict.send_after)
    return await _send(claim, situation, now, post)


async def _settle_surely(claim: Claim, directory: Directory, now: Now, post: Post) -> Settled:
    """One mail that cannot be written must not keep the others of its batch from being settled."""
    try:
        return await _settle(claim, directory, now, post)
    except Exception as problem:  # noqa: BLE001
        receipt = Receipt(Outcome.REFUSED, f"could not be written: {problem!r}"[:500], permanent=True)
        delivery, attempt = after_attempt(claim.delivery, receipt, at=now.real, first_at=claim.first_at)
        return Settled(claim, delivery, attempt=attempt, receipt=receipt)


def _not_sent(claim: Claim, verdict: Verdict, now: Now) -> Settled:
    delivery = claim.delivery
    match verdict.action:
        case Action.SUPPRESS:
            return Settled(claim, delivery.suppressed(verdict.text))
        case Action.EXPIRE:
            return Settled(claim, delivery.expired(verdict.text))
        case _:
            until = claim.waits_until or now.real + PATIENCE
            return Settled(claim, delivery.postponed(until, verdict.text))


async def _send(claim: Claim, situation: Situation, now: Now, post: Post) -> Settled:
    mail = write(claim.delivery.id, claim.heard, claim.delivery.recipient, situation, post)
    receipt = await post.mailer.send(mail, at=now.real)
    delivery, attempt = after_attempt(claim.delivery, receipt, at=now.real, first_at=claim.first_at)
    return Settled(
        claim,
        delivery,
        attempt=attempt,
        receipt=receipt,
        refused_address=mail.to if _names_nobody(receipt) else None,
    )


def _names_nobody(receipt: Receipt) -> bool:
    return receipt.address_refused and receipt.outcome is Outcome.REFUSED


def write(identity: str, heard: Announcement, recipient: Recipient, situation: Situation, post: Post) -> Mail:
    """The mail that tells this recipient."""
    account_name = situation.account.title if situation.account else heard.account_id
    if recipient.kind is RecipientKind.CSM:
        person = situation.people.get(recipient.id or "")
        context = context_for(
            heard, account_name=account_name, recipient_name=person.name if person else None, links={}
        )
        message = compose(csm_family(heard.touchpoint_type), context, post.render)
        return Mail(identity, csm_address(heard, situation) or "", message)
    contact = contact_of(recipient, situation)
    url = post.unsubscribe_url(recipient.id or "", heard.topic)
    context = context_for(
        heard,
        account_name=account_name,
        recipient_name=contact.name if contact else None,
        links={"unsubscribe_url": url},
    )
    message = compose(customer_family(heard.touchpoint_type), context, post.render)
    return Mail(identity, (contact.email if contact else None) or "", message, url)
