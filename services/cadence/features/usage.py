"""Usage over time: a period compared with the four weeks before it, summed over the sources that report both."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import cast

from services.cadence.account import DAY, Stamp
from services.cadence.account.usage import FIELDS, WHOLE, Usage, UsageSource
from services.cadence.account.usage_reports import UTC_DAY, Piece, UsageReport, day_reports, lay_pieces

BASELINE = 28 * DAY
COVERED = 21 * DAY
METRICS = ("events", "active_users")
"""What usage is measured in: events a day, else active users, which are a level."""
_Window = tuple[int, int, int]
"""(start, end, how much of it has to be covered), in microseconds."""


class DailyRates:
    """Daily rates of one source as running sums, so that the mean of any window takes two look-ups."""

    __slots__ = ("_covered", "_ends", "_rates", "_starts", "_totals")

    def __init__(self, pieces: list[Piece]) -> None:
        laid = lay_pieces(pieces)
        self._starts = [start for start, _, _ in laid]
        self._ends: Sequence[int] = [end for _, end, _ in laid]
        self._rates = [rate for _, _, rate in laid]
        self._covered: Sequence[int] = [0, *accumulate(end - start for start, end, _ in laid)]
        self._totals = [0.0, *accumulate((end - start) * rate for start, end, rate in laid)]

    @classmethod
    def of_days(cls, rates: list[tuple[int, float]]) -> "DailyRates":
        """From (UTC day, rate) of different days; the same as from their pieces, in less time."""
        self = cls.__new__(cls)
        rates.sort()
        self._starts = [day * DAY for day, _ in rates]
        self._ends = [start + DAY for start in self._starts]
        self._rates = [rate for _, rate in rates]
        self._covered = range(0, (len(rates) + 1) * DAY, DAY)
        self._totals = [0.0, *accumulate(DAY * rate for _, rate in rates)]
        return self

    def upto(self, at: int) -> tuple[int, float]:
        """(microseconds covered before `at`, sum of rate times microseconds over them)."""
        index = bisect_right(self._starts, at) - 1
        if index < 0:
            return 0, 0.0
        part = min(at, self._ends[index]) - self._starts[index]
        return self._covered[index] + part, self._totals[index] + part * self._rates[index]

    def within(self, start: int, end: int) -> tuple[int, float]:
        """(microseconds covered from `start` to `end`, sum of rate times microseconds over them)."""
        covered, total = self.upto(end)
        covered_before, total_before = self.upto(start)
        return covered - covered_before, total - total_before

    def mean(self, window: _Window) -> float | None:
        """The mean daily rate in a window; None unless enough of it is covered."""
        start, end, needed = window
        covered, total = self.within(start, end)
        return None if covered < max(needed, 1) else total / covered


@dataclass(slots=True)
class _Read:
    """What was read of usage reports so far."""

    newest: list[UsageReport] | None = None
    rates: dict[str, dict[str, DailyRates]] = field(default_factory=dict[str, dict[str, DailyRates]])


class UsageTrends:
    """The usage reports of one account against the weeks before them; reports and rates are read once, when asked for.

    What was read is kept with the usage until that changes.
    """

    __slots__ = ("_read", "_usage")

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._read = cast("_Read", usage.computed.setdefault(WHOLE, _Read()))

    def spike(self, report: UsageReport) -> float | None:
        """The rate in the report's period divided by the mean of the 28 days before it.

        None unless 21 of these are covered and above 0. Of other sources those count that cover three quarters of the
        period.
        """
        # The report itself may have gaps, as it is complete.
        needed = sum(end - start for start, end in report.spans) * 3 // 4
        start = report.start
        return self._compare(report, (start, report.end, needed), (start - BASELINE, start, COVERED))

    def change(self, report: UsageReport) -> float | None:
        """The mean of the 28 days up to the period's end divided by that of the 28 before; None unless 21 are covered."""
        end, middle = report.end, report.end - BASELINE
        return self._compare(report, (middle, end, COVERED), (middle - BASELINE, middle, COVERED))

    def newest(self, compare: Callable[[UsageReport], float | None]) -> tuple[float | None, Stamp | None]:
        """The comparison of the newest report, and its event. Of reports of one day those with events come first."""
        if self._read.newest is None:
            self._read.newest = self._find_newest()
        for report in self._read.newest:
            value = compare(report)
            if value is not None:
                return value, report.stamps[0]
        return None, None

    def _find_newest(self) -> list[UsageReport]:
        """Of each metric the newest report of the last day with reports."""
        recent: list[UsageReport] = []
        newest = 0
        for day in sorted({int(day) for _, source in self._sources() for day in source["d"]}, reverse=True):
            if (day + 1) * DAY <= newest - DAY:
                break
            for report in self._of_day(day):
                if report.complete and metric_of(report) is not None:
                    recent.append(report)
                    newest = max(newest, report.end)
        recent = [report for report in recent if report.end > newest - DAY]
        own = [[report for report in recent if metric_of(report) == metric] for metric in METRICS]
        return [max(each, key=_order) for each in own if each]

    def since(self, at: int, covers: Callable[[int], bool] = lambda _end: True) -> list[UsageReport]:
        """The reports that count from that moment or later and whose end `covers` accepts, in no particular order."""
        return [
            report
            for name, source in self._sources()
            for day in source["d"]
            if (int(day) + 1) * DAY >= at
            for report in day_reports(self._usage, name, source, day)
            if report.end >= at and covers(report.end) and report.at >= at
        ]

    def newest_stamp(self) -> Stamp | None:
        """The event behind the newest report."""
        newest = max(self.reports(), key=_order, default=None)
        return None if newest is None else newest.stamps[0]

    def stamps(self) -> list[Stamp]:
        """The events behind `change` and `spike`: of each report the first with what counts."""
        return sorted({report.stamps[0] for report in self.reports()})

    def reports(self) -> Iterator[UsageReport]:
        """All reports, in no particular order."""
        for name, source in self._sources():
            for day in source["d"]:
                yield from day_reports(self._usage, name, source, day)

    def _sources(self) -> Iterable[tuple[str, UsageSource]]:
        return self._usage.sources.items()

    def _of_day(self, day: int) -> Iterator[UsageReport]:
        for name, source in self._sources():
            if str(day) in source["d"]:
                yield from day_reports(self._usage, name, source, str(day))

    def _compare(self, report: UsageReport, window: _Window, before: _Window) -> float | None:
        metric = metric_of(report)
        return self._ratio(metric, window, before) if metric is not None and report.complete else None

    def _ratio(self, metric: str, window: _Window, before: _Window) -> float | None:
        latest_total = before_total = 0.0
        for rates in self.rates_of(metric).values():
            earlier = rates.mean(before)
            latest = None if earlier is None else rates.mean(window)
            if latest is not None and earlier is not None:
                latest_total += latest
                before_total += earlier
        # Rounded, because sums of fractions are slightly off: a ratio of 1.5 has to compare equal to 1.5.
        return None if before_total <= 0 else round(latest_total / before_total, 9)

    def rates_of(self, metric: str) -> Mapping[str, DailyRates]:
        """The daily rates of each source that reports the metric, in the order of their names."""
        known = self._read.rates
        if metric not in known:
            rates = ((name, self._rates(name, source, metric)) for name, source in sorted(self._sources()))
            known[metric] = {name: own for name, own in rates if own is not None}
        return known[metric]

    def _rates(self, name: str, source: UsageSource, metric: str) -> DailyRates | None:
        """What the complete reports of a source say of the metric; None: nothing."""
        days: list[tuple[int, float]] = []
        pieces: list[Piece] = []
        short = FIELDS[metric]
        for day, stored in source["d"].items():
            if len(stored) == 1 and UTC_DAY in stored:
                # Most days have one report, of the whole day.
                value = cast("float | None", stored[UTC_DAY].get(short))
                if value is not None:
                    days.append((int(day), value))
                continue
            for report in day_reports(self._usage, name, source, day):
                if report.complete:
                    pieces += _pieces(report, metric)
        if pieces:
            return DailyRates([*pieces, *((day * DAY, (day + 1) * DAY, rate) for day, rate in days)])
        return DailyRates.of_days(days) if days else None


def metric_of(report: UsageReport) -> str | None:
    """Events or, without events, active users."""
    if report.values.get("e") is not None:
        return "events"
    return "active_users" if report.values.get("u") is not None else None


def _order(report: UsageReport) -> tuple[int, int, str]:
    return report.end, report.start, report.source


def _pieces(report: UsageReport, metric: str) -> Iterable[Piece]:
    if metric == "events":
        return report.pieces
    users = report.value(metric)
    return [] if users is None else [(start, end, users) for start, end in report.spans]
