"""What the notifier shows to people and programs, and what its doors ask of the adapters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.notifier.application.ports import Endpoint
from services.notifier.domain.consent import Choice, Preference
from services.notifier.domain.subscription import Subscription


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    account_id: str | None = None
    touchpoint_id: str | None = None
    recipient_kind: str | None = None
    recipient_id: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptShown:
    at: datetime
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class RecipientShown:
    kind: str
    id: str | None


@dataclass(frozen=True, slots=True)
class DeliveryShown:
    id: str
    touchpoint_id: str | None
    touchpoint_type: str | None
    account_id: str
    channel: str
    recipient: RecipientShown
    state: str
    reason: str | None
    ambiguous: bool
    next_at: datetime | None
    webhook_id: str | None
    created_at: datetime
    finished_at: datetime | None
    attempts: Sequence[AttemptShown]
    seq: int


@dataclass(frozen=True, slots=True)
class InAppShown:
    id: str
    account_id: str
    touchpoint_id: str | None
    touchpoint_type: str | None
    title: str
    body: str
    due_at: datetime | None
    at: datetime
    read_at: datetime | None
    seq: int


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the stream; `xid` and `seq` are its place in it."""

    xid: int
    seq: int
    event_id: str
    type: str
    time: datetime
    data: bytes


@dataclass(frozen=True, slots=True)
class SubscriptionShown:
    """A subscription as its owner sees it: never its secret. `open_until`: it failed and is left alone."""

    id: str
    url: str
    types: list[str]
    filter: Mapping[str, Sequence[str]]
    active: bool
    disabled_reason: str | None
    failures: int
    open_until: datetime | None
    created_at: datetime
    seq: int


class Reading(Protocol):
    async def deliveries(
        self, wanted: DeliveryFilter, *, before: int, limit: int
    ) -> Sequence[DeliveryShown]: ...

    async def inbox(
        self, kind: str, owner: str, *, before: int, limit: int, also_read: bool
    ) -> Sequence[InAppShown]: ...

    async def mark_read(self, entry_id: str, at: datetime) -> datetime | None: ...

    async def stream(self, after: tuple[int, int], types: Sequence[str], limit: int) -> Sequence[Told]: ...

    async def stream_now(self) -> tuple[int, int]: ...


class Book(Protocol):
    """The book of subscriptions."""

    async def make(self, subscription: Subscription) -> tuple[SubscriptionShown, bytes]:
        """Write it down with a new secret; the secret is answered here and never again."""
        ...

    async def listed(self, *, after: int, limit: int) -> Sequence[SubscriptionShown]: ...

    async def one(self, subscription_id: str) -> SubscriptionShown | None: ...

    async def endpoint(self, subscription_id: str) -> Endpoint | None: ...

    async def rotate(self, subscription_id: str) -> bytes | None: ...

    async def delete(self, subscription_id: str) -> bool: ...

    async def recover(self, subscription_id: str, since: datetime) -> int: ...


class ChoiceBook(Protocol):
    async def of(self, contact_id: str) -> Sequence[Preference] | None: ...

    async def choose(
        self, contact_id: str, choices: Sequence[Choice], *, known: bool = True
    ) -> Sequence[Preference] | None: ...
