"""A spike is relative to the four weeks before it, whatever gaps and overlaps the reports have."""

import math

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account.usage_reports import lay_pieces
from services.cadence.features.usage import UsageTrends
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event

START = NOW - 50 * DAY
periods = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 9), st.integers(0, 50)),
    min_size=1,
    max_size=30,
    unique_by=lambda period: period[:2],
)


@given(periods, st.integers(0, 50))
def test_a_spike_is_the_rate_divided_by_the_mean_of_the_covered_days(
    reported: list[tuple[int, int, int]], daily: int
) -> None:
    by_day: dict[int, int] = {}
    for start, days, rate in sorted(reported, key=lambda period: (period[1], period[0])):
        for day in range(start, start + days):
            by_day.setdefault(day, rate)
    events = [
        make_event(
            "usage.reported",
            NOW,
            period_start=START + start * DAY,
            period_end=START + (start + days) * DAY,
            events=rate * days,
        )
        for start, days, rate in [*reported, (50, 1, daily)]
    ]
    covered = [by_day[day] for day in range(22, 50) if day in by_day]

    trends = UsageTrends(facts_after(events).usage)
    spike, _ = trends.newest(trends.spike)

    if len(covered) < 21 or sum(covered) == 0:
        assert spike is None
    else:
        assert spike is not None
        assert math.isclose(spike, daily * len(covered) / sum(covered), abs_tol=1e-8)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9), st.integers(0, 50)), max_size=20))
def test_laid_pieces_cover_each_time_once_by_the_shortest_report(pieces: list[tuple[int, int, int]]) -> None:
    by_time: dict[int, int] = {}
    for start, length, rate in sorted(pieces, key=lambda piece: (piece[1], piece[0], piece[2])):
        for time in range(start, start + length):
            by_time.setdefault(time, rate)

    laid = lay_pieces([(start, start + length, float(rate)) for start, length, rate in pieces])

    assert laid == sorted(laid)
    assert [(time, rate) for start, end, rate in laid for time in range(start, end)] == sorted(
        by_time.items()
    )
