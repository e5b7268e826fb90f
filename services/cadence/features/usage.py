"""Usage over time: how a period compares with the four weeks before it."""

from bisect import bisect_right

from services.cadence.account import DAY, Entries, Fields

BASELINE = 28 * DAY
COVERED = 21 * DAY
_LONG_AGO = -(1 << 62)


class Trail:
    """Daily rates over time as running sums, so that any four weeks are two look-ups.

    Where two reports cover one day, the one that began earlier counts for it; of two that began together the longer,
    then the greater, so that the order of arrival means nothing.
    """

    __slots__ = ("_covered", "_ends", "_rates", "_starts", "_totals")

    def __init__(self, entries: Entries, metric: str) -> None:
        found: list[tuple[int, int, float]] = []
        for fields in entries.values():
            daily, start, end = fields.get(metric), fields.get("period_start"), fields.get("period_end")
            if isinstance(daily, int | float) and isinstance(start, int) and isinstance(end, int):
                found.append((start, -end, -daily))
        found.sort()
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._rates: list[float] = []
        self._covered: list[int] = []
        self._totals: list[float] = []
        reached, covered, total = _LONG_AGO, 0, 0.0
        for start, negative_end, negative_rate in found:
            begin, end = max(start, reached), -negative_end
            if end > begin:
                self._starts.append(begin)
                self._ends.append(end)
                self._rates.append(-negative_rate)
                self._covered.append(covered)
                self._totals.append(total)
                covered, total, reached = covered + end - begin, total - (end - begin) * negative_rate, end

    def upto(self, at: int) -> tuple[int, float]:
        """Microseconds covered before `at`, and their rates summed over them."""
        index = bisect_right(self._starts, at) - 1
        if index < 0:
            return 0, 0.0
        part = min(at, self._ends[index]) - self._starts[index]
        return self._covered[index] + part, self._totals[index] + part * self._rates[index]

    def mean(self, until: int) -> float | None:
        """The mean daily rate of the 28 days before `until`; None unless 21 of them are known."""
        covered, total = self.upto(until)
        covered_before, total_before = self.upto(until - BASELINE)
        covered -= covered_before
        return None if covered < COVERED else (total - total_before) / covered


class Spikes:
    """What the reports of one account are against the weeks before; a trail is made once per metric, when first asked."""

    __slots__ = ("_entries", "_trails")

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self._trails: dict[str, Trail] = {}

    def of(self, fields: Fields) -> float | None:
        """None unless 21 of the 28 days before the period are known and their mean is above nothing."""
        found = self._trail(fields)
        until = fields.get("period_start")
        if found is None or not isinstance(until, int) or len(self._entries) < 2:
            return None
        trail, daily = found
        before = trail.mean(until)
        # Sums of fractions end a hair off; a ratio of exactly one and a half has to read as that.
        return None if before is None or before <= 0 else round(daily / before, 9)

    def change(self, fields: Fields) -> float | None:
        """The mean of the 28 days up to the period's end, per that of the 28 before; None unless 21 of each are known."""
        found = self._trail(fields)
        until = fields.get("period_end")
        if found is None or not isinstance(until, int) or len(self._entries) < 2:
            return None
        before = found[0].mean(until - BASELINE)
        if before is None or before <= 0:
            return None
        latest = found[0].mean(until)
        return None if latest is None else round(latest / before, 9)

    def _trail(self, fields: Fields) -> tuple[Trail, float] | None:
        # Events are counted per day of their period; active users are a level and stand as they are.
        metric = "daily" if fields.get("daily") is not None else "active_users"
        daily = fields.get(metric)
        if not isinstance(daily, int | float):
            return None
        if metric not in self._trails:
            self._trails[metric] = Trail(self._entries, metric)
        return self._trails[metric], daily
