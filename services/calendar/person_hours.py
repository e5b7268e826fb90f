"""The open hours of a person as the directory describes them."""

from collections.abc import Sequence
from datetime import time

from schemas.directory import CsmRecord
from schemas.times import WEEKDAYS, clock_time
from services.calendar.open_hours import WORKDAYS, OpenHours, check_hours
from services.calendar.zones import load_zone


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
