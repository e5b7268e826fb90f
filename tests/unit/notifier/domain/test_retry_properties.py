"""Retry schedules: deterministic, bounded, with jitter inside its limits."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.retry import (
    DAY,
    EMAIL_DEFERRED,
    EMAIL_UNREACHED,
    WEBHOOK,
    Schedule,
    fraction,
    next_wait,
    with_retry_after,
)

SCHEDULES = (WEBHOOK, EMAIL_DEFERRED, EMAIL_UNREACHED)
attempts = st.integers(min_value=1, max_value=200)
ids = st.uuids().map(str)
schedules = st.sampled_from(SCHEDULES)
spans = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=6))


@given(schedule=schedules, delivery=ids, attempt=attempts, elapsed=spans)
def test_a_wait_is_the_base_within_the_jitter(
    schedule: Schedule, delivery: str, attempt: int, elapsed: timedelta
) -> None:
    base = schedule.base_seconds(attempt)

    wait = next_wait(schedule, delivery, attempt, elapsed)

    if wait is not None:
        assert base is not None
        low = 1.0 if schedule.only_lengthens else 0.8
        assert base * low - 1e-6 <= wait.total_seconds() <= base * 1.2 + 1e-6


@given(schedule=schedules, delivery=ids, attempt=attempts, elapsed=spans)
def test_the_same_attempt_of_the_same_delivery_waits_the_same(
    schedule: Schedule, delivery: str, attempt: int, elapsed: timedelta
) -> None:
    first = next_wait(schedule, delivery, attempt, elapsed)

    assert next_wait(schedule, delivery, attempt, elapsed) == first


@given(schedule=schedules, delivery=ids)
def test_attempts_move_forward_and_end_within_the_lifetime(schedule: Schedule, delivery: str) -> None:
    elapsed, count = timedelta(), 1
    while (wait := next_wait(schedule, delivery, count, elapsed)) is not None:
        assert wait > timedelta()
        elapsed += wait
        count += 1

    assert elapsed <= schedule.lifetime
    assert count >= 11


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_base_waits_never_shrink(schedule: Schedule) -> None:
    bases = [schedule.base_seconds(attempt) for attempt in range(1, 40)]
    waits = [base for base in bases if base is not None]

    assert waits == sorted(waits)


def test_a_webhook_is_tried_eleven_times_over_three_days() -> None:
    waits = [WEBHOOK.base_seconds(attempt) for attempt in range(1, 12)]

    assert waits == [5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, None]


@given(delivery=ids, attempt=attempts)
def test_after_a_deferral_a_mail_waits_at_least_half_an_hour(delivery: str, attempt: int) -> None:
    wait = next_wait(EMAIL_DEFERRED, delivery, attempt, timedelta())

    assert wait is not None
    assert wait >= timedelta(minutes=30)


@given(wait=spans, retry_after=st.none() | spans)
def test_retry_after_lengthens_a_wait_but_not_beyond_a_day(
    wait: timedelta, retry_after: timedelta | None
) -> None:
    honoured = with_retry_after(wait, retry_after)

    assert honoured >= wait
    assert honoured <= max(wait, DAY)
    if retry_after is not None and retry_after <= DAY:
        assert honoured >= retry_after


@given(delivery=ids, attempt=attempts)
def test_the_fraction_is_in_the_unit_interval(delivery: str, attempt: int) -> None:
    assert 0 <= fraction(delivery, attempt) < 1
