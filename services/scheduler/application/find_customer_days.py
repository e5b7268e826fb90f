"""When people of ours may be with a customer, by what the directory says of where it is."""

from collections.abc import Sequence

from schemas.directory import HolidayRecord
from services.calendar.customer_days import CustomerDays
from services.calendar.public_holidays import choose_calendar
from services.calendar.zones import load_zone, load_zones
from services.scheduler.application.ports import CalendarAccount


def find_customer_days(account: CalendarAccount, added: Sequence[HolidayRecord]) -> CustomerDays | None:
    """The days of the customer, as far as it is known where it is."""
    is_placed = account.zones or (account.timezone and load_zone(account.timezone).doubt is None)
    zones = load_zones(account.timezone, account.zones) if is_placed else ()
    holidays = choose_calendar(account.country, account.region, added)
    if not zones and holidays is None:
        return None
    weekend = frozenset[int]() if holidays is None else holidays.weekend
    return CustomerDays(zones, weekend=weekend, holidays=holidays)
