"""Send invitations, their updates and cancellations: decide once more on each, write it, send it, derive the result."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from services.notifier.application.claim_results import attempted, not_sent
from services.notifier.application.hand_over_mail import StopMail, hand_over_mail, with_opt_outs
from services.notifier.application.ingest_events import GATHERS, invitations_of
from services.notifier.application.mail_ports import BeginningMail, Mail, OptOuts
from services.notifier.application.message_content import find_content
from services.notifier.application.message_facts import FactsWanted, MessageFacts, gather_facts
from services.notifier.application.ports import CalendarChange, ClaimResult, MessageClaim, Now
from services.notifier.application.send_to_customers import FACTS_AGAIN, customer_mail, without_content
from services.notifier.application.sending import Sending
from services.notifier.application.track_mail import track_mail
from services.notifier.application.write_customer_mail import NoContent, Reader
from services.notifier.application.write_invitation import (
    Invite,
    InviteContext,
    data_of,
    reader_of_invite,
    write_invitation,
)
from services.notifier.domain.decision import Action, Reason
from services.notifier.domain.delivery import AttemptOutcome, Response
from services.notifier.domain.invitation import INVITATION, Invitation
from services.notifier.domain.invitation_policy import (
    InvitationDecision,
    decide_invitation,
    find_leader,
    times_of,
)
from services.notifier.domain.situation import Directory, Situation

UNDER_WAY_AGAIN: Final = timedelta(seconds=10)
"""Real time until a cancellation looks again whether an invitation that is being sent has arrived."""
UNDER_WAY: Final = "an earlier invitation is being sent"


@dataclass(frozen=True, slots=True)
class _Ready:
    """An invitation that is to be sent."""

    claim: MessageClaim
    invite: Invite
    situation: Situation
    reader: Reader


async def send_invitations(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, sending: Sending
) -> list[ClaimResult]:
    """The results that are not recorded yet. Facts are asked for once, and mails are sent concurrently."""
    decided = [_decide(claim, directory, now, sending) for claim in claims]
    results = [one for one in decided if isinstance(one, ClaimResult)]
    ready = [one for one in decided if isinstance(one, _Ready)]
    facts = await _facts_of(ready, directory, sending)
    sent = await asyncio.gather(
        *(_send(one, facts.get(one.claim.delivery.id), directory, now, sending) for one in ready)
    )
    return [*results, *(result for part in sent for result in part)]


def _situation_of(claim: MessageClaim, directory: Directory, now: Now, sending: Sending) -> Situation:
    situation = directory.situation_of(
        claim.event,
        mail_hold=sending.mail_hold,
        has_waited=claim.has_waited(now.real),
        planned_at=claim.planned_at,
        queue=directory.queues.get(claim.delivery.id),
    )
    recipient = claim.delivery.recipient
    if not claim.ambiguous or recipient in situation.invitations:
        return situation
    # An earlier attempt of this delivery may have reached the calendar.
    return replace(situation, invitations={**situation.invitations, recipient: Invitation()})


def _decide(claim: MessageClaim, directory: Directory, now: Now, sending: Sending) -> _Ready | ClaimResult:
    situation = _situation_of(claim, directory, now, sending)
    others = _replaced(claim, directory, situation, now)
    if others is not None:
        return others
    decided = decide_invitation(claim.event, claim.delivery.recipient, situation, now.service)
    stopped = _stopped(claim, decided, situation, now)
    if stopped is not None:
        return stopped
    recipient, data = claim.delivery.recipient, data_of(claim.event)
    is_first = recipient not in situation.invitations
    invite = Invite(claim.event, data, recipient, decided.method, is_first)
    return _Ready(claim, invite, situation, reader_of_invite(invite, directory, situation))


def _replaced(
    claim: MessageClaim, directory: Directory, situation: Situation, now: Now
) -> ClaimResult | None:
    """The result of a claim without a recipient for whom there are others by now; None: it stays as it is."""
    if claim.delivery.recipient.id is not None:
        return None
    everyone = invitations_of(claim.event, directory, situation, now)
    # Nobody is left to invite once it is over: then the decision about this delivery ends it.
    if not everyone or any(new.recipient == claim.delivery.recipient for new in everyone):
        return None
    return ClaimResult(claim, claim.delivery, replacements=tuple(everyone))


def _stopped(
    claim: MessageClaim, decided: InvitationDecision, situation: Situation, now: Now
) -> ClaimResult | None:
    """The result of a claim that is not sent now; None: it goes."""
    decision, delivery = decided.decision, claim.delivery
    if decision.action is not Action.SEND:
        return not_sent(claim, decision, now)
    if decision.send_after is not None:
        waiting = delivery.postponed(now.real + GATHERS, decision.text)
        return ClaimResult(claim, waiting, send_after=decision.send_after, timing=decision.timing)
    invitation = situation.invitations.get(delivery.recipient)
    if decided.method == "CANCEL" and invitation is not None and invitation.is_under_way:
        return ClaimResult(claim, delivery.postponed(now.real + UNDER_WAY_AGAIN, UNDER_WAY))
    return None


async def _facts_of(
    ready: Sequence[_Ready], directory: Directory, sending: Sending
) -> dict[str, MessageFacts]:
    """By delivery, for those with content."""
    wanted: dict[str, FactsWanted] = {}
    for one in ready:
        content = find_content(directory.contents, INVITATION, "customer", one.reader.tag)
        if content is not None:
            wanted[one.claim.delivery.id] = FactsWanted(one.claim.event, content)
    facts = await gather_facts(list(wanted.values()), sending.customers.facts)
    return dict(zip(wanted, facts, strict=True))


async def _send(
    one: _Ready, facts: MessageFacts | None, directory: Directory, now: Now, sending: Sending
) -> Sequence[ClaimResult]:
    claim = one.claim
    if facts is not None and facts.problem is not None:
        text = f"{Reason.NO_FIGURES}: {facts.problem}"
        return [ClaimResult(claim, claim.delivery.postponed(now.real + FACTS_AGAIN, text))]
    try:
        mail = _write(one, facts or MessageFacts(), directory, now, sending)
    except Exception as problem:  # noqa: BLE001 - one mail that cannot be written must not stop the others of its batch
        detail = f"the invitation could not be written: {problem!r}"[:500]
        return [attempted(claim, Response(AttemptOutcome.REFUSED, detail, is_permanent=True), now)]
    if isinstance(mail, NoContent):
        return [without_content(claim, mail)]
    change = _change_of(one.invite)

    def results_of(response: Response) -> Sequence[ClaimResult]:
        return [replace(attempted(claim, response, now, address=mail.to), calendar=change)]

    return await hand_over_mail(
        mail,
        _beginning(one, mail),
        sending.through,
        now.real,
        results_of=results_of,
        stop=_stop(one, directory, now, sending),
    )


def _beginning(one: _Ready, mail: Mail) -> BeginningMail:
    """Opt-outs bind what contacts get."""
    if one.invite.is_own:
        return BeginningMail([one.claim])
    account = one.situation.account
    contact_ids = [contact.contact_id for contact in account.contacts] if account else []
    return BeginningMail([one.claim], contact_ids, mail.to)


def _stop(one: _Ready, directory: Directory, now: Now, sending: Sending) -> StopMail:
    def stop(opt_outs: OptOuts) -> Sequence[ClaimResult]:
        if one.invite.is_own:
            return ()
        decided = _decide(one.claim, with_opt_outs(directory, opt_outs), now, sending)
        if isinstance(decided, ClaimResult):
            return [decided]
        # What is taken back after all is written anew.
        again = one.claim.delivery.postponed(now.real, Reason.READY)
        return () if decided.invite.method == one.invite.method else [ClaimResult(one.claim, again)]

    return stop


def _write(
    one: _Ready, facts: MessageFacts, directory: Directory, now: Now, sending: Sending
) -> Mail | NoContent:
    content = find_content(directory.contents, INVITATION, "customer", one.reader.tag)
    if content is None:
        return NoContent(f"no content for customers about {INVITATION}")
    context = InviteContext(directory, one.situation, now, sending.customers.writer, sending.sender)
    written = write_invitation(one.invite, one.reader, content, facts, context)
    if isinstance(written, NoContent):
        return written
    mail = customer_mail(one.claim, written.message, one.reader)
    may_measure = directory.may_measure(one.claim.delivery.recipient)
    mail = track_mail(mail, sending.tracking, may_measure=may_measure)
    # Nobody answers to themselves.
    return replace(mail, calendar=written.calendar, reply_to=None if one.invite.is_own else mail.reply_to)


def _change_of(invite: Invite) -> CalendarChange:
    starts_at, ends_at = times_of(invite.data)
    leader = find_leader(invite.event)
    organizer_id = leader.id if leader else None
    return CalendarChange(invite.data.sequence, starts_at, ends_at, organizer_id, invite.is_cancelled)
