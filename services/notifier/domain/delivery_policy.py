"""The delivery policy: who gets a message about an event, over which channel, and when. Every decision has a reason.

A decision is made when the event arrives and again before sending: in between a contact may opt out, a deadline
may pass or the touchpoint may be withdrawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import get_args

from schemas.directory import ContactRecord
from schemas.times import QuietHours, clock_time
from schemas.vocabulary import Role
from schemas.zones import UTC_ZONE, TimeZone, UnknownZone, find_zone
from services.notifier.domain.addresses import clean_address
from services.notifier.domain.consent import find_opt_out
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import Event, readable_name
from services.notifier.domain.situation import Situation

CUSTOMER_CHANNELS = frozenset({"email", "in_app"})
_MAX_MOVES = 15
"""Quiet hours after quiet hours, of zones of one country, before a message is thought never to find a gap."""
OWNERS_WHO_ARE_PEOPLE = frozenset({"csm", "pooled_csm", "sales"})
ROLES: tuple[Role, ...] = get_args(Role)
"""The roles in the order in which one of several contacts with one address is chosen."""


class Action(StrEnum):
    SEND = "send"
    WAIT = "wait"
    SUPPRESS = "suppress"
    EXPIRE = "expire"


class Reason(StrEnum):
    """The text that people read as a delivery's reason."""

    READY = "ready to send"
    WAITING = "waiting for data about the recipient"
    UNKNOWN_ACCOUNT = "the account is unknown"
    UNKNOWN_CONTACT = "the contact is unknown"
    UNKNOWN_CSM = "the CSM is unknown"
    UNASSIGNED = "unassigned"
    NO_AUDIENCE = "the account has no contact in the audience"
    NO_ADDRESS = "no email address"
    UNKNOWN_ADDRESS = "an earlier message was refused: unknown email address"
    LEFT = "the contact has left"
    OPTED_OUT = "the contact opted out"
    PAUSED = "outreach is paused"
    CHANNEL = "the channel is not supported"
    ON_HOLD = "customer messages are on hold"
    MAIL_ON_HOLD = "customer mail is held"
    QUIET = "quiet hours"
    DEADLINE = "the deadline passed before it was sent"
    QUIET_PAST_DEADLINE = "quiet hours lasted past the deadline"
    WITHDRAWN = "withdrawn"
    NO_CONTENT = "no content"
    NO_FIGURES = "figures are not available yet"


@dataclass(frozen=True, slots=True)
class DeliveryDecision:
    """`send_after` (service time) only with SEND: not before that moment."""

    action: Action
    reason: Reason
    detail: str = ""
    send_after: datetime | None = None

    @property
    def text(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)


READY = DeliveryDecision(Action.SEND, Reason.READY)


@dataclass(frozen=True, slots=True)
class RecipientDecision:
    recipient: Recipient
    channel: str
    decision: DeliveryDecision


def is_owned_by_person(event: Event) -> bool:
    return event.content.owner.kind in OWNERS_WHO_ARE_PEOPLE


def csm_address(event: Event, situation: Situation) -> str | None:
    """The directory's address of the owner, else the one in the event."""
    owner = event.content.owner
    csm = situation.csms.get(owner.csm_id or "")
    return (csm.email if csm else None) or owner.email


def decide_recipients(event: Event, situation: Situation, now: datetime) -> tuple[RecipientDecision, ...]:
    """Everyone whom the event concerns, each with a decision. Never empty."""
    if is_owned_by_person(event):
        recipients = [Recipient(RecipientKind.CSM, event.content.owner.csm_id)]
        channels = ("email", "in_app") if event.content.owner.csm_id else ("email",)
    else:
        recipients = _audience(event, situation)
        channels = (event.content.channel,)
    return tuple(
        RecipientDecision(recipient, channel, decide_delivery(event, recipient, channel, situation, now))
        for recipient in recipients
        for channel in channels
    )


