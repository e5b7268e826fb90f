"""Reserve room in the contact budgets for what goes, and have wait what finds none."""

from collections.abc import Sequence

from services.notifier.application.claim_results import finished
from services.notifier.application.fold_messages import Outgoing, Written, rank_of
from services.notifier.application.ports import ClaimResult, Now
from services.notifier.application.send_to_customers import worth_sending_until
from services.notifier.application.sending import MessageUse, Reservations
from services.notifier.domain.contact_budget import NoRoom
from services.notifier.domain.contact_rules import is_contact, never_waits
from services.notifier.domain.customer_policy import fold_key_of
from services.notifier.domain.decision import Reason, Timing
from services.notifier.domain.delivery import State


async def reserve_room_for(
    outgoing: Sequence[Outgoing], reservations: Reservations, now: Now
) -> tuple[list[Outgoing], list[ClaimResult]]:
    """What has room and goes, and the results of what waits. A reminder belongs to its touchpoint, which counts."""
    uses = [_use_of(one) for one in outgoing if is_contact(one.parts[0].claim.event)]
    if not uses:
        return list(outgoing), []
    refused = await reservations.reserve_room(uses)
    going = [one for one in outgoing if one.parts[0].claim.delivery.id not in refused]
    waiting = [
        _wait(part, no_room, now)
        for one in outgoing
        if (no_room := refused.get(one.parts[0].claim.delivery.id)) is not None
        for part in one.parts
    ]
    return going, waiting


def _use_of(outgoing: Outgoing) -> MessageUse:
    first, events = outgoing.parts[0].claim, [claim.event for claim in outgoing.claims]
    rank, due_at, _ = rank_of(first)
    return MessageUse(
        delivery_ids=tuple(claim.delivery.id for claim in outgoing.claims),
        token=first.token,
        account_id=first.event.content.account_id,
        contact_id=first.delivery.recipient.id or "",
        address=contact.email if (contact := outgoing.parts[0].reader.contact) else None,
        occasion=first.event.content.touchpoint_id or first.event.id,
        channel=first.delivery.channel,
        types=frozenset(event.content.touchpoint_type for event in events),
        rank=rank,
        due_at=due_at,
        never_waits=any(never_waits(event) for event in events),
        is_ambiguous=any(claim.ambiguous for claim in outgoing.claims),
    )


def _wait(written: Written, no_room: NoRoom, now: Now) -> ClaimResult:
    """Until there is room, as long as the message is worth sending; waiting is no attempt."""
    claim = written.claim
    ends_at = worth_sending_until(claim.event)
    if now.service >= ends_at:
        text = f"{Reason.NO_ROOM_IN_TIME}: {no_room.budget}"
        return ClaimResult(claim, finished(claim, State.EXPIRED, text))
    key = fold_key_of(claim.delivery.recipient) if written.may_fold else ""
    return ClaimResult(
        claim,
        claim.delivery.postponed(now.real, f"{Reason.NO_ROOM}: {no_room.budget}"),
        send_after=min(no_room.until, ends_at),
        timing=Timing(key, gathers=False),
        waits_for_room=True,
    )
