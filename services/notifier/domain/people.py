"""The people the notifier knows: its own copy of the directories, no more of them than telling takes."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Contact:
    contact_id: str
    account_id: str
    name: str | None = None
    email: str | None = None
    role: str | None = None
    language: str | None = None
    timezone: str | None = None
    left: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """A contact, or with None the whole account, is left alone until a moment (None: until resumed)."""

    contact_id: str | None
    until: datetime | None
    reason: str

    def holds(self, contact_id: str, now: datetime) -> bool:
        return self.contact_id in (None, contact_id) and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str
    name: str | None = None
    timezone: str | None = None
    contacts: tuple[Contact, ...] = ()
    pauses: tuple[Pause, ...] = ()

    @property
    def title(self) -> str:
        return self.name or self.account_id


@dataclass(frozen=True, slots=True)
class Person:
    """A CSM."""

    csm_id: str
    name: str | None = None
    email: str | None = None
    timezone: str | None = None
