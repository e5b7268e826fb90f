"""Messages that an automation platform writes instead of Drumbeat: which contacts it gets, and when none.

Opt-outs, pauses and consent are applied first, so that the platform never gets a contact who is not to be written to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.notifier.domain.customer_policy import (
    decide_address_of,
    find_audience,
    find_objection,
    opening_for,
)
from services.notifier.domain.decision import (
    READY,
    Action,
    DeliveryDecision,
    Reason,
    suppress,
    wait_or_suppress,
)
from services.notifier.domain.delivery import Recipient
from services.notifier.domain.event import Event, readable_name
from services.notifier.domain.situation import Situation


@dataclass(frozen=True, slots=True)
class HandOffAudience:
    """`opens_at`: who may be written to, and from when on (service time). `refused`: who may not."""

    opens_at: Mapping[Recipient, datetime]
    refused: Mapping[Recipient, DeliveryDecision]


def decide_hand_off(event: Event, situation: Situation) -> DeliveryDecision:
    """Whether the message is handed off now. How Drumbeat's own mail works does not matter."""
    if not situation.live:
        return DeliveryDecision(Action.EXPIRE, Reason.ON_HOLD)
    if situation.account is None:
        return wait_or_suppress(Reason.UNKNOWN_ACCOUNT, situation)
    if all(contact.left for contact in situation.account.contacts):
        if not situation.has_waited and not situation.account.contacts:
            return DeliveryDecision(Action.WAIT, Reason.WAITING)  # the account's contacts may arrive shortly
        return suppress(Reason.NO_AUDIENCE, ", ".join(readable_name(role) for role in event.content.audience))
    return READY


def find_hand_off_audience(event: Event, situation: Situation, now: datetime) -> HandOffAudience:
    """The contacts of the audience, each decided on by the rules of Drumbeat's own messages."""
    opens_at: dict[Recipient, datetime] = {}
    refused: dict[Recipient, DeliveryDecision] = {}
    for recipient in find_audience(event, situation, now):
        refusal = _refuse(event, recipient, situation, now)
        if refusal is None:
            opens_at[recipient] = opening_for(event, recipient, situation, now, situation.send_window)
        else:
            refused[recipient] = refusal
    return HandOffAudience(opens_at, refused)


def _refuse(
    event: Event, recipient: Recipient, situation: Situation, now: datetime
) -> DeliveryDecision | None:
    contact, channel = situation.contact(recipient.id), event.customer_channel
    if contact is None:
        roles: Sequence[str] = [readable_name(role) for role in event.content.audience]
        return suppress(Reason.NO_AUDIENCE, ", ".join(roles))
    objection = find_objection(event, contact, channel, situation, now)
    if objection is not None or channel != "email":
        return objection
    decision = decide_address_of(contact, situation)
    return None if decision is READY else decision
