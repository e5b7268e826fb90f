"""Days looked up for whole windows are those that are found one by one."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import Avoid
from services.calendar.avoid import Availability
from services.calendar.book_days import BookDays
from services.calendar.customer_days import CustomerDays
from services.calendar.open_hours import DateSpan, OpenHours, from_wall, next_open, to_wall
from services.calendar.public_holidays import HolidayCalendar

FIRST = date(2026, 3, 2)
COUNT = 371
# Clocks change by an hour, by half an hour, at midnight, and not at all; one zone skipped a day.
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Singapore", "Pacific/Kiritimati",
    "America/St_Johns", "Asia/Beirut",
)  # fmt: skip
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))
hours = st.builds(
    OpenHours,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    start=clocks,
    end=clocks,
    holidays=st.sampled_from((None, HolidayCalendar("DE", "BE"))),
    away=st.sampled_from(((), (DateSpan(date(2026, 7, 1), date(2026, 7, 14)),))),
    customer=st.sampled_from(
        (None, CustomerDays(zones=(ZoneInfo("Asia/Dubai"),), weekend=frozenset({4, 5})))
    ),
).filter(lambda each: each.start != each.end)
moments = st.integers(-10 * 1440, (COUNT + 10) * 1440).map(
    lambda minutes: datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=minutes)
)


def wall_moment(zone: ZoneInfo, day: int, clock: time) -> datetime:
    return from_wall(datetime.combine(FIRST + timedelta(days=day), clock), zone)


@given(st.sampled_from(ZONES).map(ZoneInfo), moments)
def test_the_number_of_a_day_is_that_of_its_date(zone: ZoneInfo, moment: datetime) -> None:
    found = BookDays(zone, FIRST, COUNT).number_of(moment)
    assert found == (to_wall(moment, zone).date() - FIRST).days


@given(hours, clocks, st.integers(0, COUNT - 1), st.integers(1, 60))
def test_days_closed_from_a_time_of_day_on_have_no_open_moment_later(
    opening: OpenHours, clock: time, first: int, length: int
) -> None:
    zone = ZoneInfo(opening.zone.key)
    days = range(first, min(first + length, COUNT))
    expected: list[int] = []
    for day in days:
        open_at = next_open(wall_moment(zone, day, clock), opening)
        if to_wall(open_at, zone).date() != to_wall(wall_moment(zone, day, clock), zone).date():
            expected.append(day)
    assert list(BookDays(zone, FIRST, COUNT).closed_from(clock, opening, days)) == expected


@given(
    hours,
    st.booleans(),
    st.lists(st.tuples(moments, st.integers(1, 60 * 24 * 20)), max_size=3),
    st.integers(0, COUNT - 1),
    st.integers(1, 60),
)
def test_unavailable_days_have_no_available_moment(
    opening: OpenHours, always: object, spans: list[tuple[datetime, int]], first: int, length: int
) -> None:
    zone = ZoneInfo(opening.zone.key)
    periods = tuple(
        Avoid.model_validate({"name": "pause", "from": start, "to": start + timedelta(minutes=minutes)})
        for start, minutes in spans
    )
    availability = Availability(periods, zone, None if always else opening)
    days = range(first, min(first + length, COUNT))
    expected = [
        day
        for day in days
        if to_wall(availability.first_available(wall_moment(zone, day, time())), zone).date()
        != FIRST + timedelta(days=day)
    ]
    assert list(BookDays(zone, FIRST, COUNT).unavailable(availability, days)) == expected


def test_days_outside_the_book_are_in_no_answer() -> None:
    days = BookDays(ZoneInfo("Europe/Berlin"), FIRST, 7)
    never = OpenHours(ZoneInfo("Europe/Berlin"), frozenset({0}), time(9), time(10))
    assert days.closed_from(time(12), never, range(-3, 20)) == tuple(range(7))
    assert days.closed_from(time(12), never, range(9, 20)) == ()


def test_a_day_that_a_zone_skipped_is_closed() -> None:
    zone = ZoneInfo("Pacific/Apia")
    days = BookDays(zone, date(2011, 12, 26), 7)
    always = OpenHours(zone, frozenset(range(7)), time(0), time.max)
    assert days.closed_from(time(9), always, range(7)) == (4,)
    assert days.number_of(datetime(2011, 12, 30, 12, tzinfo=UTC)) == 5
