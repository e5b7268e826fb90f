"""Look: a page of the calendar, planned and projected together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.scheduler.application.project import projected
from services.scheduler.domain.plan import Plan
from services.scheduler.domain.recurrence import Series
from services.scheduler.domain.touchpoint import Face, Status, Touchpoint


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; None asks for all. `start` and `end` bound `due_at`, both included."""

    account_id: str | None = None
    csm_id: str | None = None
    type: str | None = None
    statuses: frozenset[Status] = field(default_factory=frozenset[Status])
    start: datetime | None = None
    end: datetime | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A touchpoint as it is shown. `change` orders the feed; None: it is projected, not planned yet."""

    touchpoint: Touchpoint
    face: Face
    changed_at: datetime | None
    change: int | None


@dataclass(frozen=True, slots=True)
class Rhythms:
    """The rhythms of an account in force, its zone by name, and the letter of the plan they come from."""

    series: Sequence[Series]
    zone: str | None = None
    letter: bytes | None = None


class Shelf(Protocol):
    async def listed(self, wanted: Filter, after: tuple[datetime, str] | None, limit: int) -> list[Entry]: ...

    async def rhythms(self, account_id: str) -> Rhythms: ...


async def look(
    shelf: Shelf,
    wanted: Filter,
    read: Callable[[bytes], Plan],
    *,
    after: tuple[datetime, str] | None,
    limit: int,
    now: datetime,
) -> list[Entry]:
    """Up to `limit` entries after the cursor, by due time and id.

    What lies beyond the planned month is projected when one account is asked for up to a moment; `read`
    understands the letter of its plan.
    """
    planned = await shelf.listed(wanted, after, limit)
    if wanted.account_id is None or wanted.end is None or not _wants_planned(wanted.statuses):
        return planned
    known = await shelf.rhythms(wanted.account_id)
    plan = None if known.letter is None or not known.series else read(known.letter)
    expected = projected(wanted.account_id, known.series, now, to=wanted.end, zone_name=known.zone, plan=plan)
    coming = [
        Entry(each, each.face, None, None)
        for each in expected
        if each.face is not None and _asked_for(each, wanted, after)
    ]
    return sorted([*planned, *coming], key=lambda each: place(each.touchpoint))[:limit]


def place(touchpoint: Touchpoint) -> tuple[datetime, str]:
    return touchpoint.due_at, touchpoint.id


def _wants_planned(statuses: Sequence[Status] | frozenset[Status]) -> bool:
    return not statuses or Status.PLANNED in statuses


def _asked_for(each: Touchpoint, wanted: Filter, after: tuple[datetime, str] | None) -> bool:
    if wanted.type is not None and each.type != wanted.type:
        return False
    if wanted.csm_id is not None and each.csm_id != wanted.csm_id:
        return False
    if wanted.start is not None and each.due_at < wanted.start:
        return False
    return after is None or place(each) > after
