"""When people and messages may be with a customer, and steps in wall-clock time.

Open is what the clocks on the wall show: the hours of somebody's shifts, by their zone, on their working days without
public holidays and time off, while the customer has neither quiet hours nor a day of rest. A wall time inside the
spring gap moves forward by the gap; one inside the autumn overlap is the first of the two (RFC 5545 section 3.3.5).
A day is never 24 hours added in UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from schemas.times import QuietHours, clock_time
from schemas.zones import TimeZone
from services.calendar import stretches
from services.calendar.busy_time import BusyTime
from services.calendar.customer_days import CustomerDays, find_customer_stretches
from services.calendar.lengths import length_of
from services.calendar.public_holidays import HolidayCalendar
from services.calendar.stretches import (
    Span,
    Stretches,
    from_micros,
    intersect,
    subtract,
    to_micros,
    windows_of_shift,
)

DAY = timedelta(days=1)
WORKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))
FARTHEST_YEARS = 3
"""How far to look for open hours: nobody is away for longer."""
_CACHED = 4096
"""A year of hours of one person with one kind of customer takes 4 KiB."""
_CACHED_PARTS = 1024


class DateSpan(NamedTuple):
    """Days in a row, the first and the last included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Weekdays (0 is Monday) and hours from `start` up to, not including, `end`, in one zone.

    When `end` is not after `start`, the shift ends on the next day; its weekday is the one on which it starts.
    `also_in`: zones in which it has to be open at the same moment too. `holidays`: public holidays of the person.
    `away`: time off; neither a shift that starts on such a day nor any hour of it is open. `customer`: when the customer
    can be met. `person`: whose hours they are, for reasons. `busy`: when their own calendar says so; None: nothing is
    known. Before a busy time nothing is open for so many `call_minutes`, so that what starts then has ended. Who is not
    `is_working` has no working days: what they own stands in these hours, and they have no minutes.
    """

    zone: TimeZone
    days: frozenset[int] = WORKDAYS
    start: time = time(9)
    end: time = time(17)
    also_in: tuple[TimeZone, ...] = field(default=(), repr=False)
    holidays: HolidayCalendar | None = None
    away: tuple[DateSpan, ...] = ()
    customer: CustomerDays | None = None
    person: str | None = field(default=None, repr=False)
    busy: BusyTime | None = field(default=None, repr=False)
    call_minutes: int = field(default=0, repr=False)
    is_working: bool = field(default=True, repr=False)

    @property
    def has_dated_closures(self) -> bool:
        """Whether some hours are closed that are open in other weeks."""
        customer = self.customer is not None and self.customer.holidays is not None
        return customer or self.holidays is not None or bool(self.away) or self.busy is not None


def message_hours(zone: TimeZone, quiet: QuietHours, also_in: tuple[TimeZone, ...] = ()) -> OpenHours:
    """When Drumbeat itself may write to a customer: on every day, while none of the zones has quiet hours."""
    return OpenHours(zone, EVERY_DAY, clock_time(quiet.to), clock_time(quiet.from_), also_in)


def meeting_hours(hours: OpenHours, customer: CustomerDays | None, quiet: QuietHours) -> OpenHours:
    """When a person may be with a customer: in their hours, outside quiet hours, on days of both."""
    return hours if customer is None else _meeting_hours(hours, customer, quiet.to, quiet.from_)


@lru_cache(maxsize=_CACHED)
def _meeting_hours(hours: OpenHours, customer: CustomerDays, opens: str, closes: str) -> OpenHours:
    return replace(hours, customer=replace(customer, start=clock_time(opens), end=clock_time(closes)))


def call_hours(hours: OpenHours, minutes: int) -> OpenHours:
    """The hours in which a call or meeting of that length (see `length_of`) may begin, outside busy time."""
    return hours if hours.busy is None else _call_hours(hours, length_of(minutes) // timedelta(minutes=1))


@lru_cache(maxsize=_CACHED)
def _call_hours(hours: OpenHours, minutes: int) -> OpenHours:
    return replace(hours, call_minutes=minutes)


def working_hours(hours: OpenHours) -> OpenHours:
    """The hours without what the person's calendar says: for work that is no appointment, and for deadlines."""
    return hours if hours.busy is None else _working_hours(hours)


