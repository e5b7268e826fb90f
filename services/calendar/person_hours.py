"""The open hours of a person as the directory describes them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.directory import CsmRecord, HolidayRecord
from schemas.times import WEEKDAYS, clock_time
from schemas.zones import UTC_ZONE
from services.calendar.open_hours import (
    WORKDAYS,
    DateSpan,
    OpenHours,
    check_hours,
    open_days,
    open_minutes,
)
from services.calendar.public_holidays import choose_calendar
from services.calendar.zones import load_zone

DEFAULT_HOURS: Final = OpenHours(UTC_ZONE)
"""Of people whom no directory record describes."""


class PersonDays(NamedTuple):
    """What closes days of a person: where they live, and their time off. `name`: for reasons."""

    name: str | None = None
    country: str | None = None
    region: str | None = None
    away: tuple[DateSpan, ...] = ()

    def close(self, hours: OpenHours, added: Iterable[HolidayRecord]) -> OpenHours:
        """The hours without public holidays and time off. `added`: public holidays of the policy."""
        holidays = choose_calendar(self.country, self.region, added)
        return replace(hours, holidays=holidays, away=self.away, person=self.name)


def days_of_record(record: CsmRecord) -> PersonDays:
    """Of a record of the directory."""
    away = tuple(DateSpan(time_off.from_, time_off.to) for time_off in record.time_off)
    return PersonDays(record.name, record.country, record.region, away)


def read_hours(
    timezone: str | None, days: Sequence[int] | None, start: time | None, end: time | None
) -> tuple[OpenHours, str | None]:
    """The open hours of a CSM, and what was wrong with their description, if anything."""
    zone = load_zone(timezone)
    usual = OpenHours(zone.info)
    weekdays = WORKDAYS if days is None else frozenset(days)
    hours, doubt = check_hours(zone.info, weekdays, start or usual.start, end or usual.end)
    return hours, zone.doubt or doubt


def hours_of_record(record: CsmRecord) -> tuple[OpenHours, str | None]:
    """As `read_hours`, of a record of the directory."""
    days = None
    if record.working_days is not None:
        days = sorted(WEEKDAYS.index(day) for day in record.working_days)
    hours = record.working_hours
    start, end = (None, None) if hours is None else (clock_time(hours.from_), clock_time(hours.to))
    return read_hours(record.timezone, days, start, end)


@lru_cache(maxsize=2048)
def available_by_block(
    hours: OpenHours, weekly_minutes: int, first: date, days: int, blocks: int
) -> tuple[int, ...]:
    """Minutes for touchpoints in each of so many blocks of so many days from `first` on, without days off and busy time.

    Some milliseconds a year, so it is kept: the answer is the same for all accounts of a day.
    """
    present: list[list[date]] = [[] for _ in range(blocks)]
    for day in open_days(hours, first, first + timedelta(days=days * blocks - 1)):
        present[(day - first).days // days].append(day)
    return tuple(available_minutes(hours, weekly_minutes, each, len(hours.days) or 1) for each in present)


def available_minutes(
    hours: OpenHours, weekly_minutes: int, present: Sequence[date], days_a_week: int
) -> int:
    """Minutes for touchpoints on these days, on which somebody works: no day has more than are free in it."""
    if not hours.is_working:
        return 0
    minutes = weekly_minutes * len(present) // days_a_week
    if hours.busy is None:
        return minutes
    a_day = weekly_minutes // days_a_week
    return max(minutes - sum(max(a_day - open_minutes(day, hours), 0) for day in present), 0)


def minutes_a_day(hours: OpenHours, weekly_minutes: int) -> int:
    """Minutes for touchpoints on each working day; 0 also of somebody without working days."""
    return weekly_minutes // (len(hours.days) or 1) if hours.is_working else 0
