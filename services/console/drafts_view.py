"""Drafts of messages to customers as a list and a page show them: names instead of ids, who is asked, until when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console import labels
from services.console.json_fields import Json, instant, items, nested, text, texts
from services.console.people import account_name, contacts

STATES: Final = ("pending", "approved", "rejected", "expired", "withdrawn")
_TONES: Final[Mapping[str, str]] = {
    "pending": "due",
    "approved": "good",
    "rejected": "quiet",
    "expired": "bad",
    "withdrawn": "quiet",
}


@dataclass(frozen=True, slots=True)
class DraftRow:
    """`subject`: as its first recipient reads it; `until` is service time."""

    id: str
    title: str
    subject: str
    account_id: str
    account: str
    recipients: str
    approver: str
    state: str
    tone: str
    reason: str
    until: datetime | None
    language: str
    version: int

    @property
    def is_open(self) -> bool:
        return self.state == "pending"


@dataclass(frozen=True, slots=True)
class DraftRecipient:
    """The message as this contact gets it; `text` and `html` with the layout around it."""

    contact_id: str
    name: str
    subject: str
    text: str
    html: str


def draft_rows(documents: Iterable[Json], accounts: Mapping[str, Json]) -> list[DraftRow]:
    """The items of the notifier's listing."""
    return [draft_row(document, accounts) for document in documents if text(document, "id")]


def draft_row(document: Json, accounts: Mapping[str, Json]) -> DraftRow:
    account_id, state = text(document, "account_id"), text(document, "state")
    version = document.get("version")
    return DraftRow(
        id=text(document, "id"),
        title=labels.title(text(document, "touchpoint_type")),
        subject=text(document, "subject"),
        account_id=account_id,
        account=account_name(account_id, accounts),
        recipients=_names(texts(document, "contact_ids"), accounts.get(account_id, {})),
        approver=text(document, "approver"),
        state=state,
        tone=_TONES.get(state, "quiet"),
        reason=text(document, "reason"),
        until=instant(document, "approve_until"),
        language=text(document, "language"),
        version=version if isinstance(version, int) else 0,
    )


def _names(contact_ids: Iterable[str], account: Json) -> str:
    known = {contact.id: contact.name for contact in contacts(account)}
    return ", ".join(known.get(contact_id, "") or contact_id for contact_id in contact_ids)


def draft_recipients(document: Json) -> list[DraftRecipient]:
    """The recipients of a draft that was read alone."""
    return [
        DraftRecipient(
            contact_id=text(item, "contact_id"),
            name=text(item, "name") or text(item, "address") or text(item, "contact_id"),
            subject=text(item, "subject"),
            text=text(item, "text"),
            html=text(item, "html"),
        )
        for item in items(document, "recipients")
    ]


def draft_fields(document: Json) -> Json:
    """The item of a draft that was read alone."""
    return nested(document, "draft")


def pending_label(name: str, document: Json | None) -> str:
    """The name of the page with how many wait; the name alone when none does, or nobody knows."""
    pending = (document or {}).get("pending")
    return f"{name} ({pending})" if isinstance(pending, int) and pending > 0 else name