def _audience(event: Event, situation: Situation) -> list[Recipient]:
    nobody = [Recipient(RecipientKind.CONTACT, None)]
    if situation.account is None or not situation.live or event.content.channel not in CUSTOMER_CHANNELS:
        return nobody
    audience = event.content.audience
    members = [
        contact
        for contact in situation.account.contacts
        if not contact.left and (not audience or contact.role in audience)
    ]
    if event.content.channel == "email":
        members = _one_for_each_address(members)
    return [Recipient(RecipientKind.CONTACT, contact.contact_id) for contact in members] or nobody


def _one_for_each_address(contacts: Sequence[ContactRecord]) -> list[ContactRecord]:
    """Of contacts with one address the one with the first role, then with the first id; all without an address."""

    def rank(contact: ContactRecord) -> tuple[int, str]:
        return ROLES.index(contact.role) if contact.role else len(ROLES), contact.contact_id

    best: dict[str, ContactRecord] = {}
    for contact in sorted(contacts, key=rank):
        best.setdefault(clean_address(contact.email) if contact.email else f"\n{contact.contact_id}", contact)
    chosen = {contact.contact_id for contact in best.values()}
    return [contact for contact in contacts if contact.contact_id in chosen]


def decide_delivery(
    event: Event, recipient: Recipient, channel: str, situation: Situation, now: datetime
) -> DeliveryDecision:
    """Whether this recipient gets the message over this channel now; `now` is service time."""
    if situation.withdrawal_reason is not None:
        return _suppress(Reason.WITHDRAWN, situation.withdrawal_reason)
    if event.content.deadline is not None and now >= event.content.deadline:
        quiet = _ends_in_quiet_hours(event, recipient, channel, situation, event.content.deadline)
        return DeliveryDecision(Action.EXPIRE, Reason.QUIET_PAST_DEADLINE if quiet else Reason.DEADLINE)
    if recipient.kind is RecipientKind.CSM:
        return _decide_csm(event, recipient, channel, situation)
    return _decide_customer(event, recipient, channel, situation, now)


def _suppress(reason: Reason, detail: str = "") -> DeliveryDecision:
    return DeliveryDecision(Action.SUPPRESS, reason, detail)


def _wait_or_suppress(reason: Reason, situation: Situation) -> DeliveryDecision:
    return _suppress(reason) if situation.has_waited else DeliveryDecision(Action.WAIT, Reason.WAITING)


def _decide_csm(event: Event, recipient: Recipient, channel: str, situation: Situation) -> DeliveryDecision:
    if recipient.id is None:
        return _suppress(Reason.UNASSIGNED)
    if channel == "in_app":
        return READY
    address = csm_address(event, situation)
    if address is not None:
        return _decide_address(address, situation)
    is_known = recipient.id in situation.csms
    return _suppress(Reason.NO_ADDRESS) if is_known else _wait_or_suppress(Reason.UNKNOWN_CSM, situation)


def _decide_customer(
    event: Event, recipient: Recipient, channel: str, situation: Situation, now: datetime
) -> DeliveryDecision:
    closed = _closed(channel, situation)
    if closed is not None:
        return closed
    if situation.account is None:
        return _wait_or_suppress(Reason.UNKNOWN_ACCOUNT, situation)
    if recipient.id is None:
        if not situation.account.contacts and not situation.has_waited:
            return DeliveryDecision(Action.WAIT, Reason.WAITING)  # the account's contacts may arrive shortly
        return _suppress(
            Reason.NO_AUDIENCE, ", ".join(readable_name(role) for role in event.content.audience)
        )
    contact = situation.contact(recipient.id)
    if contact is None:
        return _wait_or_suppress(Reason.UNKNOWN_CONTACT, situation)
    objection = _objection(event, contact, channel, situation, now)
    if objection is not None:
        return objection
    return READY if channel == "in_app" else _decide_mail(event, contact, situation, now)


