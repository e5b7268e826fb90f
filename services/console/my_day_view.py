"""A person's day: what is overdue, due and coming, grouped by account, with whom to reach and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.console import labels
from services.console.account_summary import AccountSummary, account_summary
from services.console.json_fields import Json, instant, nested, text
from services.console.people import Contact, contact_to_reach
from services.console.touchpoints import Touchpoint, due_since

COMING_SPAN: Final = timedelta(days=7)
_RANKS: Final[Mapping[str, int]] = {"overdue": 0, "due": 1}
_OPEN: Final = ("overdue", "due")
_SHOWN_WHOLE: Final = 500
_SHOWN_BEGINNING: Final = 300
_BY_PEOPLE: Final = frozenset({"call", "meeting"})


@dataclass(frozen=True, slots=True)
class DayItem:
    """A touchpoint of the day. `since`: since when it is due, empty for a planned one; `left`: `in 2 days`."""

    touchpoint: Touchpoint
    contact: Contact | None
    since: str
    left: str

    @property
    def is_open(self) -> bool:
        return self.touchpoint.status in _OPEN


@dataclass(frozen=True, slots=True)
class LastNote:
    """What somebody wrote about the last conversation. `detail`: `3 days ago · call`."""

    text: str
    at: datetime
    detail: str

    @property
    def beginning(self) -> str:
        """Of a long note the first words; "" for one that is shown whole."""
        if len(self.text) <= _SHOWN_WHOLE:
            return ""
        return f"{' '.join(self.text[:_SHOWN_BEGINNING].split())}…"


@dataclass(frozen=True, slots=True)
class DayAccount:
    """An account and its touchpoints of the day, the most urgent first."""

    account: AccountSummary
    items: tuple[DayItem, ...]
    last_note: LastNote | None = None


@dataclass(frozen=True, slots=True)
class MyDay:
    """`to_do`: accounts with something overdue or due; `coming`: the others; `summary`: `1 overdue and 3 due`."""

    summary: str
    to_do: tuple[DayAccount, ...]
    coming: tuple[DayAccount, ...]


def is_for_a_person(item: Touchpoint) -> bool:
    """Whether a person has to act: what Drumbeat sends by itself is hidden."""
    return item.owner not in ("automation", "marketing") or item.channel in _BY_PEOPLE


def my_day(
    touchpoints: Iterable[Touchpoint],
    accounts: Mapping[str, Json],
    figures: Mapping[str, Json],
    now: datetime,
) -> MyDay:
    """`touchpoints` are open or planned ones of one person, `accounts` their documents and `figures` theirs by id."""
    shown = sorted(filter(is_for_a_person, touchpoints), key=_urgency)
    by_account: dict[str, list[Touchpoint]] = {}
    for item in shown:
        by_account.setdefault(item.account_id, []).append(item)
    groups = [
        DayAccount(
            account_summary(account_id, accounts.get(account_id, {}), now),
            tuple(day_item(item, accounts.get(account_id, {}), now) for item in own),
            last_note(figures.get(account_id, {}), now),
        )
        for account_id, own in by_account.items()
    ]
    counts = [(sum(item.status == status for item in shown), status) for status in _OPEN]
    return MyDay(
        summary=labels.listing(f"{number:,} {status}" for number, status in counts if number),
        to_do=tuple(group for group in groups if group.items[0].is_open),
        coming=tuple(group for group in groups if not group.items[0].is_open),
    )


def day_item(item: Touchpoint, account: Json, now: datetime) -> DayItem:
    return DayItem(
        touchpoint=item,
        contact=contact_to_reach(account, item.audience, item.channel),
        since=labels.capitalized(due_since(item, now)) if item.status in _OPEN else "",
        left=labels.relative(item.deadline, now) if item.deadline is not None else "",
    )


def last_note(figures: Json, now: datetime) -> LastNote | None:
    """The note of the last conversation; None where nobody wrote one."""
    conversation = nested(figures, "conversation")
    at, notes = instant(conversation, "at"), text(conversation, "notes").strip()
    if at is None or not notes:
        return None
    channel = text(conversation, "channel")
    detail = labels.joined(labels.relative(at, now), labels.channel(channel) if channel else "")
    return LastNote(notes, at, detail)


def _urgency(item: Touchpoint) -> tuple[int, datetime, str]:
    return _RANKS.get(item.status, 2), item.deadline or item.due_at, item.id
