"""Open time between moments: it adds up, and the last moment with so much of it left has so much left."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.calendar.open_hours import DateSpan, OpenHours, is_open_at
from services.calendar.person_hours import PersonDays
from services.calendar.working_time import find_absence, last_moment_with, name_reasons, open_time
from tests.unit.calendar.plans import OFFICE, moments, openings

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FRIDAY = datetime(2026, 5, 22, 16, tzinfo=UTC)
spans = st.integers(0, 30 * 24 * 60).map(lambda minutes: minutes * MINUTE)
hours = st.none() | openings()


@given(moments, spans, spans, hours)
def test_open_time_adds_up(
    start: datetime, first: timedelta, second: timedelta, opening: OpenHours | None
) -> None:
    middle, end = start + first, start + first + second

    whole = open_time(start, end, opening)

    assert whole == open_time(start, middle, opening) + open_time(middle, end, opening)
    assert timedelta() <= whole <= end - start
    assert open_time(end, start, opening) == timedelta()


@given(moments, spans, spans.filter(bool), hours)
def test_the_last_moment_with_so_much_left_is_open_and_has_so_much_left(
    start: datetime, span: timedelta, left: timedelta, opening: OpenHours | None
) -> None:
    end = start + span

    found = last_moment_with(left, start, end, opening)

    if found is None:
        assert open_time(start, end, opening) < left
        return
    assert start <= found <= end
    assert open_time(found, end, opening) == left
    assert is_open_at(found, opening)


def test_reasons_name_the_days_without_open_hours_once() -> None:
    london = PersonDays("Ada", "GB", "ENG").close(OFFICE, ())

    assert (
        name_reasons(FRIDAY, FRIDAY + 4 * DAY, london) == "no working day, public holiday Spring Bank Holiday"
    )
    assert name_reasons(FRIDAY, FRIDAY + HOUR, london) == "no working hours"


def test_an_absence_is_that_of_all_days_off_between_two_moments() -> None:
    away = (DateSpan(date(2026, 5, 25), date(2026, 5, 26)), DateSpan(date(2026, 5, 28), date(2026, 5, 29)))
    hours = PersonDays("Ada", away=away).close(OFFICE, ())

    assert find_absence(FRIDAY, FRIDAY + 10 * DAY, hours) == (date(2026, 5, 25), date(2026, 5, 29))
    assert find_absence(FRIDAY, FRIDAY + 3 * DAY, hours) == (date(2026, 5, 25), date(2026, 5, 26))
    assert find_absence(FRIDAY, FRIDAY + DAY, hours) is None
