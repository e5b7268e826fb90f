"""The service clock is a linear function of the real clock."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.clock import ServiceClock, real_now, service_clock
from services.chassis.settings import Clock

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30))
rates = st.sampled_from([0.5, 1.0, 60.0, 3600.0, 43_200.0])


def test_at_its_origin_it_shows_its_start() -> None:
    assert ServiceClock(START, ORIGIN, 86_400).at(ORIGIN) == START
    assert ServiceClock(START, ORIGIN, 86_400).at(ORIGIN + timedelta(seconds=1)) == START + timedelta(days=1)


@given(spans, spans, rates)
def test_it_never_goes_back(first: timedelta, second: timedelta, rate: float) -> None:
    clock = ServiceClock(START, ORIGIN, rate)
    earlier, later = sorted((ORIGIN + first, ORIGIN + second))
    assert clock.at(earlier) <= clock.at(later)


@given(spans, rates)
def test_a_span_of_service_time_lasts_its_real_seconds(span: timedelta, rate: float) -> None:
    clock = ServiceClock(START, ORIGIN, rate)
    real = timedelta(seconds=clock.real_seconds(span))
    assert abs(clock.at(ORIGIN + real) - START - span) <= timedelta(microseconds=rate + 1)


def test_without_settings_it_is_the_real_clock() -> None:
    before = real_now()
    clock = service_clock(Clock())
    assert before <= clock.now() <= real_now()


def test_a_start_without_an_origin_runs_from_itself() -> None:
    clock = service_clock(Clock(start=START, rate=60))
    assert clock.at(START + timedelta(minutes=1)) == START + timedelta(hours=1)


def test_with_rate_zero_it_stands_until_it_is_advanced_and_never_goes_back() -> None:
    clock = service_clock(Clock(start=START, origin=ORIGIN, rate=0))
    assert clock.at(ORIGIN + timedelta(days=9)) == START
    assert clock.stand_at(START + timedelta(days=1))
    assert not clock.stand_at(START)
    assert clock.now() == START + timedelta(days=1)
    assert clock.real_seconds(timedelta(hours=1)) > 3600
    assert clock.real_seconds(timedelta(0)) == 0


def test_a_clock_that_runs_cannot_be_advanced() -> None:
    clock = ServiceClock(START, ORIGIN, 1.0)
    assert not clock.stand_at(START + timedelta(days=1))
    assert clock.at(ORIGIN) == START
