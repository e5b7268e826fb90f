"""Rates of keys: what is admitted, what is owed, and what the header fields say."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.access_settings import RateLimit
from services.chassis.problems import Problem
from services.chassis.rate_limits import LARGEST_DEBT, RateLimits

LIMIT = RateLimit(events_per_second=10, burst=50)


class Seconds:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_without_a_rate_everything_is_admitted_and_there_are_no_header_fields() -> None:
    quota = RateLimits(RateLimit(), {}).of("0123abcd")
    for _ in range(10):
        quota.admit()
        quota.take(1_000_000)
    assert quota.headers() == {}


def test_a_request_beyond_the_burst_is_taken_whole_and_the_next_one_waits_until_it_is_paid() -> None:
    clock = Seconds()
    quota = RateLimits(LIMIT, {}, clock).of("0123abcd")
    quota.admit()
    quota.take(100)
    with pytest.raises(Problem) as refused:
        quota.admit()
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"] == "6", "50 are owed, and one more has to be there: 51 / 10"
    assert refused.value.members["violated-policies"] == ["events"]
    clock.now += 6
    quota.admit()


def test_the_header_fields_have_the_form_of_the_draft() -> None:
    clock = Seconds()
    quota = RateLimits(LIMIT, {}, clock).of("0123abcd")
    quota.take(20)
    assert quota.headers() == {
        "RateLimit-Policy": '"events";q=50;qu="events";w=5',
        "RateLimit": '"events";r=30;t=2',
    }
    quota.take(40)
    assert quota.headers()["RateLimit"] == '"events";r=0;t=2', "as long as Retry-After says"
    clock.now += 1.1
    assert quota.headers()["RateLimit"] == '"events";r=1;t=5'


def test_streams_sent_at_once_are_cut_when_they_owe_more_than_the_largest_one() -> None:
    quota = RateLimits(LIMIT, {}, Seconds()).of("0123abcd")
    quota.take(LARGEST_DEBT)
    quota.take(500)
    with pytest.raises(Problem) as refused:
        quota.take(500)
    assert refused.value.status == 429


def test_each_key_has_its_own_quota_or_limit_and_its_sessions_share_it() -> None:
    slow = RateLimit(events_per_second=1, burst=1)
    limits = RateLimits(LIMIT, {"0000abcd": slow, "1111abcd": RateLimit()}, Seconds())
    limits.of("0123abcd").take(50)
    limits.of("2222abcd").admit()
    with pytest.raises(Problem):
        limits.of("0123abcd~00112233").admit()
    assert '"events";q=1;' in limits.of("0000abcd").headers()["RateLimit-Policy"]
    assert limits.of("1111abcd").headers() == {}


@given(
    rate=st.floats(0.1, 1000),
    burst=st.integers(1, 2000),
    steps=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 500)), max_size=60),
)
def test_over_time_no_more_is_taken_than_the_rate_the_burst_and_one_request(
    rate: float, burst: int, steps: list[tuple[float, int]]
) -> None:
    clock = Seconds()
    quota = RateLimits(RateLimit(events_per_second=rate, burst=burst), {}, clock).of("0123abcd")
    taken = 0
    for pause, units in steps:
        clock.now += pause
        try:
            quota.admit()
        except Problem as refused:
            clock.now += int(refused.headers["Retry-After"])
            quota.admit()  # what was promised holds
        quota.take(units)
        taken += units
        assert taken <= burst + rate * (clock.now - 1000) + 500 + 1e-6
        assert re.fullmatch(r'"events";r=\d+;t=\d+', quota.headers()["RateLimit"])
