"""The clock's origin is fixed at the first start, and service time never goes back."""

from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import service_clock
from services.chassis.settings import Clock
from services.devstack.embedded.failures import CannotRun
from services.devstack.supervisor.clock_origin import resume_clock

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def stored(clock: Clock) -> dict[str, object]:
    """The clock as `addresses.json` stores it."""
    return clock.model_dump(mode="json")


def test_the_first_start_fixes_the_origin_and_runs_on_the_real_clock() -> None:
    clock = resume_clock(Clock(), None, NOW)
    assert clock.origin == NOW
    assert service_clock(clock).at(NOW + DAY) == NOW + DAY


def test_service_time_begins_at_the_start_of_the_settings() -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    clock = resume_clock(Clock(start=start, rate=86_400), None, NOW)
    assert service_clock(clock).at(NOW) == start
    assert service_clock(clock).at(NOW + timedelta(seconds=1)) == start + DAY


def test_later_starts_continue_with_the_clock_of_the_folder() -> None:
    first = stored(resume_clock(Clock(rate=3600), None, NOW))
    again = resume_clock(Clock(), first, NOW + DAY)
    assert stored(again) == first


def test_the_same_settings_again_change_nothing() -> None:
    settings = Clock(start=datetime(2030, 1, 1, tzinfo=UTC), rate=60)
    first = stored(resume_clock(settings, None, NOW))
    assert stored(resume_clock(settings, first, NOW + DAY)) == first


def test_a_clock_that_was_stored_with_a_numeric_zone_is_read() -> None:
    remembered = {"start": "2026-05-01T12:00:00+00:00", "rate": 2.0, "origin": "2026-05-01T12:00:00+00:00"}
    assert resume_clock(Clock(), remembered, NOW + DAY) == Clock(start=NOW, rate=2.0, origin=NOW)


def test_a_faster_clock_may_follow_a_slower_one_from_the_same_origin() -> None:
    first = stored(resume_clock(Clock(), None, NOW))
    faster = resume_clock(Clock(rate=86_400), first, NOW + DAY)
    assert faster.origin == NOW
    assert faster.rate == 86_400


def test_a_clock_that_would_go_back_is_refused_with_both_times() -> None:
    first = stored(resume_clock(Clock(rate=86_400), None, NOW))
    with pytest.raises(CannotRun, match=r"never goes back: .* DRUMBEAT_CLOCK__START"):
        resume_clock(Clock(rate=1), first, NOW + DAY)
