"""What the HTTP API shows, and the protocols it reads and changes it through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.directory import PreferenceRecord
from schemas.facts import PreferenceChanged, SurveyAnswered
from services.notifier.application.ports import Endpoint
from services.notifier.domain.subscription import Subscription


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    account_id: str | None = None
    touchpoint_id: str | None = None
    recipient_kind: str | None = None
    recipient_id: str | None = None
    state: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptItem:
    at: datetime
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class RecipientItem:
    kind: str
    id: str | None


@dataclass(frozen=True, slots=True)
class DeliveryItem:
    id: str
    touchpoint_id: str | None
    touchpoint_type: str | None
    account_id: str
    channel: str
    recipient: RecipientItem
    state: str
    reason: str | None
    ambiguous: bool
    next_at: datetime | None
    message_id: str
    """Deliveries that go in one mail share it."""
    webhook_id: str | None
    created_at: datetime
    finished_at: datetime | None
    attempts: Sequence[AttemptItem]
    seq: int


@dataclass(frozen=True, slots=True)
class DeliverySlice:
    """`next_before`: the sequence below which the list goes on; None: there are no more.

    `complete_from` (real time): what was created since then is all there; of before, some is not stored any more.
    """

    items: Sequence[DeliveryItem]
    next_before: int | None
    complete_from: datetime


@dataclass(frozen=True, slots=True)
class InboxItem:
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
class StreamItem:
    """An event of the stream. `xid` and `seq` are its position; `data` is raw JSON."""

    xid: int
    seq: int
    event_id: str
    type: str
    time: datetime
    data: bytes


@dataclass(frozen=True, slots=True)
class SubscriptionItem:
    """A subscription without its secret. `open_until`: it kept failing and gets no deliveries until then.

    `contact` is told when it keeps failing, which it does since `failing_since`. `disabled_at`: since when it is not
    `active` any more. Times are real.
    """

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
    contact: str | None = None
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    name: str | None = None
    content: bool = False


@dataclass(frozen=True, slots=True)
class Recovery:
    """`remaining`: failed ones for a further call. `lost`: those without an event any more, the last of `lost_until`."""

    recovered: int
    remaining: int = 0
    lost: int = 0
    lost_until: datetime | None = None


class Queries(Protocol):
    async def deliveries(self, wanted: DeliveryFilter, *, before: int, limit: int) -> DeliverySlice: ...

    async def inbox(
        self, kind: str, recipient_id: str, *, before: int, limit: int, only_unread: bool
    ) -> Sequence[InboxItem]: ...

    async def mark_read(self, entry_id: str, at: datetime) -> datetime | None: ...

    async def stream(
        self, after: tuple[int, int], types: Sequence[str], limit: int
    ) -> Sequence[StreamItem]: ...

    async def stream_end(self) -> tuple[int, int]: ...


class Subscriptions(Protocol):
    """A secret is returned in text form where it is made, and never again."""

    async def create(self, subscription: Subscription) -> tuple[SubscriptionItem, str]: ...

    async def page(self, *, after: int, limit: int) -> Sequence[SubscriptionItem]: ...

    async def get(self, subscription_id: str) -> SubscriptionItem | None: ...

    async def endpoint(self, subscription_id: str) -> Endpoint | None: ...

    async def rotate_secret(self, subscription_id: str) -> str | None: ...

    async def delete(self, subscription_id: str) -> bool: ...

    async def enable(self, subscription_id: str) -> SubscriptionItem | None: ...

    async def recover(self, subscription_id: str, since: datetime) -> Recovery: ...


@dataclass(frozen=True, slots=True)
class ContactPreferences:
    """A contact's own preferences, and the consent of all contacts with the same mail address."""

    own: Sequence[PreferenceRecord]
    same_address: Sequence[PreferenceRecord] = ()


class Preferences(Protocol):
    async def of_contact(self, contact_id: str) -> ContactPreferences | None: ...

    async def change(
        self, contact_id: str, changes: Sequence[PreferenceChanged], *, must_exist: bool = True
    ) -> ContactPreferences | None: ...

    async def answer_survey(self, answer: SurveyAnswered) -> bool:
        """Publish the answer of a contact as a fact; False when the contact is unknown, and nothing is published."""
        ...
