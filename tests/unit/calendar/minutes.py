"""What is open by the clocks on the wall, one moment at a time: written from the description, shares no code with it."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from services.calendar.open_hours import OpenHours

MINUTE = timedelta(minutes=1)


def is_open_on_the_wall(moment: datetime, hours: OpenHours) -> bool:
    """For hours without a customer: whether the clock of each zone shows a time of a shift that is worked."""
    return all(_is_open_in(moment.astimezone(zone), hours) for zone in (hours.zone, *hours.also_in))


def _is_open_in(wall: datetime, hours: OpenHours) -> bool:
    clock, day = wall.time(), wall.date()
    if _is_closed(day, hours):
        return False
    if hours.start < hours.end:
        return day.weekday() in hours.days and hours.start <= clock < hours.end
    yesterday = day - timedelta(days=1)
    if clock >= hours.start:
        return day.weekday() in hours.days
    return clock < hours.end and yesterday.weekday() in hours.days and not _is_closed(yesterday, hours)


def _is_closed(day: date, hours: OpenHours) -> bool:
    return any(span.first <= day <= span.last for span in hours.away)


def minutes_between(start: datetime, end: datetime) -> Iterator[datetime]:
    moment = start
    while moment < end:
        yield moment
        moment += MINUTE


def first_open(start: datetime, end: datetime, is_open: Callable[[datetime], bool]) -> datetime | None:
    """The first open minute, by looking at each."""
    return next(filter(is_open, minutes_between(start, end)), None)
