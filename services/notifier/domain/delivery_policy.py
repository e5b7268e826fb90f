"""The delivery policy: who gets a message about an event, over which channel, and when. Every decision has a reason.

A decision is made when the event arrives and again before sending: in between a contact may opt out, a deadline
may pass or the touchpoint may be withdrawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.directory import ContactRecord, CsmRecord, PreferenceRecord
from schemas.times import QuietHours, clock_time
from services.notifier.domain.consent import find_opt_out
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import Event, readable_name
from services.notifier.domain.mode import Mode
from services.notifier.domain.people import Account

CUSTOMER_CHANNELS = frozenset({"email", "in_app"})
OWNERS_WHO_ARE_PEOPLE = frozenset({"csm", "pooled_csm", "sales"})


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
    QUIET = "quiet hours"
    DEADLINE = "the deadline passed before it was sent"
    WITHDRAWN = "withdrawn"


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


@dataclass(frozen=True, slots=True)
class Directory:
    """What is known of the people that a batch of events concerns, and the mode in force.

    `preferences` by contact id; `unknown_addresses` in lower case; `withdrawn` maps a touchpoint id to the
    sequence and the reason of its withdrawal.
    """

    accounts: Mapping[str, Account] = field(default_factory=dict[str, Account])
    csms: Mapping[str, CsmRecord] = field(default_factory=dict[str, CsmRecord])
    preferences: Mapping[str, Sequence[PreferenceRecord]] = field(
        default_factory=dict[str, Sequence[PreferenceRecord]]
    )
    unknown_addresses: frozenset[str] = frozenset()
    withdrawn: Mapping[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    mode: Mode = field(default_factory=Mode)

    def situation_of(self, event: Event, *, has_waited: bool = False) -> "Situation":
        """The situation in which this event is delivered."""
        account = self.accounts.get(event.content.account_id)
        contacts = account.contacts if account else ()
        sequence, reason = self.withdrawn.get(event.content.touchpoint_id or "", (-1, ""))
        return Situation(
            live=self.mode.allows(event.time),
            account=account,
            csms=self.csms,
            preferences=[
                preference
                for contact in contacts
                for preference in self.preferences.get(contact.contact_id, ())
            ],
            unknown_addresses=self.unknown_addresses,
            withdrawal_reason=reason if sequence > event.content.sequence else None,
            has_waited=has_waited,
        )


@dataclass(frozen=True, slots=True)
class Situation:
    """What a decision depends on, besides event and time.

    `live`: customers may be contacted about it. `has_waited`: what the directory does not have by now it will not get.
    """

    live: bool = True
    account: Account | None = None
    csms: Mapping[str, CsmRecord] = field(default_factory=dict[str, CsmRecord])
    preferences: Sequence[PreferenceRecord] = ()
    unknown_addresses: frozenset[str] = frozenset()
    withdrawal_reason: str | None = None
    has_waited: bool = False

    def contact(self, contact_id: str | None) -> ContactRecord | None:
        contacts = self.account.contacts if self.account else ()
        return next((contact for contact in contacts if contact.contact_id == contact_id), None)


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
        Recipient(RecipientKind.CONTACT, contact.contact_id)
        for contact in situation.account.contacts
        if not contact.left and (not audience or contact.role in audience)
    ]
    return members or nobody


def decide_delivery(
    event: Event, recipient: Recipient, channel: str, situation: Situation, now: datetime
) -> DeliveryDecision:
    """Whether this recipient gets the message over this channel now; `now` is service time."""
    if situation.withdrawal_reason is not None:
        return _suppress(Reason.WITHDRAWN, situation.withdrawal_reason)
    if event.content.deadline is not None and now >= event.content.deadline:
        return DeliveryDecision(Action.EXPIRE, Reason.DEADLINE)
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
    if not situation.live:
        return DeliveryDecision(Action.EXPIRE, Reason.ON_HOLD)
    if channel not in CUSTOMER_CHANNELS:
        return _suppress(Reason.CHANNEL, readable_name(channel))
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


def _objection(
    event: Event, contact: ContactRecord, channel: str, situation: Situation, now: datetime
) -> DeliveryDecision | None:
    if contact.left:
        return _suppress(Reason.LEFT)
    own = [record for record in situation.preferences if record.contact_id == contact.contact_id]
    opt_out = find_opt_out(own, event.content.topic, channel)
    if opt_out is not None:
        topic, out_channel = opt_out.topic or "all topics", opt_out.channel or "all channels"
        return _suppress(Reason.OPTED_OUT, f"{readable_name(topic)} on {readable_name(out_channel)}")
    pauses = situation.account.pauses if situation.account else ()
    pause = next((pause for pause in pauses if pause.applies_to(contact.contact_id, now)), None)
    return _suppress(Reason.PAUSED, pause.reason) if pause else None


def _decide_mail(
    event: Event, contact: ContactRecord, situation: Situation, now: datetime
) -> DeliveryDecision:
    if not contact.email:
        return _suppress(Reason.NO_ADDRESS)
    decision = _decide_address(contact.email, situation)
    if decision.action is not Action.SEND:
        return decision
    account_zone = situation.account.timezone if situation.account else None
    opening = after_quiet_hours(now, contact.timezone or account_zone, event.content.quiet_hours)
    return READY if opening == now else DeliveryDecision(Action.SEND, Reason.QUIET, send_after=opening)


def _decide_address(address: str, situation: Situation) -> DeliveryDecision:
    return _suppress(Reason.UNKNOWN_ADDRESS) if address.lower() in situation.unknown_addresses else READY


def after_quiet_hours(now: datetime, timezone: str | None, quiet: QuietHours) -> datetime:
    """`now`, or the end of the quiet hours it falls into, in the recipient's zone (unknown: UTC)."""
    zone, begin, end = _zone(timezone), clock_time(quiet.from_), clock_time(quiet.to)
    local = now.astimezone(zone)
    if end <= local.time() < begin:
        return now
    day = local.date() if local.time() < end else local.date() + timedelta(days=1)
    opening = datetime.combine(day, end, zone).astimezone(UTC)
    return max(opening, now)


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
