"""The gate: who is told, over which channel, and whether now. Every verdict has a reason.

A verdict is reached when the announcement is heard and again when the sending begins, because in between a
contact may have opted out, a deadline may have passed or a touchpoint may have been called off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.notifier.domain.consent import Preference, refusal
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import Announcement
from services.notifier.domain.people import Account, Contact, Person

QUIET_FROM, QUIET_UNTIL = time(20), time(8)
CUSTOMER_CHANNELS = frozenset({"email", "in_app"})


class Action(StrEnum):
    SEND = "send"
    HOLD = "hold"
    SUPPRESS = "suppress"
    EXPIRE = "expire"


class Reason(StrEnum):
    CLEAR = "nothing stands against it"
    WAITING = "waiting for directory"
    UNKNOWN_ACCOUNT = "the directory does not know the account"
    UNKNOWN_CONTACT = "the directory does not know the contact"
    UNKNOWN_CSM = "the directory does not know the CSM"
    NO_CSM = "no CSM is assigned"
    NO_AUDIENCE = "the account has no contact of the audience"
    NO_ADDRESS = "no email address"
    REFUSED_ADDRESS = "the address was refused as unknown before"
    LEFT = "the contact has left"
    OPTED_OUT = "the contact opted out"
    PAUSED = "outreach is paused"
    CHANNEL = "the channel is not supported"
    HELD_MODE = "came due while nothing was let out to customers"
    QUIET = "quiet hours"
    DEADLINE = "the deadline passed before it could be sent"
    WITHDRAWN = "the touchpoint was called off"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`send_after` (service time) only with SEND: not before that moment."""

    action: Action
    reason: Reason
    detail: str = ""
    send_after: datetime | None = None

    @property
    def text(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)


CLEAR = Verdict(Action.SEND, Reason.CLEAR)


@dataclass(frozen=True, slots=True)
class Telling:
    recipient: Recipient
    channel: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Directory:
    """The people around a batch of announcements, and what has been called off."""

    accounts: Mapping[str, Account] = field(default_factory=dict[str, Account])
    people: Mapping[str, Person] = field(default_factory=dict[str, Person])
    preferences: Mapping[str, Sequence[Preference]] = field(default_factory=dict[str, Sequence[Preference]])
    refused_addresses: frozenset[str] = frozenset()
    withdrawn: Mapping[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])

    def around(self, heard: Announcement, *, live: bool, waited: bool = False) -> "Situation":
        account = self.accounts.get(heard.account_id)
        contacts = account.contacts if account else ()
        sequence, why = self.withdrawn.get(heard.touchpoint_id or "", (-1, ""))
        return Situation(
            live=live,
            account=account,
            people=self.people,
            preferences=[word for each in contacts for word in self.preferences.get(each.contact_id, ())],
            refused_addresses=self.refused_addresses,
            withdrawn=why if sequence > heard.sequence else None,
            waited=waited,
        )


@dataclass(frozen=True, slots=True)
class Situation:
    """What the gate knows of the world. `waited`: the directory had its time to arrive."""

    live: bool = True
    account: Account | None = None
    people: Mapping[str, Person] = field(default_factory=dict[str, Person])
    preferences: Sequence[Preference] = ()
    refused_addresses: frozenset[str] = frozenset()
    withdrawn: str | None = None
    waited: bool = False


def tell(heard: Announcement, situation: Situation, now: datetime) -> tuple[Telling, ...]:
    """Everyone to be told that this touchpoint is due, each with a verdict. Never empty."""
    if heard.owner.human:
        recipient = Recipient(RecipientKind.CSM, heard.owner.csm_id)
        channels = ("email", "in_app") if recipient.id else ("email",)
    else:
        return tuple(_customer_telling(heard, each, situation, now) for each in _audience(heard, situation))
    return tuple(
        Telling(recipient, channel, judge(heard, recipient, channel, situation, now)) for channel in channels
    )


def _audience(heard: Announcement, situation: Situation) -> list[Recipient]:
    nobody = [Recipient(RecipientKind.CONTACT, None)]
    if situation.account is None or not situation.live or heard.channel not in CUSTOMER_CHANNELS:
        return nobody
    members = [
        Recipient(RecipientKind.CONTACT, each.contact_id)
        for each in situation.account.contacts
        if not each.left and (not heard.audience or each.role in heard.audience)
    ]
    return members or nobody


def _customer_telling(
    heard: Announcement, recipient: Recipient, situation: Situation, now: datetime
) -> Telling:
    verdict = judge(heard, recipient, heard.channel, situation, now)
    return Telling(recipient, heard.channel, verdict)


