"""An endpoint that keeps failing: warned after one and three of five days, then disabled, never at once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.endpoint_health import EndpointHealth, Step

FIVE, DAY = timedelta(days=5), timedelta(days=1)
BEGAN = datetime(2026, 11, 30, 12, tzinfo=UTC)


def steps(failures: list[timedelta], disable_after: timedelta = FIVE) -> list[tuple[timedelta, Step]]:
    """What follows from failures at these times after the first one, until the endpoint is disabled."""
    health, taken = EndpointHealth(BEGAN, BEGAN), list[tuple[timedelta, Step]]()
    for after in failures:
        health = EndpointHealth(BEGAN, BEGAN + after, health.warnings, health.warned_at)
        step = health.next_step(disable_after)
        if step is not None:
            taken.append((after, step))
        if step is Step.DISABLE:
            break
        health = health.warned() if step is Step.WARN else health
    return taken


def test_an_endpoint_that_fails_all_the_time_is_warned_after_one_and_three_days_and_disabled_after_five() -> (
    None
):
    """A7"""
    hourly = [timedelta(hours=hour) for hour in range(24 * 7)]

    assert steps(hourly) == [(DAY, Step.WARN), (3 * DAY, Step.WARN), (5 * DAY, Step.DISABLE)]


def test_after_days_in_which_nothing_was_sent_each_step_leaves_a_day_to_repair_it() -> None:
    minutes = [10 * DAY + timedelta(minutes=minute) for minute in range(3 * 24 * 60)]

    assert steps(minutes) == [(10 * DAY, Step.WARN), (11 * DAY, Step.WARN), (12 * DAY, Step.DISABLE)]


@pytest.mark.parametrize("failures", [[timedelta()], [timedelta(hours=23)], [10 * DAY]])
def test_one_failure_disables_nobody(failures: list[timedelta]) -> None:
    assert Step.DISABLE not in [step for _, step in steps(failures)]


@given(
    st.lists(st.integers(0, 60 * 24 * 60), max_size=60).map(sorted),
    st.integers(1, 30).map(lambda days: timedelta(days=days)),
)
def test_nobody_is_disabled_without_two_warnings_and_time_to_act(
    minutes: list[int], disable_after: timedelta
) -> None:
    taken = steps([timedelta(minutes=minute) for minute in minutes], disable_after)

    assert [step for _, step in taken] == [Step.WARN, Step.WARN, Step.DISABLE][: len(taken)]
    for (before, _), (after, _) in pairwise(taken):
        assert after - before >= disable_after / 5
    if len(taken) == 3:
        assert taken[2][0] >= disable_after


@given(
    st.integers(0, 40 * 24 * 60),
    st.integers(0, 2),
    st.integers(0, 30 * 24 * 60),
    st.integers(1, 30).map(lambda days: timedelta(days=days)),
)
def test_a_failure_is_followed_by_a_step_from_the_moment_on_at_which_a_probe_is_sent(
    failed_minutes: int, warnings: int, warned_minutes: int, disable_after: timedelta
) -> None:
    warned_at = BEGAN + timedelta(minutes=warned_minutes) if warnings else None
    health = EndpointHealth(BEGAN, BEGAN + timedelta(minutes=failed_minutes), warnings, warned_at)
    at = health.next_step_at(disable_after)

    assert (health.next_step(disable_after) is not None) == (health.failed_at >= at)
    assert replace(health, failed_at=at).next_step(disable_after) is not None
    assert replace(health, failed_at=at - timedelta(microseconds=1)).next_step(disable_after) is None
