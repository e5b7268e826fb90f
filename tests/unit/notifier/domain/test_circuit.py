"""A failing endpoint is probed, not hammered; one success closes its circuit."""

from datetime import UTC, datetime, timedelta

from services.notifier.domain.circuit import PROBE_EVERY, TRIP_AFTER, Circuit

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def failed(times: int) -> Circuit:
    circuit = Circuit()
    for _ in range(times):
        circuit = circuit.after_failure(NOW)
    return circuit


def test_ten_failures_in_a_row_open_it() -> None:
    assert failed(TRIP_AFTER - 1).open_until is None
    assert failed(TRIP_AFTER).open_until == NOW + PROBE_EVERY


def test_while_open_nothing_goes_out_and_then_one_probe() -> None:
    circuit = failed(TRIP_AFTER)

    assert circuit.room(NOW + PROBE_EVERY - timedelta(seconds=1), 16) == 0
    assert circuit.room(NOW + PROBE_EVERY, 16) == 1


def test_a_failed_probe_waits_again_and_a_success_closes_it() -> None:
    circuit = failed(TRIP_AFTER)
    later = NOW + PROBE_EVERY

    assert circuit.after_failure(later).open_until == later + PROBE_EVERY
    assert circuit.after_success() == Circuit()
    assert Circuit().room(later, 16) == 16


def test_an_endpoint_that_just_failed_gets_less_room() -> None:
    assert failed(1).room(NOW, 16) == 2
