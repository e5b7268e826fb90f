"""A spike is relative to the four weeks before it, whatever gaps and overlaps the reports have."""

import math

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import DAY, Fields
from services.cadence.features.usage import Spikes

periods = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 9), st.integers(0, 50)),
    min_size=1,
    max_size=30,
    unique_by=lambda p: p[0],
)


def entry(number: int, start: int, days: int, daily: int) -> tuple[str, Fields]:
    fields = {"period_start": start * DAY, "period_end": (start + days) * DAY, "daily": float(daily)}
    return f"{number:018d}\x1f/usage\x1f{number}\x1f", dict(fields)


@given(periods, st.integers(0, 50))
def test_a_spike_is_the_rate_divided_by_the_mean_of_the_covered_days(
    reported: list[tuple[int, int, int]], daily: int
) -> None:
    by_day: dict[int, int] = {}
    for start, days, rate in sorted(reported):
        for day in range(start, start + days):
            by_day.setdefault(day, rate)
    newest = entry(99, 50, 1, daily)
    covered = [by_day[day] for day in range(22, 50) if day in by_day]

    spikes = Spikes(dict([*(entry(n, *report) for n, report in enumerate(reported)), newest]))
    spike = spikes.of(newest[1])

    if len(covered) < 21 or sum(covered) == 0:
        assert spike is None
    else:
        assert spike is not None
        assert math.isclose(spike, daily * len(covered) / sum(covered), abs_tol=1e-8)
