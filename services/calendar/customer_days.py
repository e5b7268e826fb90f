"""When people of ours may be with a customer."""

from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache

from schemas.zones import TimeZone
from services.calendar.public_holidays import HolidayCalendar
from services.calendar.stretches import Stretches, days_around, find_stretches, intersect, windows_of_day


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
