"""Attempts are slowed down, never locked."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.rules_engine.domain.sign_in_throttle import FREE_ATTEMPTS, LONGEST_PAUSE, pause_after


@given(st.integers(0, 10_000))
def test_pauses_grow_from_nothing_to_the_longest(attempts: int) -> None:
    pause, following = pause_after(attempts), pause_after(attempts + 1)
    assert timedelta(0) <= pause <= following <= LONGEST_PAUSE
    assert (pause == timedelta(0)) == (attempts < FREE_ATTEMPTS)


def test_an_hour_is_enough_for_some_twenty_passwords() -> None:
    spent, attempts = timedelta(0), 0
    while spent < timedelta(hours=1):
        attempts += 1
        spent += pause_after(attempts)
    assert attempts <= 20
