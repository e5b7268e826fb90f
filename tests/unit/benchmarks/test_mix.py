"""The mix is held to its limits, not only to the ratio (issue 11, A5)."""

import pytest

from tests.benchmarks.mix import figures_of

ROUNDS = [{"engine": 9_000.0, "bare": 18_000.0}]


@pytest.mark.parametrize(
    ("unacknowledged", "longest_ms", "met"),
    [(0, 250.0, [True, True, True]), (1, 20.0, [True, False, True]), (0, 251.0, [True, True, False])],
)
def test_a_record_that_was_not_acknowledged_and_a_long_stretch_are_missed_budgets(
    unacknowledged: int, longest_ms: float, met: list[bool]
) -> None:
    assert [figure.met for figure in figures_of(ROUNDS, unacknowledged, longest_ms)] == met
