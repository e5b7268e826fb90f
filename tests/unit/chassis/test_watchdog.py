"""A partition that should move and does not is found; one that rests at its end, or moves slowly, is not."""

from services.chassis.watchdog import PATIENCE, Watchdog

SIGNALS = ("account.signals", 0)


def test_a_partition_that_stands_still_before_its_end_is_stuck_after_a_while() -> None:
    watchdog = Watchdog()
    assert watchdog.stuck({SIGNALS: 5}, {SIGNALS: 9}, 0.0) == []
    assert watchdog.stuck({SIGNALS: 5}, {SIGNALS: 12}, PATIENCE - 0.1) == []
    assert watchdog.stuck({SIGNALS: 5}, {SIGNALS: 12}, PATIENCE) == [SIGNALS]


def test_one_that_moves_or_has_nothing_to_fetch_is_not() -> None:
    watchdog = Watchdog()
    for step in range(10):
        assert watchdog.stuck({SIGNALS: step}, {SIGNALS: 100}, step * PATIENCE) == []
    assert watchdog.stuck({SIGNALS: 100}, {SIGNALS: 100}, 1000.0) == []
    assert watchdog.stuck({SIGNALS: 100}, {SIGNALS: 100}, 2000.0) == []


def test_one_that_is_busy_or_halted_counts_anew() -> None:
    watchdog = Watchdog()
    watchdog.stuck({SIGNALS: 5}, {SIGNALS: 9}, 0.0)
    assert watchdog.stuck({}, {SIGNALS: 9}, PATIENCE) == []
    assert watchdog.stuck({SIGNALS: 5}, {SIGNALS: 9}, PATIENCE + 1) == []