def _closed(channel: str, situation: Situation) -> DeliveryDecision | None:
    """Why no customer gets anything over this channel."""
    if not situation.live:
        return DeliveryDecision(Action.EXPIRE, Reason.ON_HOLD)
    if channel not in CUSTOMER_CHANNELS:
        return _suppress(Reason.CHANNEL, readable_name(channel))
    if channel == "email" and situation.mail_hold is not None:
        return DeliveryDecision(Action.EXPIRE, Reason.MAIL_ON_HOLD, situation.mail_hold)
    return None


def _objection(
    event: Event, contact: ContactRecord, channel: str, situation: Situation, now: datetime
) -> DeliveryDecision | None:
    if contact.left:
        return _suppress(Reason.LEFT)
    person = situation.same_person(contact)
    preferences = [record for record in situation.preferences if record.contact_id in person]
    consents = situation.consents.get(clean_address(contact.email), ()) if contact.email else ()
    opt_out = find_opt_out([*preferences, *consents], event.content.topic, channel)
    if opt_out is not None:
        topic, out_channel = opt_out.topic or "all topics", opt_out.channel or "all channels"
        return _suppress(Reason.OPTED_OUT, f"{readable_name(topic)} on {readable_name(out_channel)}")
    pauses = situation.account.pauses if situation.account else ()
    pause = next((pause for pause in pauses for one in person if pause.applies_to(one, now)), None)
    return _suppress(Reason.PAUSED, pause.reason) if pause else None


def _decide_mail(
    event: Event, contact: ContactRecord, situation: Situation, now: datetime
) -> DeliveryDecision:
    if not contact.email:
        return _suppress(Reason.NO_ADDRESS)
    decision = _decide_address(contact.email, situation)
    if decision.action is not Action.SEND:
        return decision
    opening = after_quiet_hours(now, _zones_of(contact, situation), event.content.quiet_hours)
    return READY if opening == now else DeliveryDecision(Action.SEND, Reason.QUIET, send_after=opening)


def _ends_in_quiet_hours(
    event: Event, recipient: Recipient, channel: str, situation: Situation, deadline: datetime
) -> bool:
    """Whether a mail to a contact was held by quiet hours when its deadline passed."""
    contact = situation.contact(recipient.id or "") if recipient.kind is RecipientKind.CONTACT else None
    if contact is None or channel != "email":
        return False
    last = deadline - timedelta(microseconds=1)
    return after_quiet_hours(last, _zones_of(contact, situation), event.content.quiet_hours) > last


def _zones_of(contact: ContactRecord, situation: Situation) -> Sequence[str]:
    if contact.timezone:
        return (contact.timezone,)
    return situation.account.zones if situation.account else ()


def _decide_address(address: str, situation: Situation) -> DeliveryDecision:
    is_unknown = clean_address(address) in situation.unknown_addresses
    return _suppress(Reason.UNKNOWN_ADDRESS) if is_unknown else READY


def after_quiet_hours(now: datetime, zones: Sequence[str], quiet: QuietHours) -> datetime:
    """The first moment from `now` on at which none of the recipient's zones has quiet hours (no zone: UTC).

    Several zones are those of a country of which no more is known. When one of them always has quiet hours, the first
    one alone counts.
    """
    places = [_zone(name) for name in zones] or [UTC_ZONE]
    opening = now
    for _ in range(_MAX_MOVES):
        latest = max(_after_quiet_hours_in(zone, opening, quiet) for zone in places)
        if latest == opening:
            return opening
        opening = latest
    return _after_quiet_hours_in(places[0], now, quiet)


def _after_quiet_hours_in(zone: TimeZone, now: datetime, quiet: QuietHours) -> datetime:
    begin, end = clock_time(quiet.from_), clock_time(quiet.to)
    local = now.astimezone(zone)
    clock = local.time()
    is_quiet = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not is_quiet:
        return now
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    opening = datetime.combine(day, end, zone).astimezone(UTC)
    return max(opening, now)


def _zone(name: str) -> TimeZone:
    try:
        return find_zone(name)
    except UnknownZone:
        return UTC_ZONE
