"""When people of ours may be with a customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from typing import NamedTuple

from schemas.directory import HolidayRecord
from schemas.zones import TimeZone
from services.calendar.public_holidays import HolidayCalendar, choose_calendar
from services.calendar.stretches import Stretches, days_around, find_stretches, intersect, windows_of_day
from services.calendar.zones import load_zone, load_zones


class CustomerPlace(NamedTuple):
    """Where a customer is as the directory knows it: the name of its zone, or those of its country, and the place."""

    timezone: str | None = None
    zones: Sequence[str] = ()
    country: str | None = None
    region: str | None = None

    @property
    def clocks(self) -> tuple[TimeZone, ...]:
        """Its zone, or all those of its country; UTC where neither is known."""
        return load_zones(self.timezone, self.zones)


@dataclass(frozen=True, slots=True)
class CustomerDays:
    """When people of ours may be with a customer: from `start` up to `end`, outside its weekend and public holidays.

    In all its zones at once; with none (where it is, is not known) there is no restriction of hours, and the days are
    those of whoever leads it. When `end` is not after `start`, the hours reach over midnight.
    """

    zones: tuple[TimeZone, ...] = ()
    start: time = time(8)
    end: time = time(20)
    weekend: frozenset[int] = frozenset()
    holidays: HolidayCalendar | None = None


def find_customer_days(place: CustomerPlace, added: Sequence[HolidayRecord]) -> CustomerDays | None:
    """The days of a customer, as far as it is known where it is. `added`: public holidays of the policy."""
    is_placed = place.zones or (place.timezone and load_zone(place.timezone).doubt is None)
    zones = place.clocks if is_placed else ()
    holidays = choose_calendar(place.country, place.region, added)
    if not zones and holidays is None:
        return None
    weekend = frozenset[int]() if holidays is None else holidays.weekend
    return CustomerDays(zones, weekend=weekend, holidays=holidays)


def season_zones(customer: CustomerDays | None, lead: TimeZone) -> tuple[TimeZone, ...]:
    """Whose days the days of a season are: the customer's; where its zone is not known, those of whoever leads it."""
    return (customer.zones if customer is not None else ()) or (lead,)


@lru_cache(maxsize=2048)
def find_customer_stretches(
    customer: CustomerDays, zones: tuple[TimeZone, ...], year: int, *, in_hours: bool
) -> Stretches:
    """The days of a customer that are neither weekend nor public holiday; those hours of them without quiet hours."""
    days = [day for day in days_around(year) if _is_day_of(customer, day)]
    start, end = (customer.start, customer.end) if in_hours and customer.zones else (time.min, time.max)
    windows = [window for day in days for window in windows_of_day(day, start, end)]
    first, *others = [find_stretches(windows, zone, year) for zone in zones]
    for other in others:
        first = intersect(first, other)
    return first


def _is_day_of(customer: CustomerDays, day: date) -> bool:
    is_holiday = customer.holidays is not None and customer.holidays.name_of(day) is not None
    return day.weekday() not in customer.weekend and not is_holiday
