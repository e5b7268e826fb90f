"""What the HTTP API shows of one message and of people, and the protocols it reads and repeats it through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.directory import CsmRecord
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


class PeopleReader(Protocol):
    async def people(self, *, after: str, limit: int) -> Sequence[CsmRecord]:
        """By id, those whose id is greater than `after`."""
        ...


def person_item(person: CsmRecord) -> PersonItem:
    return PersonItem(
        csm_id=person.csm_id,
        name=person.name,
        email=person.email,
        phone=person.phone,
        role=person.role or "csm",
        pool=person.pool,
        manager_id=person.manager_id,
        timezone=person.timezone,
    )
