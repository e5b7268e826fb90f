"""An account with its contacts, as far as the notifier needs it to send messages."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from schemas.directory import ContactRecord
from services.notifier.domain.addresses import clean_address


@dataclass(frozen=True, slots=True)
class Pause:
    """No outreach to a contact (None: to the whole account) until a moment (None: until resumed)."""

    contact_id: str | None
    until: datetime | None
    reason: str

    def applies_to(self, contact_id: str, now: datetime) -> bool:
        return self.contact_id in (None, contact_id) and (self.until is None or now < self.until)


@dataclass(frozen=True)
class Account:
    account_id: str
    name: str | None = None
    zones: tuple[str, ...] = ()
    """Its zone, or those of its country; empty: unknown."""
    contacts: tuple[ContactRecord, ...] = ()
    pauses: tuple[Pause, ...] = ()
    language: str | None = None
    csm_id: str | None = None
    sales_id: str | None = None
    pool: str | None = None

    @cached_property
    def ids_by_address(self) -> Mapping[str, Sequence[str]]:
        """The ids of the contacts by cleaned address: contacts with one address are one person."""
        ids: defaultdict[str, list[str]] = defaultdict(list)
        for contact in self.contacts:
            if contact.email:
                ids[clean_address(contact.email)].append(contact.contact_id)
        return ids
