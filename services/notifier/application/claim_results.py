"""The results of claims: postponed, finished without an attempt, or after an attempt."""

from collections.abc import Sequence
from dataclasses import replace

from services.notifier.application.ingest_events import GATHERS, PATIENCE, messages_of
from services.notifier.application.ports import WITHOUT_END, ClaimResult, MessageClaim, NewDelivery, Now
from services.notifier.domain.contact_channel import TEXT_CHANNELS
from services.notifier.domain.decision import Action, DeliveryDecision, Reason
from services.notifier.domain.delivery import IN_DOUBT, AttemptOutcome, Delivery, Response, State
from services.notifier.domain.retry import after_attempt
from services.notifier.domain.situation import Directory, Situation


def not_sent(
    claim: MessageClaim, decision: DeliveryDecision, now: Now, additions: tuple[NewDelivery, ...] = ()
) -> ClaimResult:
    """The result of a decision not to send now; `additions`: who hears of it instead."""
    match decision.action:
        case Action.SUPPRESS:
            delivery = finished(claim, State.SUPPRESSED, decision.text)
            return ClaimResult(claim, delivery, additions=additions)
        case Action.EXPIRE:
            return ClaimResult(claim, finished(claim, State.EXPIRED, _expiry(claim, decision)))
        case _:
            return _waiting(claim, decision, now)


def finished(claim: MessageClaim, state: State, reason: str) -> Delivery:
    """In this final state without a further attempt. What may have been sent never expires before it was: it failed."""
    if not claim.ambiguous:
        return claim.delivery.finished(state, reason)
    final = State.FAILED if state is State.EXPIRED else state
    return claim.delivery.finished(
        final, f"{reason}: {IN_DOUBT}" if ":" not in reason else f"{reason}; {IN_DOUBT}"
    )


def _expiry(claim: MessageClaim, decision: DeliveryDecision) -> str:
    """What waited for facts or for room until its deadline expires for that reason."""
    waited = claim.delivery.reason or ""
    if decision.reason is not Reason.DEADLINE:
        return decision.text
    if waited.startswith(Reason.NO_ROOM):
        return f"{Reason.NO_ROOM_IN_TIME}{waited.removeprefix(Reason.NO_ROOM)}"
    return waited if waited.startswith(Reason.NO_FIGURES) else decision.text


def _waiting(claim: MessageClaim, decision: DeliveryDecision, now: Now) -> ClaimResult:
    if decision.send_after is not None:
        until = now.real + 2 * WITHOUT_END
        waiting = claim.delivery.postponed(until, decision.text)
        return ClaimResult(claim, waiting, send_after=decision.send_after, waits_until=until)
    until = now.real + PATIENCE if claim.has_waited(now.real) else claim.waits_until or now.real + PATIENCE
    return ClaimResult(claim, claim.delivery.postponed(until, decision.text), waits_until=until)


def instead_of(
    claim: MessageClaim, decision: DeliveryDecision, directory: Directory, situation: Situation, now: Now
) -> tuple[NewDelivery, ...]:
    """Everyone who is told instead of a recipient who cannot be; those who were told already are not told again.

    Where a channel for texts does not reach a contact, they are among them, over another channel.
    """
    if not decision.leaves_nobody and claim.delivery.channel not in TEXT_CHANNELS:
        return ()
    this = (claim.delivery.recipient, claim.delivery.channel)
    everyone = messages_of(claim.event, directory, situation, now)
    return tuple(new for new in everyone if (new.recipient, new.channel) != this)


def replaced(claim: MessageClaim, directory: Directory, situation: Situation, now: Now) -> ClaimResult | None:
    """The result of a claim without a recipient for whom there are others by now; None: it stays as it is."""
    this = (claim.delivery.recipient, claim.delivery.channel)
    if claim.delivery.recipient.id is not None:
        return None
    everyone = messages_of(claim.event, directory, situation, now)
    if this in [(new.recipient, new.channel) for new in everyone]:
        return None
    return ClaimResult(claim, claim.delivery, replacements=tuple(everyone))


def postponed(claim: MessageClaim, decision: DeliveryDecision, now: Now) -> ClaimResult:
    """Not yet: until the moment of the decision, or for as long as what goes with it is gathered."""
    delivery = claim.delivery.postponed(now.real + GATHERS, decision.text)
    return ClaimResult(claim, delivery, send_after=decision.send_after, timing=decision.timing)


def attempted(claim: MessageClaim, response: Response, now: Now, address: str | None = None) -> ClaimResult:
    """The result of an attempt that got this response."""
    delivery, attempt = after_attempt(claim.delivery, response, at=now.real, first_at=claim.first_at)
    is_unknown = response.is_unknown_address and response.outcome is AttemptOutcome.REFUSED
    return ClaimResult(
        claim,
        delivery,
        attempt=attempt,
        address=address,
        is_unknown_address=is_unknown and address is not None,
    )


def attempted_together(
    claims: Sequence[MessageClaim], response: Response, now: Now, address: str
) -> list[ClaimResult]:
    """The same result for all: what goes in one mail is tried again in one mail."""
    first = attempted(claims[0], response, now, address)
    others = [attempted(claim, response, now, address) for claim in claims[1:]]
    return [
        first,
        *(
            other
            if other.delivery.state.is_final
            else replace(other, delivery=replace(other.delivery, next_at=first.delivery.next_at))
            for other in others
        ),
    ]
