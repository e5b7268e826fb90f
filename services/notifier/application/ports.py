"""What the use cases need from outside: values and protocols. Adapters implement the protocols."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from schemas.directory import (
    AccountRecord,
    ContentRecord,
    CsmRecord,
    ModeRecord,
    PolicyRecord,
    PreferenceRecord,
)
from schemas.vocabulary import Topic
from services.notifier.domain.approval import DraftedMessage
from services.notifier.domain.circuit import Circuit
from services.notifier.domain.decision import Timing
from services.notifier.domain.delivery import Attempt, Delivery, Recipient, Response, State
from services.notifier.domain.event import Event
from services.notifier.domain.situation import Directory
from services.notifier.domain.subscription import Secrets, Subscription
from services.notifier.domain.talk import Settlement, Talk
from services.notifier.domain.working_day import DayCause

WITHOUT_END = timedelta(days=2000)
"""Real time: a wait that is longer than this ends on the service clock."""


@dataclass(frozen=True, slots=True)
class Now:
    """One moment on both clocks."""

    real: datetime
    service: datetime


@dataclass(frozen=True, slots=True)
class InAppMessage:
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to create; its id derives from cause (the event without one), channel and recipient.

    `next_at` and `waits_until` are real time, `send_after` is service time. `in_app` is posted with it. `timing`: when it
    goes, and with which others. `cause`: the same for events that tell a person the same; None: the event alone.
    """

    event: Event
    channel: str
    recipient: Recipient
    state: State = State.PENDING
    reason: str | None = None
    next_at: datetime | None = None
    send_after: datetime | None = None
    waits_until: datetime | None = None
    in_app: InAppMessage | None = None
    timing: Timing | None = None
    cause: DayCause | None = None


@dataclass(frozen=True, slots=True)
class DeliveredMessage:
    """A message of the notifier to one recipient. `topic` None: unknown or none; `address_hash` None: no mail."""

    recipient: Recipient
    account_id: str
    topic: Topic | None
    address_hash: bytes | None


class UnitOfWork(Protocol):
    """One transaction in which events or directory records are stored."""

    async def add_events(self, events: Sequence[Event]) -> set[str]:
        """Store events for the stream and the senders; returns the ids of those not stored before."""
        ...

    async def subscriptions(self) -> Sequence[Subscription]: ...

    async def directory_of(self, events: Sequence[Event]) -> Directory: ...

    async def invited_types(self) -> Mapping[str, str]:
        """The touchpoint types of the policy in force that are put into calendars, with their channel."""
        ...

    async def count_talks(self, talks: Sequence[Talk], now: Now) -> None:
        """Store when calls and meetings with customers take place: they count against contact budgets."""
        ...

    async def settle_talks(self, settlements: Sequence[Settlement], now: Now) -> None:
        """Count what took place from when it did, and what did not no more."""
        ...

    async def withdraw(self, events: Sequence[Event], now: Now) -> None:
        """Suppress and report the pending messages about the touchpoints of these events."""
        ...

    async def withdraw_reminders(self, touchpoint_ids: Collection[str], now: Now) -> None:
        """Suppress and report the pending reminders of touchpoints that are settled."""
        ...

    async def add_deliveries(self, deliveries: Sequence[NewDelivery], now: Now) -> None:
        """Create deliveries with their in-app messages; report those that are final already."""
        ...

    async def save_accounts(
        self, records: Sequence[AccountRecord], preferences: Sequence[PreferenceRecord], now: Now
    ) -> None:
        """Store one record for each account, and preferences; wake the deliveries that wait for an account."""
        ...

    async def save_csms(self, records: Sequence[CsmRecord], now: Now) -> None:
        """Store one record for each CSM; wake the deliveries that wait for it."""
        ...

    async def delete_account(self, account_id: str) -> None:
        """Delete what the directory has of an erased account and its people."""
        ...

    async def lock_merges(self) -> None:
        """Wait until nobody stores messages, and let nobody begin to. To be called before anything is changed."""
        ...

    async def merge_account(self, ended: str, stays: str, now: Now) -> None:
        """Move people, messages and deliveries of an account that ended, also of events about it that follow.

        The merges are locked.
        """
        ...

    async def erase_events(self, account_id: str) -> None:
        """Delete what was announced about an erased account, and every delivery of it.

        Webhooks that announce the cancellations are still delivered; each is deleted when it is final.
        """
        ...

    async def save_mode(self, record: ModeRecord) -> None: ...

    async def save_contents(self, records: Sequence[ContentRecord]) -> None:
        """Store content files, in order of version; an older version changes nothing."""
        ...

    async def delete_content(self, key: str) -> None: ...

    async def save_catalogue(self, record: PolicyRecord) -> None: ...

    async def delete_csm(self, csm_id: str) -> None: ...

    async def delivered_messages(self, delivery_ids: Sequence[str]) -> Mapping[str, DeliveredMessage]:
        """The messages of these deliveries, by id; unknown ids are left out."""
        ...

    async def refuse_addresses(self, messages: Sequence[DeliveredMessage], detail: str) -> None:
        """Send no further mail to the addresses of these messages."""
        ...

    async def record_opt_out(self, record: PreferenceRecord, account_id: str, actor: str) -> None:
        """Store an opt-out of a contact with its entry of the audit log, and publish it as a fact."""
        ...


