"""Days looked up for whole windows are those that are found one by one."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import Avoid
from services.calendar.avoid import Availability
from services.calendar.book_days import BookDays
from services.calendar.customer_days import CustomerDays
from services.calendar.open_hours import DateSpan, OpenHours, from_wall, to_wall
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


@given(
    hours,
    st.booleans(),
    st.lists(st.tuples(moments, st.integers(1, 60 * 24 * 20)), max_size=3),
    moments,
    st.integers(0, 60 * 24 * 40),
)
def test_unavailable_days_have_no_available_moment_of_the_window(
    opening: OpenHours, always: object, spans: list[tuple[datetime, int]], opens_at: datetime, length: int
) -> None:
    zone = ZoneInfo(opening.zone.key)
    periods = tuple(
        Avoid.model_validate({"name": "pause", "from": start, "to": start + timedelta(minutes=minutes)})
        for start, minutes in spans
    )
    availability = Availability(periods, zone, None if always else opening)
    closes_at = opens_at + timedelta(minutes=length)
    book = BookDays(zone, FIRST, COUNT)
    days = range(max(book.number_of(opens_at), 0), min(book.number_of(closes_at) + 1, COUNT))
    expected: list[int] = []
    for day in days:
        found = availability.first_available(max(opens_at, wall_moment(zone, day, time())))
        if found > closes_at or to_wall(found, zone).date() != FIRST + timedelta(days=day):
            expected.append(day)
    assert list(book.unavailable(availability, days, (opens_at, closes_at))) == expected


def test_days_outside_the_book_are_in_no_answer() -> None:
    days = BookDays(ZoneInfo("Europe/Berlin"), FIRST, 7)
    mondays = OpenHours(ZoneInfo("Europe/Berlin"), frozenset({0}), time(9), time(10))
    availability = Availability((), mondays.zone, mondays)
    window = (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
    assert days.unavailable(availability, range(-3, 20), window) == tuple(range(1, 7))
    assert days.unavailable(availability, range(9, 20), window) == ()


def test_a_day_that_a_zone_skipped_is_closed() -> None:
    zone = ZoneInfo("Pacific/Apia")
    days = BookDays(zone, date(2011, 12, 26), 7)
    always = OpenHours(zone, frozenset(range(7)), time(0), time.max)
    window = (datetime(2011, 12, 1, tzinfo=UTC), datetime(2012, 2, 1, tzinfo=UTC))
    assert days.unavailable(Availability((), zone, always), range(7), window) == (4,)
    assert days.number_of(datetime(2011, 12, 30, 12, tzinfo=UTC)) == 5
