"""The clock's origin: fixed at the first start, and service time never goes back."""

from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import service_clock
from services.chassis.settings import Clock
from services.devstack.embedded.failures import CannotRun
from services.devstack.supervisor.clock_origin import clock_values, settle_clock

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_the_first_start_fixes_the_origin_and_runs_on_the_real_clock() -> None:
    settled = settle_clock(Clock(), None, NOW)
    assert settled.origin == NOW
    assert service_clock(settled).at(NOW + DAY) == NOW + DAY


def test_a_wished_start_is_where_service_time_begins() -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    settled = settle_clock(Clock(start=start, rate=86_400), None, NOW)
    assert service_clock(settled).at(NOW) == start
    assert service_clock(settled).at(NOW + timedelta(seconds=1)) == start + DAY


def test_later_starts_go_on_with_the_clock_of_the_folder() -> None:
    first = clock_values(settle_clock(Clock(rate=3600), None, NOW))
    again = settle_clock(Clock(), first, NOW + DAY)
    assert clock_values(again) == first


def test_the_same_wish_again_changes_nothing() -> None:
    wish = Clock(start=datetime(2030, 1, 1, tzinfo=UTC), rate=60)
    first = clock_values(settle_clock(wish, None, NOW))
    assert clock_values(settle_clock(wish, first, NOW + DAY)) == first


def test_a_faster_clock_may_follow_a_slower_one_from_the_same_origin() -> None:
    first = clock_values(settle_clock(Clock(), None, NOW))
    faster = settle_clock(Clock(rate=86_400), first, NOW + DAY)
    assert faster.origin == NOW
    assert faster.rate == 86_400


def test_a_clock_that_would_go_back_is_refused_with_both_times() -> None:
    first = clock_values(settle_clock(Clock(rate=86_400), None, NOW))
    with pytest.raises(CannotRun, match=r"never goes back: .* DRUMBEAT_CLOCK__START"):
        settle_clock(Clock(rate=1), first, NOW + DAY)
