"""Usage reports as they are read: the shorter ones of a day joined to one, and the levels of the account."""

from bisect import bisect_right, insort
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from operator import mul
from typing import NamedTuple, cast

from services.cadence.account.evidence import events_of, first_event
from services.cadence.account.stamps import DAY, Stamp, day_text
from services.cadence.account.usage import (
    FIELDS,
    LEVELS,
    METRICS,
    SAMPLED,
    SHORT,
    Day,
    Report,
    Usage,
    UsageSource,
    offsets_of,
    period_of,
)

LIVE = 35 * DAY
"""How long after the last period that says a metric another source stops to count for it."""
COMPLETE = 18 * 3_600_000_000
"""How much of a day its reports cover before they stand for the day: fewer hours may be those of the night alone."""
Span = tuple[int, int]
Piece = tuple[int, int, float]
"""(start, end, daily rate)."""
UTC_DAY = "0+86400"
"""The stored period of a whole UTC day."""


class UsageReport(NamedTuple):
    """A report of a day or longer, or the shorter ones of a source and UTC day joined. Times in microseconds since 1970.

    `text`: its stored period. `complete`: it covers its day, or nothing more is expected. `values`: the metrics that it
    says, by their stored names. `joined`: of a day of shorter ones what it is made of.
    """

    source: str
    day: int
    text: str
    start: int
    end: int
    stored: Day
    values: Report
    complete: bool = True
    joined: "_Joined | None" = None

    @property
    def spans(self) -> Sequence[Span]:
        """What it covers."""
        return ((self.start, self.end),) if self.joined is None else self.joined.spans

    @property
    def pieces(self) -> Sequence[Piece]:
        """Its events, as daily rates, without overlaps."""
        if self.joined is not None:
            return self.joined.pieces
        rate = _rate(self.values, self.end - self.start)
        return () if rate is None else ((self.start, self.end, rate),)

    @property
    def key(self) -> str:
        """What distinguishes it among the reports of its source."""
        return f"{self.start}/{self.end}" if self.joined is None else day_text(self.day)

    @property
    def at(self) -> int:
        """The moment it counts from: the end of its period (of several the first), at most its event's time."""
        if self.joined is None:
            return self.end + min(0, cast("int", self.values.get("t", 0)))
        return self.day * DAY + min(
            offsets_of(text)[1] + min(0, cast("int", self.stored[text].get("t", 0)))
            for text in self.joined.texts
        )

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """The first event with what counts, then those with other contents of the period."""
        noted = self.values if self.joined is None else self.stored[SHORT]
        stamps = events_of(noted)
        if len(stamps) == 1:
            return (stamps[0],)
        report = self.values if self.joined is None else self.stored.get(str(noted["p"]), {})
        latest = {name: report[name] for name in METRICS if name in report and f"t{name}" not in report}
        first = first_event(noted, latest)
        return (first, *sorted(stamp for stamp in stamps if stamp != first))

    def value(self, metric: str) -> float | None:
        return cast("float | None", self.values.get(FIELDS[metric]))

    def says(self, metric: str) -> bool:
        """Whether the report has a value of the metric, or null."""
        return FIELDS[metric] in self.values


class _Joined(NamedTuple):
    """Shorter reports of a day: their stored periods in the order of time, what they cover, and their events."""

    texts: Sequence[str]
    spans: Sequence[Span]
    pieces: Sequence[Piece]


class _Layout(NamedTuple):
    """The periods of a day, relative to it: those of a day or longer, and the shorter ones in the order of time.

    `spans`: what these cover. `is_laid`: they do not overlap.
    """

    long: tuple[tuple[str, int, int], ...]
    short: tuple[str, ...]
    lengths: tuple[int, ...]
    spans: tuple[Span, ...]
    is_laid: bool


class UsageLevel(NamedTuple):
    """The value of a metric, and the event it comes from: of several sources the newest period's."""

    value: float | None
    stamp: Stamp


def usage_levels(usage: Usage) -> dict[str, UsageLevel]:
    """The metrics that are levels: of each source the newest period that says it, summed over the sources.

    A source counts while its period is at most 35 days older than the newest that says the metric. Of `limit_ratio` the
    greatest counts. Two tools that report the same product add up.
    """
    levels: dict[str, UsageLevel] = {}
    sources = sorted(usage.sources.items())
    for name in LEVELS:
        own = [_level(source_name, source, name) for source_name, source in sources if name in source["m"]]
        if len(own) == 1:
            levels[name] = UsageLevel(*own[0][1:])
        elif own:
            newest = max(end for end, _, _ in own)
            levels[name] = _combine(name, [level for level in own if level[0] >= newest - LIVE])
    return levels


def _combine(name: str, own: list[tuple[int, float | None, Stamp]]) -> UsageLevel:
    known = [(end, value, stamp) for end, value, stamp in own if value is not None]
    if not known:
        return UsageLevel(None, max(own, key=lambda level: level[0])[2])
    if name == "limit_ratio":
        _, value, stamp = max(known, key=lambda level: (level[1], level[0]))
        return UsageLevel(value, stamp)
    return UsageLevel(sum(value for _, value, _ in known), max(known, key=lambda level: level[0])[2])


