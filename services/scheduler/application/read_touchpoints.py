"""Read a page of the calendar, planned and projected touchpoints together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from schemas.plans import PlanAdjusted
from schemas.standing import TouchpointContent
from schemas.touchpoints import TouchpointRisk
from schemas.zones import UTC_ZONE, TimeZone
from services.calendar.recurrence import Series
from services.calendar.touchpoint import Status, Touchpoint
from services.scheduler.application.measure_capacity import CsmWeek, UnownedWeek, WeekLoad
from services.scheduler.application.project_rhythms import project_rhythms


@dataclass(frozen=True, slots=True)
class TouchpointFilter:
    """None matches all. `start_at <= due_at < end_at`."""

    account_id: str | None = None
    csm_id: str | None = None
    type: str | None = None
    statuses: frozenset[Status] = field(default_factory=frozenset[Status])
    start_at: datetime | None = None
    end_at: datetime | None = None
    changed_since: datetime | None = None
    unowned: bool = False
    """Only work of people that no known person has."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person of ours as the directory describes them."""

    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class TouchpointEntry:
    """A touchpoint as it is shown. `change` is its place in the change feed; None: it is only projected."""

    touchpoint: Touchpoint
    content: TouchpointContent
    changed_at: datetime | None
    change: int | None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Entries in the order of commit. `resume`: the change after which reading goes on; None: there is none yet.

    `has_more`: whether there may be more now. A page of which a bounded number of changes was read may be short.
    """

    entries: Sequence[TouchpointEntry]
    resume: tuple[int, str] | None
    has_more: bool


@dataclass(frozen=True, slots=True)
class AccountRhythms:
    """The active series of an account, its zone or those of its country, and the plan they come from."""

    series: Sequence[Series]
    zones: Sequence[TimeZone] = (UTC_ZONE,)
    plan: PlanAdjusted | None = None


class TouchpointReader(Protocol):
    async def real_now(self) -> datetime:
        """The real clock of the database."""
        ...

    async def find(self, touchpoint_id: str) -> TouchpointEntry | None: ...

    async def list_touchpoints(
        self, wanted: TouchpointFilter, after: tuple[datetime, str] | None, limit: int
    ) -> list[TouchpointEntry]:
        """By due time and id, those after the cursor."""
        ...

    async def list_changes(
        self, wanted: TouchpointFilter, after: tuple[int, str] | None, limit: int
    ) -> ChangePage:
        """In the order of commit, those after the cursor, else those since `changed_since`."""
        ...

    async def load_rhythms(self, account_id: str) -> AccountRhythms: ...

    async def find_current_account(self, account_id: str) -> str:
        """The account into which this one was merged; itself when it was not."""
        ...

    async def find_invited(self, ids: Collection[str]) -> Collection[str]:
        """Those of these touchpoints that people are invited to."""
        ...

    async def find_risks(self, ids: Collection[str]) -> Mapping[str, TouchpointRisk]:
        """By touchpoint what endangers its promise, of those at risk."""
        ...

    async def load_people(self, csm_ids: Collection[str]) -> Mapping[str, Person]:
        """Those whom the directory describes, by id."""
        ...

    async def load_groups(self, groups: Collection[str]) -> Mapping[str, Sequence[str]]:
        """The ids of the open touchpoints of each group, by due time."""
        ...

    async def load_weeks(
        self, start: datetime, end: datetime, csm_id: str | None
    ) -> tuple[Mapping[str, CsmWeek], list[WeekLoad]]: ...

    async def load_unowned_weeks(self, start: datetime, end: datetime) -> list[UnownedWeek]:
        """Work that nobody has, by week and by the pool of its account."""
        ...


async def read_touchpoints(
    reader: TouchpointReader,
    wanted: TouchpointFilter,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
    now: datetime,
) -> list[TouchpointEntry]:
    """Up to `limit` entries after the cursor, by due time and id.

    What lies beyond the planned month is projected when the filter names one account and an end.
    """
    planned = await reader.list_touchpoints(wanted, after, limit)
    wants_planned = (not wanted.statuses or Status.PLANNED in wanted.statuses) and not wanted.unowned
    if wanted.account_id is None or wanted.end_at is None or not wants_planned:
        return planned
    rhythms = await reader.load_rhythms(wanted.account_id)
    contents = {series.type: series.content for series in rhythms.series}
    projected = project_rhythms(
        wanted.account_id, rhythms.series, now, to=wanted.end_at, zones=rhythms.zones, plan=rhythms.plan
    )
    entries = [
        TouchpointEntry(touchpoint, contents[touchpoint.type], None, None)
        for touchpoint in projected
        if _matches(touchpoint, wanted, after)
    ]
    return sorted([*planned, *entries], key=lambda entry: position_of(entry.touchpoint))[:limit]


def position_of(touchpoint: Touchpoint) -> tuple[datetime, str]:
    """Its place in a list by due time."""
    return touchpoint.due_at, touchpoint.id


def _matches(touchpoint: Touchpoint, wanted: TouchpointFilter, after: tuple[datetime, str] | None) -> bool:
    if wanted.type is not None and touchpoint.type != wanted.type:
        return False
    if wanted.csm_id is not None and touchpoint.csm_id != wanted.csm_id:
        return False
    if wanted.start_at is not None and touchpoint.due_at < wanted.start_at:
        return False
    if wanted.end_at is not None and touchpoint.due_at >= wanted.end_at:
        return False
    return after is None or position_of(touchpoint) > after
