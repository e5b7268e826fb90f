"""Send mails to people of ours: decide once more on each delivery in it, write it, send it, give all its result."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from schemas.figures import AccountFigures, FiguresRequest
from schemas.touchpoints import TouchpointData
from services.notifier.application.claim_results import (
    attempted,
    attempted_together,
    instead_of,
    not_sent,
    postponed,
    replaced,
)
from services.notifier.application.hand_over_mail import hand_over_mail
from services.notifier.application.ingest_events import messages_of
from services.notifier.application.mail_ports import BeginningMail
from services.notifier.application.message_facts import NoAnswer
from services.notifier.application.ports import ClaimResult, MessageClaim, Now
from services.notifier.application.send_to_customers import POSTED
from services.notifier.application.sending import Sending
from services.notifier.application.write_owner_mail import write_feed_entry, write_owner_mail
from services.notifier.domain.addresses import clean_address
from services.notifier.domain.decision import Action, Timing
from services.notifier.domain.delivery import AttemptOutcome, Response, State
from services.notifier.domain.delivery_policy import decide_delivery
from services.notifier.domain.situation import Directory
from services.notifier.domain.working_day import MORNING

URGENT_WAITS: Final = timedelta(seconds=60)
"""Real time for which an urgent mail waits for figures before it goes without them."""
FIGURES_AGAIN: Final = timedelta(seconds=10)
WAITING_FOR_FIGURES: Final = "waiting for the figures of the account"


async def send_owner_mails(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, sending: Sending
) -> list[ClaimResult]:
    """The results that are not recorded yet. Figures are asked for once; claims of one message id go in one mail."""
    results: list[ClaimResult] = []
    mails: defaultdict[str, list[MessageClaim]] = defaultdict(list)
    for claim in claims:
        result = decide_claim(claim, directory, now, sending)
        if result is not None:
            results.append(result)
        else:
            mails[claim.message_id].append(claim)
    figures = await figures_of([claim for mail in mails.values() for claim in mail], sending)
    sent = await asyncio.gather(
        *(_send_mail(mail, directory, figures, now, sending) for mail in mails.values())
    )
    return [*results, *(result for mail in sent for result in mail)]


async def _send_mail(
    claims: Sequence[MessageClaim],
    directory: Directory,
    figures: Mapping[str, AccountFigures] | None,
    now: Now,
    sending: Sending,
) -> Sequence[ClaimResult]:
    """The results that are not recorded yet of these claims, which go in one mail."""
    if figures is None and _can_wait(claims[0], now):
        return [_without_figures(claim, now) for claim in claims]
    try:
        mail = write_owner_mail(claims, directory, figures or {}, now, sending)
    except Exception as problem:  # noqa: BLE001 - one mail that cannot be written must not stop the others of its batch
        detail = f"the mail could not be written: {problem!r}"[:500]
        response = Response(AttemptOutcome.REFUSED, detail, is_permanent=True)
        return [attempted(claim, response, now) for claim in claims]

    def results_of(response: Response) -> Sequence[ClaimResult]:
        shared = attempted_together(claims, response, now, mail.to)
        if not shared[0].is_unknown_address:
            return shared
        return [_messages_to_others(result, mail.to, directory, now, sending) for result in shared]

    return await hand_over_mail(mail, BeginningMail(claims), sending.through, now.real, results_of=results_of)


def _messages_to_others(
    result: ClaimResult, refused: str, directory: Directory, now: Now, sending: Sending
) -> ClaimResult:
    """Where the relay knows no such mailbox, who hears of it instead: the address counts as unknown from now on."""
    claim = result.claim
    unknown = directory.unknown_addresses | {clean_address(refused)}
    known = replace(directory, unknown_addresses=unknown)
    situation = known.situation_of(claim.event, fallback_to=sending.fallback_to, has_waited=True)
    this = (claim.delivery.recipient, claim.delivery.channel)
    everyone = messages_of(claim.event, known, situation, now)
    others = tuple(new for new in everyone if (new.recipient, new.channel) != this)
    return replace(result, additions=others)


async def figures_of(claims: Sequence[MessageClaim], sending: Sending) -> Mapping[str, AccountFigures] | None:
    """By delivery; None while the rules engine does not answer."""
    wanted: dict[str, FiguresRequest] = {}
    for claim in claims:
        content = claim.event.content
        about = content.about if isinstance(content, TouchpointData) else None
        wanted[claim.delivery.id] = FiguresRequest.of_valid(account_id=content.account_id, about=about)
    requests = {request.write(): request for request in wanted.values()}
    try:
        found = await sending.owners.facts.figures(list(requests.values()))
    except NoAnswer:
        return None
    figures = dict(zip(requests, found, strict=True))
    return {delivery_id: figures[request.write()] for delivery_id, request in wanted.items()}


def _can_wait(claim: MessageClaim, now: Now) -> bool:
    """Urgent mail waits a minute for its figures, the mail of the day for the morning."""
    if claim.planned_at is not None:
        return now.service < claim.planned_at + MORNING
    return claim.created_at is not None and now.real < claim.created_at + URGENT_WAITS


def _without_figures(claim: MessageClaim, now: Now) -> ClaimResult:
    """Tried again in the same mail; it is no attempt."""
    delivery = claim.delivery.postponed(now.real + FIGURES_AGAIN, WAITING_FOR_FIGURES)
    return ClaimResult(claim, delivery, timing=Timing(f"message:{claim.message_id}", claim.planned_at))


def decide_claim(claim: MessageClaim, directory: Directory, now: Now, sending: Sending) -> ClaimResult | None:
    """The result of a delivery that is not sent now; None: it is."""
    delivery, event = claim.delivery, claim.event
    situation = directory.situation_of(
        event,
        mail_hold=sending.mail_hold,
        fallback_to=sending.fallback_to,
        has_waited=claim.has_waited(now.real),
        planned_at=claim.planned_at,
    )
    others = replaced(
        claim, directory, situation, now
    )  # an earlier version told nobody of work that nobody has
    if others is not None:
        return others
    decision = decide_delivery(event, delivery.recipient, delivery.channel, situation, now.service)
    if decision.action is not Action.SEND:
        return not_sent(claim, decision, now, instead_of(claim, decision, directory, situation, now))
    if delivery.channel == "in_app":
        posted = delivery.finished(State.SENT, POSTED)
        return ClaimResult(claim, posted, in_app=write_feed_entry(claim, directory, now, sending))
    is_gathered = claim.is_folded or decision.timing is None
    if decision.send_after is not None or not is_gathered:
        return postponed(claim, decision, now)
    return None
