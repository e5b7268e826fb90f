"""Messages as a list shows them: to whom, about what, in which state, with every attempt; names instead of ids."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.console import labels
from services.console.activity_feed import DELIVERY_TONES
from services.console.json_fields import Json, instant, items, nested, text
from services.console.people import Person, account_name, contacts, person_name

STATES: Final = ("pending", "sent", "failed", "suppressed", "expired")
CHANNELS: Final = ("email", "in_app", "calendar", "webhook")
RESENDABLE: Final = frozenset({"sent", "failed", "suppressed", "expired"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """`at` is service time."""

    at: datetime
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    """`shared`: how many deliveries of the list the same message carries; `at` is service time."""

    id: str
    account_id: str
    account: str
    touchpoint_id: str
    title: str
    channel: str
    recipient: str
    recipient_id: str
    state: str
    tone: str
    reason: str
    at: datetime | None
    attempts: tuple[Attempt, ...]
    message_id: str
    shared: int
    may_resend: bool


def message_rows(
    documents: Iterable[Json],
    accounts: Mapping[str, Json],
    known: Mapping[str, Person],
    service_time: Callable[[datetime], datetime],
) -> list[MessageRow]:
    """The items of the notifier's listing. `service_time` maps real time, in which attempts are stored."""
    listed = [document for document in documents if text(document, "id")]
    counts: dict[str, int] = {}
    for document in listed:
        counts[text(document, "message_id")] = counts.get(text(document, "message_id"), 0) + 1
    return [
        _row(document, accounts, known, service_time, counts[text(document, "message_id")])
        for document in listed
    ]


def _row(
    document: Json,
    accounts: Mapping[str, Json],
    known: Mapping[str, Person],
    service_time: Callable[[datetime], datetime],
    shared: int,
) -> MessageRow:
    account_id, state, channel = (text(document, name) for name in ("account_id", "state", "channel"))
    created = instant(document, "created_at")
    account = accounts.get(account_id, {})
    recipient = nested(document, "recipient")
    return MessageRow(
        id=text(document, "id"),
        account_id=account_id,
        account=account_name(account_id, accounts),
        touchpoint_id=text(document, "touchpoint_id"),
        title=labels.title(text(document, "touchpoint_type")) or "Message",
        channel=labels.capitalized(labels.channel(channel)),
        recipient=recipient_name(recipient, account, known),
        recipient_id=text(recipient, "id"),
        state=state,
        tone=DELIVERY_TONES.get(state, "quiet"),
        reason=text(document, "reason"),
        at=instant(document, "finished_at") or (service_time(created) if created else None),
        attempts=tuple(_attempts(document, service_time)),
        message_id=text(document, "message_id"),
        shared=shared if text(document, "message_id") else 1,
        may_resend=channel == "email" and state in RESENDABLE,
    )


def recipient_name(recipient: Json, account: Json, known: Mapping[str, Person]) -> str:
    """`Kit Larsen`, `Kim Okafor`, `the fallback mailbox`; what kind of recipient it is when nobody is named."""
    kind, identity = text(recipient, "kind"), text(recipient, "id")
    match kind:
        case "contact":
            names = {contact.id: contact.name for contact in contacts(account)}
            return names.get(identity, identity) or "no contact"
        case "csm":
            return person_name(identity or None, known)
        case "mailbox":
            return f"the {identity} mailbox" if identity else "a mailbox"
        case "subscription":
            return f"subscription {identity[:8]}…" if identity else "a subscription"
        case _:
            return identity or kind


def _attempts(document: Json, service_time: Callable[[datetime], datetime]) -> Iterable[Attempt]:
    for attempt in items(document, "attempts"):
        at = instant(attempt, "at")
        if at is not None:
            yield Attempt(service_time(at), text(attempt, "outcome"), text(attempt, "detail"))
