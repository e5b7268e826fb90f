"""What the HTTP API shows of one message and of people, and the protocol it reads and repeats it through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.notifier.application.read_models import DeliveryItem


@dataclass(frozen=True, slots=True)
class WrittenMessage:
    """A mail as it went to the relay: its decoded headers and bodies. `html` is empty for one that has none."""

    subject: str
    text: str
    html: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PersonItem:
    """Somebody of ours."""

    csm_id: str
    name: str | None
    email: str | None
    phone: str | None
    role: str
    pool: str | None
    manager_id: str | None
    timezone: str | None


class NotResendable(Exception):
    """A delivery that cannot be sent again; the message says why."""


class Messages(Protocol):
    async def delivery(self, delivery_id: str) -> DeliveryItem | None: ...

    async def message(self, delivery_id: str) -> WrittenMessage | None: ...

    async def resend(self, delivery_id: str) -> str | None:
        """The id of the new delivery; None for an unknown one. Raises NotResendable."""
        ...

    async def people(self, *, after: str, limit: int) -> Sequence[PersonItem]: ...