def _level(source_name: str, source: UsageSource, name: str) -> tuple[int, float | None, Stamp]:
    """(end of its period, value, event) of the newest level of a source."""
    level = source["m"][name]
    end, start, value = cast("int", level["p"]), cast("int", level["b"]), cast("float | None", level["v"])
    if name == "active_users" and 0 < end - start < DAY:
        # Hours are joined to days: the newest day that says as much as a day says.
        for day in _days(source, (end - 1) // DAY, back=7):
            for report in reports_of_day(source_name, source, day):
                if report.complete and report.joined and report.says(name):
                    return report.end, report.value(name), report.stamps[0]
    return end, value, first_event(level, value)


def day_reports(usage: Usage, name: str, source: UsageSource, day: str) -> list[UsageReport]:
    """The reports of a source that end on a stored UTC day, in no particular order; read once until it changes."""
    computed = cast("dict[tuple[str, str], list[UsageReport]]", usage.computed)
    own = computed.get((name, day))
    if own is None:
        own = computed[name, day] = reports_of_day(name, source, int(day))
    return own


def reports_of_day(name: str, source: UsageSource, day: int) -> list[UsageReport]:
    """The reports of a source whose periods end on a UTC day, in no particular order."""
    stored, at = source["d"][str(day)], day * DAY
    layout = _lay_out(tuple(stored))
    reports = [
        UsageReport(name, day, text, at + start, at + end, stored, stored[text])
        for text, start, end in layout.long
    ]
    if layout.short:
        reports.append(_join(name, source, day, layout))
    return reports


@lru_cache(maxsize=4096)
def _lay_out(texts: tuple[str, ...]) -> _Layout:
    """Cached: most days of a source have the same periods."""
    periods = [(*offsets_of(text), text) for text in texts if text not in {SHORT, SAMPLED}]
    long = tuple((text, start, end) for start, end, text in periods if end - start >= DAY)
    short = sorted(period for period in periods if period[1] - period[0] < DAY)
    spans = [(start, end) for start, end, _ in short]
    return _Layout(
        long,
        tuple(text for _, _, text in short),
        tuple(end - start for start, end in spans),
        tuple(_merge_spans(spans, whole=SAMPLED in texts)) if spans else (),
        all(one[1] <= other[0] for one, other in pairwise(spans)),
    )


def _days(source: UsageSource, newest: int, *, back: int) -> list[int]:
    return [day for day in range(newest, newest - back - 1, -1) if str(day) in source["d"]]


def _join(name: str, source: UsageSource, day: int, layout: _Layout) -> UsageReport:
    stored, at = source["d"][str(day)], day * DAY
    reports = [stored[text] for text in layout.short]
    values: Report = {}
    for report in reports:
        values |= report
    users = [cast("float", users) for report in reports if (users := report.get("u")) is not None]
    if users:
        values["u"] = max(users)
    spans = [(at + start, at + end) for start, end in layout.spans]
    rates = [_rate(report, length) for report, length in zip(reports, layout.lengths, strict=True)]
    pieces: list[Piece] = []
    if layout.is_laid and None not in rates:
        total = sum(map(mul, cast("list[float]", rates), layout.lengths))
        covered, own = sum(layout.lengths), spans
    else:
        periods = [period_of(day, text) for text in layout.short]
        laid = [(*period, rate) for period, rate in zip(periods, rates, strict=True) if rate is not None]
        laid = lay_pieces(laid)
        total = sum(rate * (end - start) for start, end, rate in laid)
        covered = sum(end - start for start, end, _ in laid)
        own = _merge_spans([piece[:2] for piece in laid], whole=SAMPLED in stored) if laid else []
    if own:
        values["e"] = total / DAY
        pieces = [(start, end, total / covered) for start, end in own]
    complete = sum(end - start for start, end in spans) >= COMPLETE or _is_over(source, day)
    joined = _Joined(layout.short, spans, pieces)
    return UsageReport(name, day, "", spans[0][0], spans[-1][1], stored, values, complete, joined)


def _is_over(source: UsageSource, day: int) -> bool:
    """Whether a later day has a report, or no earlier one that could be compared."""
    days = [int(other) for other in source["d"]]
    return max(days) > day or min(days) == day


def _rate(report: Report, length: int) -> float | None:
    """Events a day."""
    events = cast("float | None", report.get("e"))
    return None if events is None else events * DAY / length


def _merge_spans(spans: list[Span], *, whole: bool) -> list[Span]:
    """Join spans, which are in order, that touch or overlap. `whole`: they are samples of the time they enclose."""
    if whole or all(one[1] == other[0] for one, other in pairwise(spans)):
        return [(spans[0][0], max(end for _, end in spans))]
    merged: list[Span] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def lay_pieces(pieces: list[Piece]) -> list[Piece]:
    """Pieces without overlaps, in order of time: where two cover a time the shorter counts, of two as long the earlier,
    then the lower.
    """
    pieces.sort()
    if all(one[1] <= other[0] for one, other in pairwise(pieces)):
        return pieces
    laid: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: (piece[1] - piece[0], piece)):
        for gap in _gaps(laid, *piece):
            insort(laid, gap)
    return laid


def _gaps(laid: list[Piece], start: int, end: int, rate: float) -> list[Piece]:
    """The parts of a piece that no laid one covers."""
    index, gaps = bisect_right(laid, start, key=lambda piece: piece[0]), list[Piece]()
    if index:
        start = max(start, laid[index - 1][1])
    for taken in laid[index:]:
        if start >= end:
            break
        if taken[0] > start:
            gaps.append((start, min(taken[0], end), rate))
        start = max(start, taken[1])
    if start < end:
        gaps.append((start, end, rate))
    return gaps