@lru_cache(maxsize=_CACHED)
def _working_hours(hours: OpenHours) -> OpenHours:
    return replace(hours, busy=None, call_minutes=0)


def check_hours(zone: TimeZone, days: frozenset[int], start: time, end: time) -> tuple[OpenHours, str | None]:
    """Open hours and None; other hours and the reason when the given ones are never open.

    Somebody without working days still owns what others gave them: it keeps its day, at hours of the day.
    """
    weekdays = days & EVERY_DAY
    if not weekdays:
        doubt = "has no working days: what they own keeps its date and is on nobody's day; reassign it"
        usual = OpenHours(zone) if end == start else OpenHours(zone, start=start, end=end)
        return replace(usual, days=EVERY_DAY, is_working=False), doubt
    if end == start:
        return OpenHours(zone), f"working hours {start}-{end} are never open: Mon-Fri 9-17 is used"
    return OpenHours(zone, weekdays, start, end), None


def to_wall(moment: datetime, zone: TimeZone) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def from_wall(wall: datetime, zone: TimeZone) -> datetime:
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def add_days(moment: datetime, days: int, zone: TimeZone) -> datetime:
    """The same wall time `days` days later."""
    return from_wall(to_wall(moment, zone) + timedelta(days=days), zone)


def is_open_at(moment: datetime, hours: OpenHours | None) -> bool:
    """Whether that moment is open; None is always open."""
    if hours is None or moment.year > stretches.LAST_YEAR:
        return True
    return find_open(hours, moment.astimezone(UTC).year).has(to_micros(moment))


def next_open(moment: datetime, hours: OpenHours | None) -> datetime:
    """The first open moment not before `moment`; None is always open.

    Where nothing is open for years, dated closures do not count.
    """
    if hours is None or moment.year > stretches.LAST_YEAR - FARTHEST_YEARS:
        return moment
    at = to_micros(moment)
    this_year = moment.astimezone(UTC).year
    for year in range(this_year, this_year + FARTHEST_YEARS):
        found = find_open(hours, year).find_next(at)
        if found is not None:
            return moment if found == at else from_micros(found)
    return next_usual(moment, hours) if hours.has_dated_closures else moment


def next_usual(moment: datetime, hours: OpenHours | None) -> datetime:
    """As `next_open` in a week without public holidays and time off."""
    return next_open(moment, None if hours is None else usual_of(hours))


def last_open_before(moment: datetime, hours: OpenHours | None) -> datetime | None:
    """Until when it was open: `moment` itself inside and at the end of open hours, else the end of the last ones.

    None: there were none for years.
    """
    if hours is None or moment.year > stretches.LAST_YEAR:
        return moment
    at = to_micros(moment)
    this_year = moment.astimezone(UTC).year
    for year in range(this_year, max(this_year - FARTHEST_YEARS, 1), -1):
        found = find_open(hours, year).find_last(at)
        if found is not None:
            return moment if found == at else from_micros(found)
    return None


def open_stretch(moment: datetime, hours: OpenHours) -> tuple[datetime, datetime]:
    """From when until when it is open around a moment, or before it at the end of open hours; else the moment twice."""
    at = to_micros(moment)
    for near in (at, at - 1):
        start, end = find_open(hours, from_micros(near).year).around(near)
        if start < end:
            return from_micros(start), from_micros(end)
    return moment, moment


def open_days(hours: OpenHours, first: date, last: date) -> tuple[date, ...]:
    """The days from `first` to `last`, both included, whose shift has an open moment."""
    days = (first + n * DAY for n in range((last - first).days + 1))
    return tuple(day for day in days if has_open_shift(day, hours))


def is_away(day: date, away: Sequence[DateSpan]) -> bool:
    """Whether one of the spans includes that day."""
    return any(span.first <= day <= span.last for span in away)


