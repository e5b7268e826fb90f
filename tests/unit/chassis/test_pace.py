"""How many rows a pass takes: fewer while the broker is slow, more again when it keeps up."""

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.pace import FIRST, LEAST, MOST, QUICK_SECONDS, SLOW_SECONDS, Pace

SEND_SECONDS = 7.0


def run_pass(pace: Pace, rows_a_second: float, waiting: int = 1_000_000) -> tuple[int, float]:
    """A pass with a broker of this rate; returns the rows that were not acknowledged in time, and its seconds."""
    rows = min(pace.rows, waiting)
    seconds = min(SEND_SECONDS, rows / rows_a_second)
    unacknowledged = rows - int(seconds * rows_a_second + 1e-6)
    pace.adapt(rows, seconds, unacknowledged)
    return unacknowledged, seconds


def test_a_pass_grows_while_it_is_quick_and_full_up_to_the_most() -> None:
    pace, sizes = Pace(), list[int]()
    for _ in range(6):
        sizes.append(pace.rows)
        run_pass(pace, 50_000)
    assert sizes == [FIRST, 500, 1000, MOST, MOST, MOST]

    quiet = Pace()
    for _ in range(10):
        run_pass(quiet, 50_000, waiting=3)
    assert quiet.rows == FIRST, "few rows say nothing about many"


def test_a_pass_that_ran_out_of_time_is_followed_by_one_half_as_large_as_what_was_acknowledged() -> None:
    pace = Pace()
    for _ in range(3):
        run_pass(pace, 50_000)
    assert pace.rows == MOST

    unacknowledged, _ = run_pass(pace, 100)

    assert unacknowledged == 1300
    assert pace.rows == 350
    assert run_pass(pace, 100) == (0, 3.5)


def test_a_broker_that_recovers_gets_large_passes_again() -> None:
    pace = Pace()
    for _ in range(20):
        run_pass(pace, 5)
    assert pace.rows == LEAST
    for _ in range(8):
        run_pass(pace, 50_000)
    assert pace.rows == MOST


@given(
    st.lists(st.floats(10, 20_000), min_size=1, max_size=8),
    st.integers(10, 30),
)
def test_whatever_the_rate_nothing_runs_out_of_time_once_the_pace_has_followed_it(
    rates: list[float], passes: int
) -> None:
    """A slow broker is not away: at ten rows a second, too, passes are acknowledged in time."""
    pace = Pace()
    for rate in rates:
        for number in range(passes):
            unacknowledged, seconds = run_pass(pace, rate)
            assert LEAST <= pace.rows <= MOST
            if number >= 8:
                assert unacknowledged == 0
                assert seconds <= max(SLOW_SECONDS, LEAST / rate)
    assert QUICK_SECONDS * 2 < SLOW_SECONDS, "else a pass of one size would be both too small and too large"
