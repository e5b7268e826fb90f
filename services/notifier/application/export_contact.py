"""Export what the notifier stores of one contact: who they are, what they allow, what they got and did with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from schemas.retention import RetentionRule
from services.notifier.application.read_messages import WrittenMessage
from services.notifier.application.read_models import DeliveryItem

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ExportedDelivery:
    """A delivery to the contact, with the mail as it was sent while that is kept; see `GET /v1/deliveries`."""

    delivery: DeliveryItem
    message: WrittenMessage | None


@dataclass(frozen=True, slots=True)
class NotifierContactData:
    """Everything the notifier stores of one contact. Times are real, but `due_at`, `at` and `starts_at` of service time.

    - `contact`: name, addresses, language, zone, role, account; null once the directory has them no more
    - `preferences`: what the contact or a tool set; `address_consents`: what is stored under the hash of the mail
      address, which outlives the contact; `refused_address`: that the address takes no mail
    - `measuring_objected_at`: when they objected to the measuring of opens and clicks
    - `deliveries`: every message to them, with its attempts; `inbound`: what came back: opens, clicks, replies, bounces
    - `requests`: requests for measured links that are not counted yet; `in_app`: their feed; `invitations`: with answers
    - `drafts`: messages to them that somebody approves; `budget`: what counts against their contact budget
    - `programs`: campaigns they got, or have a place for; `handed_off`: what went to other platforms with their address
    - `service_mails`: mails to people of ours about an answer of theirs; `dead_letters`: what could not be read
    """

    service: str
    contact_id: str
    exported_at: datetime
    contact: Mapping[str, Any] | None
    preferences: Rows
    address_consents: Rows
    refused_address: Mapping[str, Any] | None
    measuring_objected_at: datetime | None
    deliveries: Sequence[ExportedDelivery]
    inbound: Rows
    requests: Rows
    in_app: Rows
    invitations: Rows
    drafts: Rows
    budget: Rows
    programs: Rows
    handed_off: Rows
    service_mails: Rows
    dead_letters: Rows
    retention: Sequence[RetentionRule]


class ContactExport(Protocol):
    async def export(self, contact_id: str) -> NotifierContactData | None:
        """Everything that is stored of the contact, with an entry of the audit log; None when that is nothing."""
        ...
