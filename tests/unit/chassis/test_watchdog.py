"""A partition that should move and does not is reported; one at its end, or one that moves slowly, is not."""

from aiokafka import TopicPartition

from services.chassis.watchdog import PATIENCE, Watchdog

SIGNALS = TopicPartition("account.signals", 0)


def test_a_partition_that_does_not_move_before_its_end_is_stuck_after_a_while() -> None:
    watchdog = Watchdog()
    assert watchdog.stuck({SIGNALS: 5}, {SIGNALS: 9}, 0.0) == []
    assert watchdog.stuck({SIGNALS: 5}, {SIGNALS: 12}, PATIENCE - 0.1) == []
    assert watchdog.stuck({SIGNALS: 5}, {SIGNALS: 12}, PATIENCE) == [SIGNALS]


def test_a_partition_that_moves_or_has_nothing_to_fetch_is_not_stuck() -> None:
    watchdog = Watchdog()
    for step in range(10):
        assert watchdog.stuck({SIGNALS: step}, {SIGNALS: 100}, step * PATIENCE) == []
    assert watchdog.stuck({SIGNALS: 100}, {SIGNALS: 100}, 1000.0) == []
    assert watchdog.stuck({SIGNALS: 100}, {SIGNALS: 100}, 2000.0) == []


def test_the_time_of_a_busy_or_halted_partition_begins_again() -> None:
    watchdog = Watchdog()
    watchdog.stuck({SIGNALS: 5}, {SIGNALS: 9}, 0.0)
    assert watchdog.stuck({}, {SIGNALS: 9}, PATIENCE) == []
    assert watchdog.stuck({SIGNALS: 5}, {SIGNALS: 9}, PATIENCE + 1) == []
