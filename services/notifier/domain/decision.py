"""A decision about a delivery: what happens to it, when, and the reason that people read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.notifier.domain.addresses import clean_address
from services.notifier.domain.delivery import Recipient
from services.notifier.domain.situation import Situation


class Action(StrEnum):
    SEND = "send"
    WAIT = "wait"
    SUPPRESS = "suppress"
    EXPIRE = "expire"


class Reason(StrEnum):
    """The text that people read as a delivery's reason."""

    READY = "ready to send"
    WAITING = "waiting for data about the recipient"
    NO_ADDRESS_YET = "waiting for an email address"
    DAY_MAIL = "goes with the mail of the person's day"
    GATHERING = "gathered with other work that nobody has"
    UNKNOWN_ACCOUNT = "the account is unknown"
    UNKNOWN_CONTACT = "the contact is unknown"
    UNKNOWN_CSM = "the CSM is unknown"
    NOBODY_TO_TELL = (
        "nobody can be told: set DRUMBEAT_EMAIL__FALLBACK_TO, or describe a person with the role manager"
    )
    NO_AUDIENCE = "the account has no contact in the audience"
    NO_ADDRESS = "no email address"
    UNKNOWN_ADDRESS = "an earlier message was refused: unknown email address"
    NO_NUMBER = "no number for text messages"
    NO_SLACK_ID = "no Slack id"
    UNKNOWN_NUMBER = "an earlier message was refused: unknown recipient"
    LEFT = "the contact has left"
    OPTED_OUT = "the contact opted out"
    PAUSED = "outreach is paused"
    CHANNEL = "the channel is not supported"
    ON_HOLD = "customer messages are on hold"
    MAIL_ON_HOLD = "customer mail is held"
    QUIET = "quiet hours"
    SEND_WINDOW = "waits for the send window"
    NO_ROOM = "waits for room in the contact budget"
    NO_ROOM_IN_TIME = "the contact budget had no room in time"
    DEADLINE = "the deadline passed before it was sent"
    TOO_LATE_FOR_MAIL = "the text message was not delivered, and it is too late for a mail"
    QUIET_PAST_DEADLINE = "quiet hours lasted past the deadline"
    WINDOW_PAST_DEADLINE = "the send window opened after the deadline"
    BEGUN = "it began before the reminder was sent"
    WITHDRAWN = "withdrawn"
    OWN_ACT = "the person did it themselves"
    NO_CONTENT = "no content"
    NO_FIGURES = "figures are not available yet"
    NO_LEADER = "nobody leads it yet"
    FAR_AHEAD = "goes six months before its time"
    MORNING = "goes in the morning, a few a day, the soonest first"
    PAST = "its time came before it was sent"
    UNCHANGED = "the calendar shows it already"
    NOT_INVITED = "the recipient has no invitation"
    APPROVAL = "waits for approval by"
    NOT_APPROVED = "nobody approved it until"
    REJECTED = "not approved"
    HANDED_OFF = "handed off to"
    NO_PLATFORM = "no platform takes"


UNFINISHED = frozenset({Reason.APPROVAL, Reason.NOT_APPROVED, Reason.HANDED_OFF, Reason.NO_PLATFORM})
"""Reasons that the detail completes to a sentence."""
UNREACHED = frozenset(
    {
        Reason.UNKNOWN_ACCOUNT,
        Reason.UNKNOWN_CONTACT,
        Reason.UNKNOWN_CSM,
        Reason.NO_AUDIENCE,
        Reason.NO_ADDRESS,
        Reason.UNKNOWN_ADDRESS,
        Reason.NO_NUMBER,
        Reason.NO_SLACK_ID,
        Reason.UNKNOWN_NUMBER,
        Reason.LEFT,
    }
)
"""Reasons that leave a touchpoint without anyone who gets it: somebody of ours is told instead."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a message goes, and with which others.

    `fold_key`: pending deliveries with one key go in one mail; empty: it goes alone. `planned_at` (service time) None: at
    once. `wake_at` (service time): when it goes at the latest, even where nobody woke it at `planned_at`.
    `gathers`: it waits a moment for others, even where it could go at once.
    """

    fold_key: str
    planned_at: datetime | None = None
    wake_at: datetime | None = None
    gathers: bool = True


@dataclass(frozen=True, slots=True)
class DeliveryDecision:
    """`send_after` (service time) only with SEND and WAIT: not before that moment, or not longer than until then."""

    action: Action
    reason: Reason
    detail: str = ""
    send_after: datetime | None = None
    timing: Timing | None = None

    @property
    def text(self) -> str:
        if self.detail and self.reason in UNFINISHED:
            return f"{self.reason} {self.detail}"
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)

    @property
    def leaves_nobody(self) -> bool:
        """Whether the recipient cannot get the message, for want of a person or an address."""
        return self.action is Action.SUPPRESS and self.reason in UNREACHED


READY = DeliveryDecision(Action.SEND, Reason.READY)


@dataclass(frozen=True, slots=True)
class RecipientDecision:
    recipient: Recipient
    channel: str
    decision: DeliveryDecision


def suppress(reason: Reason, detail: str = "") -> DeliveryDecision:
    return DeliveryDecision(Action.SUPPRESS, reason, detail)


def wait_or_suppress(reason: Reason, situation: Situation) -> DeliveryDecision:
    """Wait while what is missing may still arrive, then give up for this reason."""
    return suppress(reason) if situation.has_waited else DeliveryDecision(Action.WAIT, Reason.WAITING)


def decide_address(address: str, situation: Situation) -> DeliveryDecision:
    """READY unless the mail server refused this address before."""
    is_unknown = clean_address(address) in situation.unknown_addresses
    return suppress(Reason.UNKNOWN_ADDRESS) if is_unknown else READY
