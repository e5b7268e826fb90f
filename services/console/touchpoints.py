"""The calendar as an operator reads it: what is overdue, what is due, what comes next, day by day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from services.console import labels
from services.console.json_fields import Json, moment, number, part, text

AHEAD: Final = timedelta(days=14)
_NEXT: Final = 6
_LAST: Final = 8


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """One touchpoint of the scheduler's listing; instants are in UTC on the service clock."""

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
    purpose: str
    why: str
    rule: str
    note: str
    outcome: str
    outcome_notes: str
    sequence: int
    changed_at: datetime | None

    @property
    def title(self) -> str:
        return labels.title(self.type)

    @property
    def how(self) -> str:
        """`Call · csm-joe`."""
        return labels.how(self.channel, self.owner, self.csm_id)


@dataclass(frozen=True, slots=True)
class Day:
    when: date
    name: str
    distance: str
    touchpoints: tuple[Touchpoint, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """`summary` says in a sentence how things stand; `empty` what to read where nothing is due."""

    summary: str
    empty: str
    overdue: tuple[Touchpoint, ...]
    due: tuple[Touchpoint, ...]
    days: tuple[Day, ...]
    beyond: str


def touchpoint(document: Json) -> Touchpoint | None:
    """A touchpoint from an item; None for an item without identity or due time."""
    due_at, identity = moment(document, "due_at"), text(document, "id")
    if due_at is None or not identity:
        return None
    reason, outcome = part(document, "reason"), part(document, "outcome")
    owner = part(document, "owner")
    return Touchpoint(
        id=identity,
        account_id=text(document, "account_id"),
        type=text(document, "type"),
        status=text(document, "status"),
        due_at=due_at,
        released_at=moment(document, "released_at"),
        deadline=moment(document, "deadline"),
        owner=text(document, "owner") or text(owner, "kind"),
        csm_id=text(document, "csm_id") or text(owner, "csm_id") or None,
        channel=text(document, "channel"),
        purpose=text(document, "purpose"),
        why=text(reason, "text") or text(document, "reason"),
        rule=text(reason, "rule"),
        note=text(document, "note"),
        outcome=text(outcome, "outcome") or text(document, "outcome"),
        outcome_notes=text(outcome, "notes"),
        sequence=number(document, "sequence"),
        changed_at=moment(document, "updated_at"),
    )


def touchpoints(documents: Iterable[Json]) -> list[Touchpoint]:
    return [read for each in documents if (read := touchpoint(each)) is not None]


def board(
    waiting: Sequence[Touchpoint], planned: Sequence[Touchpoint], now: datetime, names: Mapping[str, str]
) -> Board:
    """`waiting` are due and overdue, `planned` by due time; `names` of accounts by id."""
    overdue = sorted((each for each in waiting if each.status == "overdue"), key=_deadline)
    due = sorted((each for each in waiting if each.status == "due"), key=_urgency)
    near = [each for each in planned if each.due_at <= now + AHEAD]
    later = next((each for each in planned if each.due_at > now + AHEAD), None)
    upcoming = planned[0] if planned else None
    return Board(
        summary=_summary(len(overdue), len(due)),
        empty=_empty(upcoming, now, names),
        overdue=tuple(overdue),
        due=tuple(due),
        days=tuple(_days(near, now)),
        beyond="" if later is None else f"After that: {_next(later, now, names)}.",
    )


def since(each: Touchpoint, now: datetime) -> str:
    """How long it has been due."""
    return f"due {labels.relative(each.released_at or each.due_at, now)}"


def limit(each: Touchpoint, now: datetime) -> str:
    """Until when it is to be done; empty when there is no deadline."""
    if each.deadline is None:
        return ""
    if each.deadline <= now:
        past = labels.relative(each.deadline, now)
        return f"deadline passed {past}, {labels.day(each.deadline.date(), now.date())}"
    return f"by {labels.when(each.deadline, now)}"


def timing(each: Touchpoint, now: datetime) -> str:
    """When it is or was due, and until when it is to be done."""
    if each.status not in ("due", "overdue"):
        text = labels.when(each.due_at, now)
    else:
        text = " · ".join(part for part in (since(each, now), limit(each, now)) if part)
    return text[:1].upper() + text[1:]


def selection(calendar: Sequence[Touchpoint]) -> list[Touchpoint]:
    """What of an account's calendar is worth a look: all that waits, what comes next, what was last."""
    waits = [each for each in calendar if each.status in ("due", "overdue")]
    comes = [each for each in calendar if each.status == "planned"]
    over = [each for each in calendar if each.status in ("settled", "cancelled")]
    return [*waits, *comes[:_NEXT], *reversed(over[-_LAST:])]


def _summary(overdue: int, due: int) -> str:
    parts = [f"{number:,} {name}" for number, name in ((overdue, "overdue"), (due, "due")) if number]
    return labels.listing(parts)


def _empty(upcoming: Touchpoint | None, now: datetime, names: Mapping[str, str]) -> str:
    if upcoming is None:
        return "Nothing is due and nothing is planned. Plans are made when facts about an account arrive."
    return f"Nothing is due. The next touchpoint is {_next(upcoming, now, names)}."


def _next(each: Touchpoint, now: datetime, names: Mapping[str, str]) -> str:
    account = names.get(each.account_id, each.account_id)
    return f"“{each.title}” for {account}, {labels.when(each.due_at, now)}"


def _days(near: Sequence[Touchpoint], now: datetime) -> Iterable[Day]:
    for when, group in groupby(near, key=lambda each: each.due_at.date()):
        name = labels.day(when, now.date())
        away = (when - now.date()).days
        distance = f"in {labels.count(away, 'day')}" if away > 1 else ""
        yield Day(when, name, distance, tuple(group))


def _deadline(each: Touchpoint) -> datetime:
    return each.deadline or each.due_at


def _urgency(each: Touchpoint) -> tuple[bool, datetime, str]:
    return each.deadline is None, each.deadline or each.due_at, each.id
