"""Measure the work in each CSM's weeks against the time those weeks have. Sums, no advice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from schemas.base import Id, SchemaModel
from services.calendar.open_hours import WORKDAYS
from services.calendar.person_conflicts import name_week

DEFAULT_WEEKLY_MINUTES = 2400


@dataclass(frozen=True, slots=True)
class CsmWeek:
    """The usual week of a CSM; `away` are first days and the days of return, `holidays` public holidays, if known.

    `days`: None, the default days; empty, none. `doubt`: what is wrong with their description.
    """

    csm_id: str
    weekly_minutes: int | None = None
    days: frozenset[int] | None = None
    away: Sequence[tuple[date, date]] = ()
    holidays: Mapping[date, str] | None = None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class WeekLoad:
    """The work of one CSM in one week, which its Monday names."""

    csm_id: str
    monday: date
    minutes: int
    touches: int


class UnownedWeek(SchemaModel):
    """The work of one week that no person has, of the accounts of a pool; `pool` null: of those in none."""

    pool: str | None
    week: Annotated[str, Field(description="ISO week, as 2026-W14")]
    planned_minutes: int
    touches: int


class HolidayOfWeek(SchemaModel):
    """A public holiday of the CSM's country and region."""

    on: date
    name: str


class CapacityWeek(SchemaModel):
    csm_id: Id
    week: Annotated[str, Field(description="ISO week, as 2026-W14")]
    weekly_minutes: int
    available_minutes: int
    planned_minutes: int
    touches: int
    holidays: Annotated[
        tuple[HolidayOfWeek, ...] | None,
        Field(
            description="public holidays on working days, which have no available minutes; null: the CSM's country "
            "was not told, or its holidays are not known"
        ),
    ] = None
    time_off: Annotated[
        tuple[date, ...], Field(description="working days on which the CSM is away, without holidays")
    ] = ()
    doubt: Annotated[str | None, Field(description="what is wrong with the hours of this CSM")] = None


def measure_weeks(
    csms: Mapping[str, CsmWeek], loads: Iterable[WeekLoad], first: date, last: date
) -> list[CapacityWeek]:
    """Every ISO week from `first` to `last` of every CSM who is described or has something to do."""
    by_week = {(load.csm_id, load.monday): load for load in loads}
    csm_ids = sorted({*csms, *(csm_id for csm_id, _ in by_week)})
    monday = first - timedelta(days=first.weekday())
    mondays = [monday + timedelta(days=7 * n) for n in range((last - monday).days // 7 + 1)]
    return [
        _measure_week(csms.get(csm_id, CsmWeek(csm_id)), monday, by_week.get((csm_id, monday)))
        for csm_id in csm_ids
        for monday in mondays
    ]


def _measure_week(csm: CsmWeek, monday: date, load: WeekLoad | None) -> CapacityWeek:
    weekly = DEFAULT_WEEKLY_MINUTES if csm.weekly_minutes is None else csm.weekly_minutes
    working = [monday + timedelta(days=n) for n in sorted(WORKDAYS if csm.days is None else csm.days)]
    days = csm.holidays or {}
    holidays = tuple(HolidayOfWeek(on=day, name=days[day]) for day in working if day in days)
    return CapacityWeek(
        csm_id=csm.csm_id,
        week=name_week(monday),
        weekly_minutes=weekly,
        available_minutes=_available_minutes(csm, weekly, working),
        planned_minutes=0 if load is None else load.minutes,
        touches=0 if load is None else load.touches,
        holidays=None if csm.holidays is None else holidays,
        time_off=tuple(day for day in working if day not in days and _is_away(csm, day)),
        doubt=csm.doubt,
    )


def _is_away(csm: CsmWeek, day: date) -> bool:
    return any(first <= day < end for first, end in csm.away)


def _available_minutes(csm: CsmWeek, weekly: int, working: Sequence[date]) -> int:
    holidays = csm.holidays or {}
    present = [day for day in working if day not in holidays and not _is_away(csm, day)]
    return weekly * len(present) // len(working) if working else 0
