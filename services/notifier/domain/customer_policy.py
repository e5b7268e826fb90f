"""Who at the customer gets a message that Drumbeat itself sends, and when.

Members of the audience; where it has none, whoever is there. Where nobody at all can be written to, a person of ours is
told (`owner_policy`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

from schemas.directory import ContactRecord
from schemas.times import SendWindow
from schemas.vocabulary import Role
from services.notifier.domain.addresses import clean_address
from services.notifier.domain.consent import find_opt_out
from services.notifier.domain.contact_channel import (
    IN_APP,
    MAIL,
    TEXT_CHANNELS,
    ChosenChannel,
    address_on,
    choose_channel,
    consents_on,
    find_problem,
    open_channels,
    suppress_opt_out,
)
from services.notifier.domain.contact_rules import is_foldable
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
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import Event, News, readable_name
from services.notifier.domain.quiet_hours import after_quiet_hours
from services.notifier.domain.situation import Situation

ROLES: tuple[Role, ...] = get_args(Role)
"""The roles in the order in which one of several contacts with one address is chosen."""
NOBODY = Recipient(RecipientKind.CONTACT, None)


def find_audience(
    event: Event, situation: Situation, now: datetime, channel: str | None = None
) -> list[Recipient]:
    """The contacts whom the event concerns; one without an id when there is none. `channel` None: that of each."""
    if situation.account is None or not situation.live:
        return [NOBODY]
    audience, present = (
        event.content.audience,
        [contact for contact in situation.account.contacts if not contact.left],
    )
    members = [contact for contact in present if not audience or contact.role in audience]
    if not members and event.news is not News.REMINDER:
        members = _whoever_is_there(event, present, channel, situation, now)
    if (channel or event.customer_channel) != IN_APP:
        members = _one_for_each_address(members)
    return [Recipient(RecipientKind.CONTACT, contact.contact_id) for contact in members] or [NOBODY]


def rank_contact(contact: ContactRecord) -> tuple[int, str]:
    """The place of a contact among several of whom one is chosen: by role, then by id."""
    return ROLES.index(contact.role) if contact.role else len(ROLES), contact.contact_id


def _whoever_is_there(
    event: Event, present: Sequence[ContactRecord], channel: str | None, situation: Situation, now: datetime
) -> list[ContactRecord]:
    """The first contact, by role and id, who may be written to; empty without one."""
    for contact in sorted(present, key=rank_contact):
        over = channel or choose_channel(event, contact, situation).channel
        is_reachable = over != MAIL or decide_address_of(contact, situation) is READY
        if is_reachable and find_objection(event, contact, over, situation, now) is None:
            return [contact]
    return []


def _one_for_each_address(contacts: Sequence[ContactRecord]) -> list[ContactRecord]:
    """Of contacts with one address the one with the first role, then with the first id; all without an address."""
    best: dict[str, ContactRecord] = {}
    for contact in sorted(contacts, key=rank_contact):
        best.setdefault(clean_address(contact.email) if contact.email else f"\n{contact.contact_id}", contact)
    chosen = {contact.contact_id for contact in best.values()}
    return [contact for contact in contacts if contact.contact_id in chosen]


def decide_audience(event: Event, situation: Situation, now: datetime) -> list[RecipientDecision]:
    """A decision for each contact whom the event concerns; one more for a channel that was preferred to it in vain."""
    decisions: list[RecipientDecision] = []
    reached: set[tuple[str, str]] = set()
    for recipient in find_audience(event, situation, now):
        contact = situation.contact(recipient.id)
        chosen = ChosenChannel(event.customer_channel)
        if contact is not None:
            chosen = choose_channel(event, contact, situation)
            target = (chosen.channel, address_on(contact, chosen.channel) or "")
            if chosen.channel in TEXT_CHANNELS and target in reached:
                continue  # one telephone or Slack channel gets it once
            reached.add(target)
        if chosen.instead_of is not None and chosen.problem is not None:
            decisions.append(RecipientDecision(recipient, chosen.instead_of, chosen.problem))
        decision = decide_customer(event, recipient, chosen.channel, situation, now)
        decisions.append(RecipientDecision(recipient, chosen.channel, decision))
    return decisions


def decide_customer(
    event: Event, recipient: Recipient, channel: str, situation: Situation, now: datetime
) -> DeliveryDecision:
    """Whether this contact gets the message over this channel now; `now` is service time."""
    refusal = refuse_customer(event, recipient, channel, situation, now)
    if refusal is not None:
        return refusal
    if channel == IN_APP or situation.needs_approval:
        return READY
    is_folded = situation.approval is None and is_foldable(event, channel)
    timing = Timing(fold_key_of(recipient), gathers=False) if is_folded else None
    after_quiet = opening_for(event, recipient, situation, now)
    opening = opening_for(event, recipient, situation, now, situation.send_window)
    if opening == now:
        return replace(READY, timing=timing)
    reason = Reason.QUIET if opening == after_quiet else Reason.SEND_WINDOW
    return DeliveryDecision(Action.SEND, reason, send_after=opening, timing=timing)


def fold_key_of(recipient: Recipient) -> str:
    """The mails to one contact that are ready at one moment are one mail, except those that go as they were approved."""
    return f"customer:{recipient.id}"


def refuse_customer(
    event: Event, recipient: Recipient, channel: str, situation: Situation, now: datetime
) -> DeliveryDecision | None:
    """Why this contact gets no message over this channel now, whatever the hour; None: they may."""
    closed = closed_to_customers(channel, situation)
    if closed is not None:
        return closed
    if situation.account is None:
        return wait_or_suppress(Reason.UNKNOWN_ACCOUNT, situation)
    if recipient.id is None:
        if not situation.account.contacts and not situation.has_waited:
            return DeliveryDecision(Action.WAIT, Reason.WAITING)  # the account's contacts may arrive shortly
        roles = ", ".join(readable_name(role) for role in event.content.audience)
        return suppress(Reason.NO_AUDIENCE, roles)
    contact = situation.contact(recipient.id)
    if contact is None:
        return wait_or_suppress(Reason.UNKNOWN_CONTACT, situation)
    objection = find_objection(event, contact, channel, situation, now)
    if objection is not None:
        return objection
    if channel in TEXT_CHANNELS:
        return find_problem(contact, channel, event.content.topic, situation)
    return None if channel == IN_APP else _refuse_mail(event, contact, situation, now)


def closed_to_customers(channel: str, situation: Situation) -> DeliveryDecision | None:
    """Why no customer gets anything over this channel."""
    if not situation.live:
        return DeliveryDecision(Action.EXPIRE, Reason.ON_HOLD)
    if channel not in open_channels(situation):
        why = situation.closed.get(channel)
        return suppress(Reason.CHANNEL, f"{readable_name(channel)}: {why}" if why else readable_name(channel))
    if channel == MAIL and situation.mail_hold is not None:
        return DeliveryDecision(Action.EXPIRE, Reason.MAIL_ON_HOLD, situation.mail_hold)
    return None


def find_objection(
    event: Event, contact: ContactRecord, channel: str, situation: Situation, now: datetime
) -> DeliveryDecision | None:
    """Why this contact is not to be written to over this channel: left, opted out, or paused."""
    if contact.left:
        return suppress(Reason.LEFT)
    person = situation.same_person(contact)
    opt_out = find_opt_out(consents_on(contact, channel, situation), event.content.topic, channel)
    if opt_out is not None:
        return suppress_opt_out(opt_out)
    pauses = situation.account.pauses if situation.account else ()
    pause = next((pause for pause in pauses for one in person if pause.applies_to(one, now)), None)
    return suppress(Reason.PAUSED, pause.reason) if pause else None


def pauses_until(contact: ContactRecord, situation: Situation, now: datetime) -> datetime | None:
    """When all pauses of the contact that are in force have ended; None: one of them has no end."""
    person = situation.same_person(contact)
    pauses = situation.account.pauses if situation.account else ()
    ends = [pause.until for pause in pauses if any(pause.applies_to(one, now) for one in person)]
    return None if None in ends else max(filter(None, ends), default=now)


def decide_address_of(contact: ContactRecord, situation: Situation) -> DeliveryDecision:
    return decide_address(contact.email, situation) if contact.email else suppress(Reason.NO_ADDRESS)


def _refuse_mail(
    event: Event, contact: ContactRecord, situation: Situation, now: datetime
) -> DeliveryDecision | None:
    decision = decide_address_of(contact, situation)
    if decision.reason is Reason.NO_ADDRESS and event.ends_at is not None and now < event.ends_at:
        return DeliveryDecision(Action.WAIT, Reason.NO_ADDRESS_YET, send_after=event.ends_at)
    return None if decision.action is Action.SEND else decision


def opening_for(
    event: Event, recipient: Recipient, situation: Situation, now: datetime, window: SendWindow | None = None
) -> datetime:
    """The first moment from now on at which this contact has no quiet hours, and the send window is open."""
    contact = situation.contact(recipient.id)
    zones = zones_of(contact, situation) if contact else ()
    return after_quiet_hours(now, zones, event.content.quiet_hours, window)


def reason_of_deadline(event: Event, recipient: Recipient, channel: str, situation: Situation) -> Reason:
    """Why a message was not sent before its deadline: one to a contact may have waited for an hour of the day."""
    contact = situation.contact(recipient.id or "") if recipient.kind is RecipientKind.CONTACT else None
    deadline = event.content.deadline
    if contact is None or channel not in (MAIL, *TEXT_CHANNELS) or deadline is None:
        return Reason.DEADLINE
    last = deadline - timedelta(microseconds=1)
    if opening_for(event, recipient, situation, last) > last:
        return Reason.QUIET_PAST_DEADLINE
    is_closed = opening_for(event, recipient, situation, last, situation.send_window) > last
    return Reason.WINDOW_PAST_DEADLINE if is_closed else Reason.DEADLINE


def zones_of(contact: ContactRecord, situation: Situation) -> Sequence[str]:
    if contact.timezone:
        return (contact.timezone,)
    return situation.account.zones if situation.account else ()
