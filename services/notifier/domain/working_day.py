"""The working day of a person of ours: when the mail of the day goes, and which day a moment belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from schemas.directory import CsmRecord
from schemas.times import WEEKDAYS, Weekday
from schemas.zones import UTC_ZONE, TimeZone
from services.notifier.domain.quiet_hours import zone_named

DAY_MAIL_AT = time(7, 30)
MORNING = timedelta(hours=4, minutes=30)
"""How long the mail of the day may wait for the calendar: until noon, where the clocks do not change."""
DAY = timedelta(days=1)
USUAL_DAYS = WEEKDAYS[:5]


def zone_of(person: CsmRecord | None) -> TimeZone:
    """The person's zone; UTC where none is known."""
    return zone_named(person.timezone) if person and person.timezone else UTC_ZONE


def next_opening(person: CsmRecord | None, now: datetime) -> datetime:
    """The first 07:30 of a working day of the person from `now` on, in UTC."""
    return opening_from(zone_of(person), working_days(person), now)


def opening_from(zone: TimeZone, days: Sequence[Weekday], now: datetime) -> datetime:
    """The first 07:30 of one of these days of the week from `now` on, in UTC."""
    day = now.astimezone(zone).date()
    while not (WEEKDAYS[day.weekday()] in days and _opening(day, zone) >= now):
        day += DAY
    return _opening(day, zone)


def last_opening(person: CsmRecord | None, now: datetime) -> datetime:
    """The last 07:30 of a working day of the person up to `now`, in UTC."""
    zone = zone_of(person)
    day = now.astimezone(zone).date()
    while not (is_working_day(person, day) and _opening(day, zone) <= now):
        day -= DAY
    return _opening(day, zone)


def covered_from_to(person: CsmRecord | None, opening: datetime) -> tuple[datetime, datetime]:
    """What the mail of that opening covers: from the start of its day to the start of the next working day."""
    zone = zone_of(person)
    first = opening.astimezone(zone).date()
    last = next_opening(person, opening + timedelta(microseconds=1)).astimezone(zone).date()
    start, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last))
    return start, end


def working_days(person: CsmRecord | None) -> Sequence[Weekday]:
    """Monday to Friday, or the person's own days. A person without any gets mail on the usual ones."""
    return (person.working_days if person else None) or USUAL_DAYS


def is_working_day(person: CsmRecord | None, day: date) -> bool:
    return WEEKDAYS[day.weekday()] in working_days(person)


def local_day(person: CsmRecord | None, moment: datetime) -> date:
    """The date that the moment has where the person is."""
    return moment.astimezone(zone_of(person)).date()


@dataclass(frozen=True, slots=True)
class DayCause:
    """What a delivery is about, and a time (service clock): both are the same each time that it is caused again."""

    id: str
    at: datetime


def day_cause(touchpoint_id: str, person: CsmRecord | None, due_at: datetime) -> DayCause:
    """The cause of the one mail that tells a person of a touchpoint that is due on a day."""
    day = local_day(person, due_at)
    return DayCause(f"due:{touchpoint_id}:{day}", datetime.combine(day, time(), UTC))


def _opening(day: date, zone: TimeZone) -> datetime:
    return datetime.combine(day, DAY_MAIL_AT, zone).astimezone(UTC)