@dataclass(frozen=True, slots=True)
class MessageClaim:
    """A delivery to a person under the lease of this sender.

    Claims with one `message_id` go in one mail. `is_folded`: it was claimed with all that goes with it. `planned_at` is
    service time. `ambiguous`: an earlier attempt may have reached the recipient.
    """

    delivery: Delivery
    event: Event
    token: str
    first_at: datetime | None
    waits_until: datetime | None = None
    message_id: str = ""
    is_folded: bool = False
    planned_at: datetime | None = None
    created_at: datetime | None = None
    ambiguous: bool = False

    def has_waited(self, real: datetime) -> bool:
        """Whether what the directory does not have by now it will not get.

        What did not wait for a record was known at ingest: whoever is unknown now has been deleted. A wait without end is
        one for an address.
        """
        return self.waits_until is None or not real < self.waits_until < real + WITHOUT_END


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint of a subscription, with its keys and its circuit breaker."""

    id: str
    url: str
    secrets: Secrets
    circuit: Circuit


class Webhook(NamedTuple):
    """The content of a webhook. `id` stays the same when it is retried; `data` is raw JSON."""

    id: str
    type: str
    time: datetime
    data: bytes


class WebhookClaim(NamedTuple):
    """A webhook under the lease of this sender. A named tuple: it costs a quarter of a dataclass, and there are many.

    `attempts`: how many were made before; `first_at` (real time): when the first was.
    """

    delivery_id: str
    endpoint: Endpoint
    webhook: Webhook
    attempts: int
    first_at: datetime | None
    account_id: str
    touchpoint_id: str | None
    touchpoint_type: str | None
    token: str


class WebhookResult(NamedTuple):
    """What an endpoint answered to an attempt at this real moment."""

    claim: WebhookClaim
    response: Response
    at: datetime


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """What a mail changes in the calendar of its reader. `sequence`: of the touchpoint; `organizer_id`: who leads it."""

    sequence: int
    starts_at: datetime
    ends_at: datetime
    organizer_id: str | None
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """A claimed message and its delivery from now on, with the attempt if one was made.

    `replacements`: a delivery without a recipient is replaced by these. `additions`: who hears of it instead, where this
    recipient cannot. `timing`: when a postponed delivery goes, and with which others; `waits_until` (real time): how long
    it waits for a record. `address`: where the mail went; `is_unknown_address`: the relay refused it as unknown.
    `program_id`: the program that the message presents. `calendar`: what the reader's calendar has once the mail is sent.
    `waits_for_room`: in a contact budget. `draft`: the message, where it is a draft from now on.
    """

    claim: MessageClaim
    delivery: Delivery
    attempt: Attempt | None = None
    send_after: datetime | None = None
    in_app: InAppMessage | None = None
    address: str | None = None
    is_unknown_address: bool = False
    replacements: tuple[NewDelivery, ...] = ()
    program_id: str | None = None
    additions: tuple[NewDelivery, ...] = ()
    timing: Timing | None = None
    waits_until: datetime | None = None
    calendar: CalendarChange | None = None
    waits_for_room: bool = False
    draft: DraftedMessage | None = None


class DeliveryQueue(Protocol):
    """Claims deliveries and completes them, each in its own transaction. A lost lease completes nothing."""

    async def claim_messages(self, limit: int) -> tuple[Sequence[MessageClaim], Directory, Now]:
        """At most `limit` mails, each with all deliveries that are ready and go in it."""
        ...

    async def claim_webhooks(self, limit: int, under_way: Mapping[str, int]) -> Sequence[WebhookClaim]:
        """`under_way` counts by endpoint id what this sender has claimed and not completed."""
        ...

    async def complete(self, results: Sequence[ClaimResult]) -> None: ...

    async def complete_webhooks(self, results: Sequence[WebhookResult]) -> None: ...

    async def wake_due(self) -> int:
        """Make ready what waited until now on the service clock or reached its deadline; returns how many."""
        ...

    async def close_orphans(self) -> int:
        """Finish the webhooks of deleted and disabled subscriptions; returns how many."""
        ...
