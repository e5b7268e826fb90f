"""Measure the work in each CSM's weeks against the time those weeks have. Sums, no advice."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from schemas.base import Id, SchemaModel
from services.calendar.open_hours import DAY, OpenHours, open_days, usual_of
from services.calendar.person_book import DEFAULT_WEEKLY_MINUTES
from services.calendar.person_hours import DEFAULT_HOURS, available_minutes
from services.calendar.weeks import name_week


@dataclass(frozen=True, slots=True)
class CsmWeek:
    """The hours of a CSM and their minutes in a usual week. `doubt`: what is wrong with their description.

    `hours`: None, those of somebody whom nobody described.
    """

    csm_id: str
    weekly_minutes: int | None = None
    hours: OpenHours | None = None
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
) -> Iterator[CapacityWeek]:
    """Every ISO week from `first` to `last` of every CSM who is described or has something to do.

    Each is computed when it is asked for: a year of 150 people takes seconds.
    """
    by_week = {(load.csm_id, load.monday): load for load in loads}
    csm_ids = sorted({*csms, *(csm_id for csm_id, _ in by_week)})
    monday = first - timedelta(days=first.weekday())
    mondays = [monday + timedelta(days=7 * n) for n in range((last - monday).days // 7 + 1)]
    return (
        _measure_week(csms.get(csm_id, CsmWeek(csm_id)), monday, by_week.get((csm_id, monday)))
        for csm_id in csm_ids
        for monday in mondays
    )


def _measure_week(csm: CsmWeek, monday: date, load: WeekLoad | None) -> CapacityWeek:
    weekly = DEFAULT_WEEKLY_MINUTES if csm.weekly_minutes is None else csm.weekly_minutes
    hours = csm.hours or DEFAULT_HOURS
    working = open_days(usual_of(hours), monday, monday + 6 * DAY) if hours.is_working else ()
    return CapacityWeek(
        csm_id=csm.csm_id,
        week=name_week(monday),
        weekly_minutes=weekly,
        available_minutes=_available_minutes(hours, weekly, working),
        planned_minutes=0 if load is None else load.minutes,
        touches=0 if load is None else load.touches,
        holidays=_holidays_on(hours, working),
        time_off=tuple(day for day in working if _is_away(hours, day)),
        doubt=csm.doubt,
    )


def _available_minutes(hours: OpenHours, weekly: int, working: Sequence[date]) -> int:
    """The part of the week's minutes that is on working days without public holidays, time off and busy time."""
    if not working:
        return 0
    present = [day for day in open_days(hours, working[0], working[-1]) if day in working]
    return available_minutes(hours, weekly, present, len(working))


def _holidays_on(hours: OpenHours, working: Sequence[date]) -> tuple[HolidayOfWeek, ...] | None:
    calendar = hours.holidays
    if calendar is None or not calendar.is_known:
        return None
    named = ((day, calendar.name_of(day)) for day in working)
    return tuple(HolidayOfWeek(on=day, name=name) for day, name in named if name is not None)


def _is_away(hours: OpenHours, day: date) -> bool:
    """Whether the person has time off on a day that is no public holiday."""
    is_holiday = hours.holidays is not None and hours.holidays.name_of(day) is not None
    return not is_holiday and any(span.first <= day <= span.last for span in hours.away)
