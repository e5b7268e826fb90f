"""What the use cases need of the world. Adapters keep these promises; tests hold them to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.notifier.domain.circuit import Circuit
from services.notifier.domain.consent import Preference
from services.notifier.domain.delivery import Attempt, Delivery, Receipt
from services.notifier.domain.delivery_policy import Directory
from services.notifier.domain.event import Announcement
from services.notifier.domain.message import Message
from services.notifier.domain.people import Account, Person
from services.notifier.domain.subscription import Secrets, Subscription


@dataclass(frozen=True, slots=True)
class Now:
    """One moment on both clocks."""

    real: datetime
    service: datetime


@dataclass(frozen=True, slots=True)
class InApp:
    """An entry of an in-app feed."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivery to be written down, with what it is about.

    `send_after` (service time) and `waits_until` (real time) say what it is held for, if anything.
    `in_app` is the entry that comes into being with it.
    """

    delivery: Delivery
    heard: Announcement
    send_after: datetime | None = None
    waits_until: datetime | None = None
    in_app: InApp | None = None


class Work(Protocol):
    """One transaction in which announcements or directory records are taken in."""

    async def remember(self, heard: Sequence[Announcement]) -> set[str]:
        """Keep announcements for the stream and the senders; answer the event ids not heard before."""
        ...

    async def subscriptions(self) -> Sequence[Subscription]: ...

    async def directory(self, heard: Sequence[Announcement]) -> Directory: ...

    async def withdraw(self, heard: Sequence[Announcement], now: Now) -> None:
        """Suppress what was not yet sent about these touchpoints, and report it."""
        ...

    async def add(self, entries: Sequence[Entry], now: Now) -> None:
        """Write deliveries down, with in-app entries; report those that are final already."""
        ...

    async def learn_accounts(
        self, accounts: Sequence[tuple[Account, int]], preferences: Sequence[Preference], now: Now
    ) -> None:
        """Keep accounts (with versions) and preferences; rouse what waited for them."""
        ...

    async def learn_people(self, people: Sequence[tuple[Person, int]], now: Now) -> None: ...

    async def forget_accounts(self, account_ids: Sequence[str]) -> None: ...

    async def forget_people(self, csm_ids: Sequence[str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this sender holds a lease on."""

    delivery: Delivery
    heard: Announcement
    token: str
    first_at: datetime | None
    waits_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class WebhookClaim:
    """A webhook that this sender holds a lease on; `message_id` stays the same when it is recovered."""

    delivery: Delivery
    account_id: str
    touchpoint_id: str | None
    touchpoint_type: str | None
    message_id: str
    token: str
    first_at: datetime | None
    endpoint: "Endpoint"
    type: str
    time: datetime
    data: bytes


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a subscription is reached, and how it is doing."""

    id: str
    url: str
    secrets: Secrets
    circuit: Circuit


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claim: the delivery now, with its attempt if one was made.

    `replaced_by`: a delivery to nobody in particular turned into deliveries to people.
    """

    claim: Claim | WebhookClaim
    delivery: Delivery
    attempt: Attempt | None = None
    receipt: Receipt | None = None
    send_after: datetime | None = None
    in_app: InApp | None = None
    refused_address: str | None = None
    replaced_by: tuple[Entry, ...] = ()


class Desk(Protocol):
    """Claims and completions, each a transaction of its own; a lost lease completes nothing."""

    async def claim_people(self, limit: int) -> tuple[Sequence[Claim], Directory, Now]: ...

    async def claim_webhooks(
        self, limit: int, under_way: Mapping[str, int]
    ) -> tuple[Sequence[WebhookClaim], Now]: ...

    async def complete(self, settled: Sequence[Settled]) -> None: ...


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one recipient."""

    delivery_id: str
    to: str
    message: Message
    unsubscribe_url: str | None = None


class Mailer(Protocol):
    async def send(self, mail: Mail, *, at: datetime) -> Receipt: ...


class UrlRefused(Exception):
    """The URL may not be subscribed; the message says why."""


class Poster(Protocol):
    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Receipt: ...


class Sign(Protocol):
    def __call__(
        self, message_id: str, at: datetime, body: bytes, secrets: Sequence[bytes]
    ) -> Mapping[str, str]: ...