def judge(
    heard: Announcement, recipient: Recipient, channel: str, situation: Situation, now: datetime
) -> Verdict:
    """May this recipient be told of this over this channel, now?"""
    if situation.withdrawn is not None:
        return Verdict(Action.SUPPRESS, Reason.WITHDRAWN, situation.withdrawn)
    if heard.deadline is not None and now >= heard.deadline:
        return Verdict(Action.EXPIRE, Reason.DEADLINE)
    if recipient.kind is RecipientKind.CSM:
        return _judge_person(heard, recipient, channel, situation)
    return _judge_customer(heard, recipient, channel, situation, now)


def _judge_person(heard: Announcement, recipient: Recipient, channel: str, situation: Situation) -> Verdict:
    if recipient.id is None:
        return Verdict(Action.SUPPRESS, Reason.NO_CSM)
    if channel == "in_app":
        return CLEAR
    address = csm_address(heard, situation)
    if address is None:
        if recipient.id in situation.people:
            return Verdict(Action.SUPPRESS, Reason.NO_ADDRESS)
        return _not_known(Reason.UNKNOWN_CSM, situation)
    return _address_verdict(address, situation)


def csm_address(heard: Announcement, situation: Situation) -> str | None:
    person = situation.people.get(heard.owner.csm_id or "")
    return (person.email if person else None) or heard.owner.email


def _judge_customer(
    heard: Announcement, recipient: Recipient, channel: str, situation: Situation, now: datetime
) -> Verdict:
    if not situation.live:
        return Verdict(Action.EXPIRE, Reason.HELD_MODE)
    if channel not in CUSTOMER_CHANNELS:
        return Verdict(Action.SUPPRESS, Reason.CHANNEL, channel)
    if situation.account is None:
        return _not_known(Reason.UNKNOWN_ACCOUNT, situation)
    if recipient.id is None:
        # An account without a single contact may only be early: its people may follow in a moment.
        early = not situation.account.contacts and not situation.waited
        return _not_known(Reason.NO_AUDIENCE, situation) if early else _nobody(heard)
    contact = contact_of(recipient, situation)
    if contact is None:
        return _not_known(Reason.UNKNOWN_CONTACT, situation)
    forbidden = _forbidden(heard, contact, channel, situation, now)
    if forbidden is not None:
        return forbidden
    return CLEAR if channel == "in_app" else _mail_verdict(contact, situation, now)


def contact_of(recipient: Recipient, situation: Situation) -> Contact | None:
    contacts = situation.account.contacts if situation.account else ()
    return next((each for each in contacts if each.contact_id == recipient.id), None)


def _nobody(heard: Announcement) -> Verdict:
    return Verdict(Action.SUPPRESS, Reason.NO_AUDIENCE, ", ".join(heard.audience))


def _not_known(reason: Reason, situation: Situation) -> Verdict:
    return Verdict(Action.SUPPRESS, reason) if situation.waited else Verdict(Action.HOLD, Reason.WAITING)


def _forbidden(
    heard: Announcement, contact: Contact, channel: str, situation: Situation, now: datetime
) -> Verdict | None:
    if contact.left:
        return Verdict(Action.SUPPRESS, Reason.LEFT)
    own = [each for each in situation.preferences if each.contact_id == contact.contact_id]
    out = refusal(own, heard.topic, channel)
    if out is not None:
        return Verdict(
            Action.SUPPRESS,
            Reason.OPTED_OUT,
            f"{out.topic or 'all topics'} on {out.channel or 'all channels'}",
        )
    pauses = situation.account.pauses if situation.account else ()
    pause = next((each for each in pauses if each.holds(contact.contact_id, now)), None)
    return Verdict(Action.SUPPRESS, Reason.PAUSED, pause.reason) if pause else None


def _mail_verdict(contact: Contact, situation: Situation, now: datetime) -> Verdict:
    if not contact.email:
        return Verdict(Action.SUPPRESS, Reason.NO_ADDRESS)
    verdict = _address_verdict(contact.email, situation)
    if verdict.action is not Action.SEND:
        return verdict
    account_zone = situation.account.timezone if situation.account else None
    opening = after_quiet_hours(now, contact.timezone or account_zone)
    return CLEAR if opening == now else Verdict(Action.SEND, Reason.QUIET, send_after=opening)


def _address_verdict(address: str, situation: Situation) -> Verdict:
    if address.lower() in situation.refused_addresses:
        return Verdict(Action.SUPPRESS, Reason.REFUSED_ADDRESS)
    return CLEAR


def after_quiet_hours(now: datetime, timezone: str | None) -> datetime:
    """`now`, or the end of the quiet hours it falls into, in the recipient's zone (unknown: UTC)."""
    zone = _zone(timezone)
    local = now.astimezone(zone)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return now
    day = local.date() if local.time() < QUIET_UNTIL else local.date() + timedelta(days=1)
    opening = datetime.combine(day, QUIET_UNTIL, zone).astimezone(UTC)
    return max(opening, now)


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
