"""An account with its contacts, as far as the notifier needs it to send messages."""

from dataclasses import dataclass
from datetime import datetime

from schemas.directory import ContactRecord


@dataclass(frozen=True, slots=True)
class Pause:
    """No outreach to a contact (None: to the whole account) until a moment (None: until resumed)."""

    contact_id: str | None
    until: datetime | None
    reason: str

    def applies_to(self, contact_id: str, now: datetime) -> bool:
        return self.contact_id in (None, contact_id) and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str
    name: str | None = None
    timezone: str | None = None
    contacts: tuple[ContactRecord, ...] = ()
    pauses: tuple[Pause, ...] = ()
