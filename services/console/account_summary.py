"""What a person needs to know of an account at a glance: name, revenue, renewal, health, CSM, contacts."""

from dataclasses import dataclass
from datetime import date, datetime

from services.console import labels
from services.console.json_fields import Json, items, nested, text
from services.console.people import Contact, contacts


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """`arr`: `250,000 EUR`; `renewal`: `renews Mon 30 Nov (in 3 months)`; both empty when unknown."""

    id: str
    name: str
    arr: str
    renewal: str
    segment: str
    stage: str
    color: str
    contacts: tuple[Contact, ...]


def account_summary(account_id: str, document: Json, now: datetime) -> AccountSummary:
    """`document` is the rules engine's, empty when it could not be read."""
    facts = nested(document, "facts")
    arr, currency = nested(facts, "arr").get("value"), text(nested(facts, "currency"), "value")
    amount = "" if arr is None else f"{labels.value(arr)} {currency}".strip()
    return AccountSummary(
        id=account_id,
        name=text(nested(facts, "name"), "value") or account_id,
        arr=amount,
        renewal=_renewal(document, now.date()),
        segment=labels.title(text(document, "segment")),
        stage=labels.title(text(document, "stage")),
        color=text(document, "color"),
        contacts=tuple(contacts(document)),
    )


def _renewal(document: Json, today: date) -> str:
    """The next renewal of a contract that runs; without one the last, which has passed."""
    dates = [
        renews_on
        for contract in items(document, "contracts")
        if text(contract, "status") not in ("churned", "ended", "draft")
        and (renews_on := _date(text(contract, "renews_on"))) is not None
    ]
    coming = sorted(day for day in dates if day >= today)
    if coming:
        return f"renews {labels.day(coming[0], today)} ({_distance(coming[0], today)})"
    return f"renewal was {labels.day(max(dates), today)}" if dates else ""


def _distance(on: date, today: date) -> str:
    days = (on - today).days
    return "today" if days == 0 else f"in {labels.count(days, 'day')}"


def _date(text_value: str) -> date | None:
    try:
        return date.fromisoformat(text_value)
    except ValueError:
        return None
