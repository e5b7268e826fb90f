"""Usage over time: a period compared with the four weeks before it."""

from bisect import bisect_right

from services.cadence.account import DAY, Entries, Fields

BASELINE = 28 * DAY
COVERED = 21 * DAY
_BEFORE_ALL = -(1 << 62)


class DailyRates:
    """Daily rates over time as running sums, so that the mean of any four weeks takes two look-ups.

    Where two reports cover a day, the one that starts earlier counts; of two that start together the longer, then the
    greater. So the order of arrival does not matter.
    """

    __slots__ = ("_covered", "_ends", "_rates", "_starts", "_totals")

    def __init__(self, entries: Entries, metric: str) -> None:
        reports: list[tuple[int, int, float]] = []
        for fields in entries.values():
            rate, start, end = fields.get(metric), fields.get("period_start"), fields.get("period_end")
            if isinstance(rate, int | float) and isinstance(start, int) and isinstance(end, int):
                reports.append((start, -end, -rate))
        reports.sort()
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._rates: list[float] = []
        self._covered: list[int] = []
        self._totals: list[float] = []
        last_end, covered, total = _BEFORE_ALL, 0, 0.0
        for first, negative_end, negative_rate in reports:
            start, end = max(first, last_end), -negative_end
            if end > start:
                self._starts.append(start)
                self._ends.append(end)
                self._rates.append(-negative_rate)
                self._covered.append(covered)
                self._totals.append(total)
                covered, total, last_end = covered + end - start, total - (end - start) * negative_rate, end

    def upto(self, at: int) -> tuple[int, float]:
        """(microseconds covered before `at`, sum of rate times microseconds over them)."""
        index = bisect_right(self._starts, at) - 1
        if index < 0:
            return 0, 0.0
        part = min(at, self._ends[index]) - self._starts[index]
        return self._covered[index] + part, self._totals[index] + part * self._rates[index]

    def mean(self, until: int) -> float | None:
        """The mean daily rate of the 28 days before `until`; None unless 21 of them are covered."""
        covered, total = self.upto(until)
        covered_before, total_before = self.upto(until - BASELINE)
        covered -= covered_before
        return None if covered < COVERED else (total - total_before) / covered


class Spikes:
    """The usage reports of one account against the weeks before them; the rates of a metric are computed once."""

    __slots__ = ("_entries", "_rates")

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self._rates: dict[str, DailyRates] = {}

    def of(self, fields: Fields) -> float | None:
        """The report's rate divided by the mean of the 28 days before it; None unless 21 are covered and above 0."""
        metric, rate = _metric(fields)
        until = fields.get("period_start")
        if rate is None or not isinstance(until, int) or len(self._entries) < 2:
            return None
        before = self._of_metric(metric).mean(until)
        # Rounded, because sums of fractions are slightly off: a ratio of 1.5 has to compare equal to 1.5.
        return None if before is None or before <= 0 else round(rate / before, 9)

    def change(self, fields: Fields) -> float | None:
        """The mean of the 28 days up to the period's end divided by that of the 28 before; None unless 21 are covered."""
        metric, rate = _metric(fields)
        until = fields.get("period_end")
        if rate is None or not isinstance(until, int) or len(self._entries) < 2:
            return None
        rates = self._of_metric(metric)
        before = rates.mean(until - BASELINE)
        latest = None if before is None or before <= 0 else rates.mean(until)
        return None if before is None or latest is None else round(latest / before, 9)

    def _of_metric(self, metric: str) -> DailyRates:
        if metric not in self._rates:
            self._rates[metric] = DailyRates(self._entries, metric)
        return self._rates[metric]


def _metric(fields: Fields) -> tuple[str, float | None]:
    """The metric of a report and its rate: events per day or, without events, active users, which are a level."""
    metric = "daily" if fields.get("daily") is not None else "active_users"
    rate = fields.get(metric)
    return metric, rate if isinstance(rate, int | float) else None
