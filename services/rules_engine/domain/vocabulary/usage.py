"""Usage over time: how a period compares with the four weeks before it."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from services.rules_engine.domain.facts import DAY, Entry, Fields

BASELINE = 28 * DAY
COVERED = 21 * DAY


@dataclass(frozen=True, slots=True)
class Trail:
    """Daily rates over time, gaps allowed, as running sums: `days` and `total` up to each span's start."""

    starts: list[int]
    ends: list[int]
    rates: list[float]
    covered: list[int]
    total: list[float]

    def upto(self, at: int) -> tuple[int, float]:
        """Covered microseconds and summed rate x microseconds before `at`."""
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0, 0.0
        part = min(at, self.ends[index]) - self.starts[index]
        return self.covered[index] + part, self.total[index] + part * self.rates[index]


def rate(fields: Fields, metric: str) -> float | None:
    """Events per day of a period; active users are a level, not a count, and stand as they are."""
    value, start, end = fields.get(metric), fields.get("period_start"), fields.get("period_end")
    if not isinstance(value, int | float) or not isinstance(start, int) or not isinstance(end, int):
        return None
    if end <= start:
        return None
    return value * DAY / (end - start) if metric == "events" else float(value)


def trail(entries: Sequence[Entry], metric: str) -> Trail:
    """Where two reports cover one span, the one that began earlier counts for it, then the newer one."""
    spans = [
        (fields["period_start"], mark, fields["period_end"], found)
        for mark, fields in entries
        if (found := rate(fields, metric)) is not None
    ]
    spans.sort(key=lambda span: (span[0], span[1]))
    made = Trail([], [], [], [], [])
    reached, covered, total = -(1 << 62), 0, 0.0
    for start, _, end, found in spans:
        begin = max(int(start), reached)  # pyright: ignore[reportArgumentType]
        stop = int(end)  # pyright: ignore[reportArgumentType]
        if stop <= begin:
            continue
        for column, value in ((made.starts, begin), (made.ends, stop), (made.covered, covered)):
            column.append(value)
        made.rates.append(found)
        made.total.append(total)
        covered, total, reached = covered + stop - begin, total + (stop - begin) * found, stop
    return made


class Spikes:
    """Spike ratios of the reports of one account; running sums are made once per metric, when first asked."""

    __slots__ = ("_entries", "_trails")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._trails: dict[str, Trail] = {}

    def of(self, fields: Fields) -> float | None:
        """None unless 21 of the 28 days before the period are known and their mean is above nothing."""
        metric = "events" if fields.get("events") is not None else "active_users"
        found, start = rate(fields, metric), fields.get("period_start")
        if found is None or not isinstance(start, int) or len(self._entries) < 2:
            return None
        if metric not in self._trails:
            self._trails[metric] = trail(self._entries, metric)
        line = self._trails[metric]
        covered_to, total_to = line.upto(start)
        covered_from, total_from = line.upto(start - BASELINE)
        covered, total = covered_to - covered_from, total_to - total_from
        if covered < COVERED or total <= 0:
            return None
        return found * covered / total
