"""Who gets an invitation to a touchpoint, an update of it or its cancellation, and when.

The contacts of its audience who may be written to, by the rules of customer mail, and who leads it. Whoever has an
invitation and is not invited any more gets its cancellation. Nobody is told instead of somebody who cannot be invited.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from schemas.touchpoints import TouchpointData
from schemas.zones import UTC_ZONE
from services.calendar.announcing import INVITED_AHEAD
from services.calendar.icalendar_events import end_of
from services.notifier.domain.acts import OWNERS_WHO_ARE_PEOPLE
from services.notifier.domain.customer_policy import (
    NOBODY,
    closed_to_customers,
    decide_address_of,
    find_audience,
    opening_for,
    pauses_until,
    refuse_customer,
    zones_of,
)
from services.notifier.domain.decision import (
    READY,
    Action,
    DeliveryDecision,
    Reason,
    RecipientDecision,
    Timing,
    decide_address,
    suppress,
    wait_or_suppress,
)
from services.notifier.domain.delivery import CALENDAR, Recipient, RecipientKind
from services.notifier.domain.event import CANCELLED, MOVED, Event
from services.notifier.domain.invitation import Invitation
from services.notifier.domain.invitation_slots import (
    MOST_TO_CONTACT,
    MOST_TO_CSM,
    Mornings,
    find_slot,
)
from services.notifier.domain.owner_policy import address_of
from services.notifier.domain.quiet_hours import zone_named
from services.notifier.domain.situation import Situation
from services.notifier.domain.working_day import working_days, zone_of

Method = Literal["REQUEST", "CANCEL"]
_MAIL: Final = "email"
"""Invitations are mail: who wants no mail gets none."""
_TAKES_BACK: Final = frozenset({Reason.NOT_INVITED, Reason.OPTED_OUT, Reason.PAUSED, Reason.LEFT})
"""Why somebody is not invited any more; what they have in their calendar is then cancelled."""


@dataclass(frozen=True, slots=True)
class InvitationDecision:
    """What a delivery does to the reader's calendar, and whether it goes now."""

    method: Method
    decision: DeliveryDecision


def times_of(content: TouchpointData) -> tuple[datetime, datetime]:
    """When the touchpoint begins and ends."""
    return content.due_at, end_of(content.due_at, content.minutes)


def find_leader(event: Event) -> Recipient | None:
    """Who leads it; None: nobody."""
    owner = event.content.owner
    is_person = owner.kind in OWNERS_WHO_ARE_PEOPLE and owner.csm_id is not None
    return Recipient(RecipientKind.CSM, owner.csm_id) if is_person else None


def waits_for_leader(event: Event) -> bool:
    """Whether a person is to lead it, and nobody does yet."""
    return event.content.owner.kind in OWNERS_WHO_ARE_PEOPLE and event.content.owner.csm_id is None


def decide_invitations(event: Event, situation: Situation, now: datetime) -> list[RecipientDecision]:
    """Everyone whose calendar the event concerns, each with a decision."""
    known = sorted(situation.invitations, key=lambda one: (one.kind, one.id or ""))
    content = event.content
    if not known and (not isinstance(content, TouchpointData) or content.due_at <= now):
        return []
    recipients = dict.fromkeys([*find_invited(event, situation, now), *known])
    return [
        RecipientDecision(recipient, CALENDAR, decide_invitation(event, recipient, situation, now).decision)
        for recipient in recipients
    ]


def find_invited(event: Event, situation: Situation, now: datetime) -> list[Recipient]:
    """Who is to have it in their calendar: contacts, and who leads it. One without an id where no contact can."""
    known = situation.invitations
    if event.type == CANCELLED or not (situation.invites or known):
        return []
    leader = find_leader(event)
    if waits_for_leader(event) and not known:
        return [NOBODY]
    everyone = [*find_audience(event, situation, now, _MAIL), *([leader] if leader else [])]
    return everyone if situation.invites else [one for one in everyone if one in known]


def find_attendees(event: Event, situation: Situation, now: datetime) -> list[Recipient]:
    """Who takes part as far as invitations go: those who are to have it and may be written to."""
    invited = find_invited(event, situation, now)
    return [one for one in invited if one.id and _refuse(event, one, situation, now) is None]


def decide_invitation(
    event: Event, recipient: Recipient, situation: Situation, now: datetime
) -> InvitationDecision:
    """What this delivery does now; `now` is service time."""
    if situation.withdrawal_reason is not None:
        return InvitationDecision("REQUEST", suppress(Reason.WITHDRAWN, situation.withdrawal_reason))
    content = event.content
    if not isinstance(content, TouchpointData) or content.due_at <= now:
        return InvitationDecision("REQUEST", DeliveryDecision(Action.EXPIRE, Reason.PAST))
    invitation = situation.invitations.get(recipient)
    refusal = _refuse(event, recipient, situation, now)
    takes_back = refusal is not None and refusal.action is Action.SUPPRESS and refusal.reason in _TAKES_BACK
    if takes_back and invitation is not None:
        return InvitationDecision("CANCEL", _decide_cancellation(event, recipient, situation, now))
    if refusal is not None:
        return InvitationDecision("REQUEST", refusal)
    if invitation is not None and event.type == MOVED and _is_shown(invitation, event, content):
        return InvitationDecision("REQUEST", suppress(Reason.UNCHANGED))
    return InvitationDecision("REQUEST", _decide_time(content, event, recipient, situation, now))


