"""What is stored of one contact, of all services in one document."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote

from schemas.times import format_instant
from services.console.client import SERVICES, Service
from services.console.json_fields import Json, items, nested, text

ABOUT: Final = (
    "Everything that Drumbeat stores of this contact, by service. `retention` of each service says how long each kind"
    " is kept. A service that stores nothing of the contact is null."
)


EXPORT_TIMEOUT_SECONDS: Final = 60.0
"""Every decision about the accounts of a contact is searched."""


def data_path(contact_id: str) -> str:
    """Where each service answers with what it stores of a contact."""
    return f"/v1/contacts/{quote(contact_id, safe='')}/data"


def account_ids(engine: Json | None, notifier: Json | None) -> list[str]:
    """The accounts of the contact: whose calendars may name them."""
    found = [text(account, "account_id") for account in items(engine or {}, "accounts")]
    found.append(text(nested(notifier or {}, "contact"), "account_id"))
    return list(dict.fromkeys(filter(None, found)))


def contact_document(
    contact_id: str, exported_at: datetime, answers: Mapping[Service, Json | None]
) -> Json | None:
    """One document of the answers of all services; None when no service stores anything."""
    if not any(answers.values()):
        return None
    return {
        "contact_id": contact_id,
        "exported_at": format_instant(exported_at),
        "about": ABOUT,
        "services": {name: answers.get(name) for name in SERVICES},
    }
