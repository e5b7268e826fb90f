"""The calendar for an operator: what is overdue, what is due, what comes next, day by day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from services.console import labels
from services.console.json_fields import Json, instant, nested, number, text, texts

BOARD_SPAN: Final = timedelta(days=14)
_NEXT_SHOWN: Final = 6
_PAST_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """An item of the scheduler's listing; instants are UTC on the service clock. `risk`: what will break its promise."""

    id: str
    account_id: str
    type: str
    status: str
    due_at: datetime
    released_at: datetime | None
    deadline: datetime | None
    owner: str
    csm_id: str | None
    channel: str
    why: str
    rule: str
    note: str
    outcome: str
    outcome_notes: str
    sequence: int
    changed_at: datetime | None
    purpose: str = ""
    agenda: tuple[str, ...] = ()
    expects: str = ""
    audience: tuple[str, ...] = ()
    owner_name: str = ""
    group: str = ""
    risk: str = ""

    @property
    def title(self) -> str:
        return labels.title(self.type)

    @property
    def contact(self) -> str:
        """`Call · csm-joe`."""
        return labels.channel_and_owner(
            self.channel, labels.owner(self.owner, self.owner_name or self.csm_id)
        )


@dataclass(frozen=True, slots=True)
class Day:
    """A day and its planned touchpoints. `distance`: `in 7 days`, empty for today and tomorrow."""

    on: date
    name: str
    distance: str
    touchpoints: tuple[Touchpoint, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """`summary`: `1 overdue and 3 due`; `empty`: text where nothing is due; `beyond`: what comes after `days`."""

    summary: str
    empty: str
    overdue: tuple[Touchpoint, ...]
    due: tuple[Touchpoint, ...]
    days: tuple[Day, ...]
    beyond: str


def touchpoint(document: Json) -> Touchpoint | None:
    """Read an item; None for an item without an id or a due time."""
    due_at, identity = instant(document, "due_at"), text(document, "id")
    if due_at is None or not identity:
        return None
    reason, outcome, owner = (nested(document, name) for name in ("reason", "outcome", "owner"))
    return Touchpoint(
        id=identity,
        account_id=text(document, "account_id"),
        type=text(document, "type"),
        status=text(document, "status"),
        due_at=due_at,
        released_at=instant(document, "released_at"),
        deadline=instant(document, "deadline"),
        owner=text(owner, "kind"),
        csm_id=text(owner, "csm_id") or None,
        channel=text(document, "channel"),
        why=labels.with_dates(text(reason, "text") or text(document, "reason")),
        rule=text(reason, "rule"),
        note=labels.with_dates(text(document, "note")),
        outcome=text(outcome, "outcome") or text(document, "outcome"),
        outcome_notes=text(outcome, "notes"),
        sequence=number(document, "sequence"),
        changed_at=instant(document, "updated_at"),
        purpose=text(document, "purpose"),
        agenda=tuple(texts(document, "agenda")),
        expects=text(document, "expects"),
        audience=tuple(texts(document, "audience")),
        owner_name=text(owner, "name"),
        group=text(document, "group"),
        risk=labels.with_dates(text(nested(document, "risk"), "detail")),
    )


def touchpoints(documents: Iterable[Json]) -> list[Touchpoint]:
    return [item for item in map(touchpoint, documents) if item is not None]


def board(
    open_touchpoints: Sequence[Touchpoint],
    planned: Sequence[Touchpoint],
    now: datetime,
    names: Mapping[str, str],
) -> Board:
    """`open_touchpoints` are due or overdue; `planned` is sorted by due time; `names` maps account ids."""
    overdue = sorted((item for item in open_touchpoints if item.status == "overdue"), key=_deadline)
    due = sorted((item for item in open_touchpoints if item.status == "due"), key=_urgency)
    later = next((item for item in planned if item.due_at > now + BOARD_SPAN), None)
    upcoming = planned[0] if planned else None
    counts = ((len(overdue), "overdue"), (len(due), "due"))
    return Board(
        summary=labels.listing(f"{number:,} {name}" for number, name in counts if number),
        empty=_empty(upcoming, now, names),
        overdue=tuple(overdue),
        due=tuple(due),
        days=tuple(_days([item for item in planned if item.due_at <= now + BOARD_SPAN], now)),
        beyond="" if later is None else f"After that: {_in_a_sentence(later, now, names)}.",
    )


def due_since(item: Touchpoint, now: datetime) -> str:
    """`due 3 minutes ago`."""
    return f"due {labels.relative(item.released_at or item.due_at, now)}"


def deadline_text(item: Touchpoint, now: datetime) -> str:
    """`by Wed 25 Nov, 14:30 UTC (in 2 days)`; empty without a deadline."""
    if item.deadline is None:
        return ""
    if item.deadline <= now:
        passed = labels.relative(item.deadline, now)
        on = item.deadline.astimezone(now.tzinfo).date()
        return f"deadline passed {passed}, {labels.day(on, now.date())}"
    return f"by {labels.when(item.deadline, now)}"


def timing(item: Touchpoint, now: datetime) -> str:
    """When it is or was due, and its deadline while it is open."""
    if item.status not in ("due", "overdue"):
        return labels.capitalized(labels.when(item.due_at, now))
    return labels.capitalized(labels.joined(due_since(item, now), deadline_text(item, now)))


def selection(calendar: Sequence[Touchpoint]) -> list[Touchpoint]:
    """What an account's page shows of its calendar: all that is open, the next few, the last few."""
    open_touchpoints = [item for item in calendar if item.status in ("due", "overdue")]
    planned = [item for item in calendar if item.status == "planned"]
    closed = [item for item in calendar if item.status in ("settled", "cancelled")]
    return [*open_touchpoints, *planned[:_NEXT_SHOWN], *reversed(closed[-_PAST_SHOWN:])]


def _empty(upcoming: Touchpoint | None, now: datetime, names: Mapping[str, str]) -> str:
    if upcoming is None:
        return "Nothing is due and nothing is planned. Plans are made when facts about an account arrive."
    return f"Nothing is due. The next touchpoint is {_in_a_sentence(upcoming, now, names)}."


def _in_a_sentence(item: Touchpoint, now: datetime, names: Mapping[str, str]) -> str:
    account = names.get(item.account_id, item.account_id)
    return f"“{item.title}” for {account}, {labels.when(item.due_at, now)}"


def _days(planned: Sequence[Touchpoint], now: datetime) -> Iterable[Day]:
    for on, group in groupby(planned, key=lambda item: item.due_at.astimezone(now.tzinfo).date()):
        days_ahead = (on - now.date()).days
        distance = f"in {labels.count(days_ahead, 'day')}" if days_ahead > 1 else ""
        yield Day(on, labels.capitalized(labels.day(on, now.date())), distance, tuple(group))


def _deadline(item: Touchpoint) -> datetime:
    return item.deadline or item.due_at


def _urgency(item: Touchpoint) -> tuple[bool, datetime, str]:
    return item.deadline is None, _deadline(item), item.id