def _is_shown(invitation: Invitation, event: Event, content: TouchpointData) -> bool:
    leader = find_leader(event)
    return invitation.shows(*times_of(content), leader.id if leader else None)


def _refuse(
    event: Event, recipient: Recipient, situation: Situation, now: datetime
) -> DeliveryDecision | None:
    """Why this reader is not invited; None: they are."""
    is_contact = recipient.kind is RecipientKind.CONTACT
    closed = closed_to_customers(_MAIL, situation) if is_contact else None
    if closed is not None:
        return closed
    if recipient not in find_invited(event, situation, now):
        return suppress(Reason.NOT_INVITED)
    if not is_contact:
        return _refuse_address(event, recipient, situation)
    if recipient == NOBODY and waits_for_leader(event):
        return suppress(Reason.NO_LEADER)
    refusal = refuse_customer(event, recipient, _MAIL, situation, now)
    contact = situation.contact(recipient.id)
    if refusal is None or refusal.reason is not Reason.PAUSED or contact is None:
        return refusal
    # A pause that ends in time holds the invitation back: the date is still to come.
    until = pauses_until(contact, situation, now)
    if until is None or event.content.due_at is None or until >= event.content.due_at:
        return refusal
    return DeliveryDecision(Action.WAIT, Reason.PAUSED, refusal.detail, send_after=until)


def _refuse_address(event: Event, recipient: Recipient, situation: Situation) -> DeliveryDecision | None:
    """Why a person of ours cannot be written to."""
    address = address_of(event, recipient, situation)
    if address is None:
        is_known = recipient.id in situation.csms
        return suppress(Reason.NO_ADDRESS) if is_known else wait_or_suppress(Reason.UNKNOWN_CSM, situation)
    decision = decide_address(address, situation)
    return None if decision is READY else decision


def _decide_cancellation(
    event: Event, recipient: Recipient, situation: Situation, now: datetime
) -> DeliveryDecision:
    """Whether what the reader has goes now: an opt-out and a pause do not keep it there."""
    if situation.invitations[recipient].sequence > event.content.sequence:
        return suppress(Reason.WITHDRAWN, "it was planned again")
    if recipient.kind is RecipientKind.CSM:
        return _refuse_address(event, recipient, situation) or READY
    closed = closed_to_customers(_MAIL, situation)
    if closed is not None:
        return closed
    contact = situation.contact(recipient.id)
    if contact is None:
        return wait_or_suppress(Reason.UNKNOWN_CONTACT, situation)
    address = decide_address_of(contact, situation)
    return address if address is not READY else _outside_quiet_hours(event, recipient, situation, now)


def _decide_time(
    content: TouchpointData, event: Event, recipient: Recipient, situation: Situation, now: datetime
) -> DeliveryDecision:
    """Updates go at once; first invitations not too far ahead, and a few a day."""
    if recipient not in situation.invitations:
        mornings = _mornings_of(recipient, situation)
        if content.due_at - now > INVITED_AHEAD:
            first = mornings.after(content.due_at - INVITED_AHEAD, 1)
            return DeliveryDecision(Action.SEND, Reason.FAR_AHEAD, send_after=first, timing=Timing("", first))
        slot = find_slot(content.due_at, now, situation.queue, mornings, situation.planned_at)
        if slot is not None:
            return DeliveryDecision(Action.SEND, Reason.MORNING, send_after=slot, timing=Timing("", slot))
    if recipient.kind is RecipientKind.CSM:
        return READY
    return _outside_quiet_hours(event, recipient, situation, now)


def _outside_quiet_hours(
    event: Event, recipient: Recipient, situation: Situation, now: datetime
) -> DeliveryDecision:
    opening, due_at = opening_for(event, recipient, situation, now), event.content.due_at
    if opening == now:
        return READY
    if due_at is not None and opening >= due_at:
        return DeliveryDecision(Action.EXPIRE, Reason.QUIET_PAST_DEADLINE)
    # When they end it is not planned for another morning.
    return DeliveryDecision(Action.SEND, Reason.QUIET, send_after=opening, timing=Timing("", opening))


def _mornings_of(recipient: Recipient, situation: Situation) -> Mornings:
    if recipient.kind is RecipientKind.CSM:
        person = situation.csms.get(recipient.id or "")
        return Mornings(zone_of(person), MOST_TO_CSM, working_days(person))
    contact = situation.contact(recipient.id)
    zones = zones_of(contact, situation) if contact is not None else ()
    return Mornings(zone_named(zones[0]) if zones else UTC_ZONE, MOST_TO_CONTACT)
