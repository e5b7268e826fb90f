"""The circuit breaker: a failing endpoint gets probes only; one success closes its circuit."""

from datetime import UTC, datetime, timedelta

from services.notifier.domain.circuit import FAILURES_TO_OPEN, PROBE_INTERVAL, Circuit

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


def circuit_after(failures: int) -> Circuit:
    circuit = Circuit()
    for _ in range(failures):
        circuit = circuit.after_failure(NOW)
    return circuit


def test_ten_failures_in_a_row_open_it() -> None:
    assert circuit_after(FAILURES_TO_OPEN - 1).open_until is None
    assert circuit_after(FAILURES_TO_OPEN).open_until == NOW + PROBE_INTERVAL


def test_while_open_nothing_goes_out_and_then_one_probe() -> None:
    circuit = circuit_after(FAILURES_TO_OPEN)

    assert circuit.allowed(NOW + PROBE_INTERVAL - timedelta(seconds=1), 16) == 0
    assert circuit.allowed(NOW + PROBE_INTERVAL, 16) == 1


def test_a_failed_probe_waits_again_and_a_success_closes_it() -> None:
    circuit = circuit_after(FAILURES_TO_OPEN)
    later = NOW + PROBE_INTERVAL

    assert circuit.after_failure(later).open_until == later + PROBE_INTERVAL
    assert circuit.after_success() == Circuit()
    assert Circuit().allowed(later, 16) == 16


def test_an_endpoint_that_just_failed_gets_less_room() -> None:
    assert circuit_after(1).allowed(NOW, 16) == 2