def has_open_shift(day: date, hours: OpenHours) -> bool:
    """Whether something of the shift that starts on that day is open."""
    return any(
        find_open(hours, year).meets(span)
        for span in shift_of(day, hours)
        for year in {from_micros(span[0]).year, from_micros(span[1] - 1).year}
    )


def shift_of(day: date, hours: OpenHours) -> Sequence[Span]:
    """The instants of the shift that starts on that day, whether anybody works then or not."""
    windows = windows_of_shift(day, hours.start, hours.end)
    return [*zip(*stretches.find_stretches(windows, hours.zone, day.year), strict=True)]


def open_minutes(day: date, hours: OpenHours) -> int:
    """How many minutes of the shift that starts on that day are open."""
    years = {from_micros(at).year for span in shift_of(day, hours) for at in (span[0], span[1] - 1)}
    found = (find_open(hours, year).clip(span) for span in shift_of(day, hours) for year in years)
    return sum(end - start for spans in found for start, end in zip(*spans, strict=True)) // 60_000_000


@lru_cache(maxsize=_CACHED)
def usual_of(hours: OpenHours) -> OpenHours:
    """The hours without what is closed on dates: public holidays, time off and busy time."""
    customer = None if hours.customer is None else replace(hours.customer, holidays=None)
    return replace(hours, holidays=None, away=(), customer=customer, person=None, busy=None, call_minutes=0)


@lru_cache(maxsize=_CACHED)
def find_open(hours: OpenHours, year: int) -> Stretches:
    """What is open in a year, in UTC."""
    chosen = _alternative(hours, year, 0)
    exceptions = _exceptions(usual_of(hours), year)
    if exceptions:
        others = [
            _alternative(hours, year, number).clip(stretches.span_of_week(week))
            for week, number in exceptions.items()
        ]
        chosen = stretches.join(span for each in (chosen, *others) for span in zip(*each, strict=True))
    return chosen.clip(stretches.bounds_of(year))


@lru_cache(maxsize=_CACHED)
def _exceptions(usual: OpenHours, year: int) -> Mapping[int, int]:
    """The weeks in which people are never open at the same moment, each with the alternative that counts there."""
    first, last = stretches.bounds_of(year)
    missing = set(range(stretches.week_of(first), stretches.week_of(last) + 1))
    missing -= stretches.weeks_of(_alternative(usual, year, 0))
    chosen: dict[int, int] = {}
    for number in (1, 2) if usual.customer else (1,) if usual.also_in else ():
        found = missing & stretches.weeks_of(_alternative(usual, year, number)) if missing else set[int]()
        chosen |= dict.fromkeys(found, number)
        missing -= found
    return MappingProxyType(chosen)


@lru_cache(maxsize=_CACHED_PARTS)
def _alternative(hours: OpenHours, year: int, number: int) -> Stretches:
    """0: everybody is open. 1: in the hours of the first zone, on days of all. 2: on days of the first zone alone."""
    own = _own_stretches(replace(hours, also_in=(), customer=None, person=None), year)
    if number == 0:
        for zone in hours.also_in:
            own = intersect(
                own, _own_stretches(replace(hours, zone=zone, also_in=(), customer=None, person=None), year)
            )
    if hours.customer is None or number == 2:
        return own
    return intersect(
        own,
        find_customer_stretches(
            hours.customer, hours.customer.zones or (hours.zone,), year, in_hours=number == 0
        ),
    )


@lru_cache(maxsize=_CACHED_PARTS)
def _own_stretches(hours: OpenHours, year: int) -> Stretches:
    """The shifts of a person."""

    def is_closed(day: date) -> bool:
        is_holiday = hours.holidays is not None and hours.holidays.name_of(day) is not None
        return is_holiday or is_away(day, hours.away)

    windows: list[Span] = []
    for day in stretches.days_around(year):
        if day.weekday() in hours.days and not is_closed(day):
            today, *tomorrow = windows_of_shift(day, hours.start, hours.end)
            windows += [today, *(() if tomorrow and is_closed(day + DAY) else tomorrow)]
    found = stretches.find_stretches(windows, hours.zone, year)
    return found if hours.busy is None else subtract(found, hours.busy.widen(hours.call_minutes))
