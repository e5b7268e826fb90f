"""The delivery policy: who gets a message about an event, over which channel, and when. Every decision has a reason.

A decision is made when the event arrives and again before sending: in between a contact may opt out, a deadline
may pass or the touchpoint may be withdrawn.
"""

from dataclasses import replace
from datetime import datetime

from services.notifier.domain.approval import DraftState
from services.notifier.domain.customer_policy import (
    NOBODY,
    decide_audience,
    decide_customer,
    reason_of_deadline,
)
from services.notifier.domain.decision import (
    Action,
    DeliveryDecision,
    Reason,
    RecipientDecision,
    suppress,
)
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import Event, News
from services.notifier.domain.hand_off import decide_hand_off
from services.notifier.domain.owner_policy import (
    decide_fallback,
    decide_owner,
    decide_owners,
    is_handed_over,
    is_owned_by_person,
)
from services.notifier.domain.situation import Situation


def decide_recipients(event: Event, situation: Situation, now: datetime) -> tuple[RecipientDecision, ...]:
    """Everyone whom the event concerns, each with a decision.

    Never empty for a touchpoint that is due and for a notice: where nobody can be reached, somebody of ours is told.
    """
    if event.news is News.REMINDER:
        decisions = _decide_reminded(event, situation, now)
    elif event.is_handed_off(situation.handling.hand_off):
        decisions = _decide_handed_off(event, situation, now)
    elif event.news is News.AT_RISK or is_owned_by_person(event) or is_handed_over(event, situation):
        decisions = decide_owners(event, situation, now)
    elif event.news is News.DUE:
        decisions = _decide_customers(event, situation, now)
    else:
        decisions = []
    ended = [(one, _ended(event, one.recipient, one.channel, situation, now)) for one in decisions]
    return tuple(one if end is None else replace(one, decision=end) for one, end in ended)


def _decide_reminded(event: Event, situation: Situation, now: datetime) -> list[RecipientDecision]:
    """Whoever leads it, and the contacts with whom it takes place; internal work has none."""
    owners = decide_owners(event, situation, now) if is_owned_by_person(event) else []
    return owners if event.content.topic is None else owners + decide_audience(event, situation, now)


def _decide_handed_off(event: Event, situation: Situation, now: datetime) -> list[RecipientDecision]:
    """One decision for all contacts: the platform gets them together. Where none can be, somebody of ours is told."""
    decision = decide_hand_off(event, situation)
    decisions = [RecipientDecision(NOBODY, event.customer_channel, decision)]
    return decisions + decide_fallback(event, situation, now) if decision.leaves_nobody else decisions


def _decide_customers(event: Event, situation: Situation, now: datetime) -> list[RecipientDecision]:
    decisions = decide_audience(event, situation, now)
    is_touchpoint = event.content.touchpoint_id is not None
    last_of_each = {one.recipient: one.decision for one in decisions}.values()
    if is_touchpoint and all(decision.leaves_nobody for decision in last_of_each):
        decisions += decide_fallback(event, situation, now)
    return decisions


def decide_delivery(
    event: Event, recipient: Recipient, channel: str, situation: Situation, now: datetime
) -> DeliveryDecision:
    """Whether this recipient gets the message over this channel now; `now` is service time."""
    ended = _ended(event, recipient, channel, situation, now)
    if ended is not None:
        return ended
    if recipient.kind in (RecipientKind.CSM, RecipientKind.MAILBOX):
        return decide_owner(event, recipient, channel, situation, now)
    if event.is_handed_off(situation.handling.hand_off):
        return decide_hand_off(event, situation)
    return after_approval(decide_customer(event, recipient, channel, situation, now), situation)


def after_approval(decision: DeliveryDecision, situation: Situation) -> DeliveryDecision:
    """What may go waits until its draft is approved."""
    approval = situation.approval
    if decision.action is not Action.SEND or approval is None:
        return decision
    match approval.state:
        case DraftState.PENDING:
            return DeliveryDecision(
                Action.WAIT, Reason.APPROVAL, approval.approver, send_after=approval.until
            )
        case DraftState.REJECTED:
            return suppress(Reason.REJECTED, approval.reason)
        case DraftState.WITHDRAWN:
            return suppress(Reason.WITHDRAWN, approval.reason)
        case DraftState.APPROVED | DraftState.EXPIRED:
            return decision


def _ended(
    event: Event, recipient: Recipient, channel: str, situation: Situation, now: datetime
) -> DeliveryDecision | None:
    """Why nobody gets the message any more: withdrawn, or too late."""
    if situation.withdrawal_reason is not None:
        return suppress(Reason.WITHDRAWN, situation.withdrawal_reason)
    if situation.approval is not None and situation.approval.is_late(now):
        return DeliveryDecision(Action.EXPIRE, Reason.NOT_APPROVED, situation.approval.deadline)
    if event.news is News.REMINDER and event.ends_at is not None and now >= event.ends_at:
        return DeliveryDecision(Action.EXPIRE, Reason.BEGUN)
    deadline = event.content.deadline
    if event.news is News.DUE and deadline is not None and now >= deadline:
        return DeliveryDecision(Action.EXPIRE, reason_of_deadline(event, recipient, channel, situation))
    return None
