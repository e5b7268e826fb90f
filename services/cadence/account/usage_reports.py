"""Usage reports as they are read: the shorter ones of a day joined to one, and the levels of the account."""

from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from services.cadence.account.evidence import first_event
from services.cadence.account.stamps import DAY, Stamp, day_text
from services.cadence.account.usage import (
    FIELDS,
    LEVELS,
    Usage,
    UsageDay,
    UsageSource,
    Values,
    Versions,
    is_short,
    period_of,
    version_at,
)

LIVE = 35 * DAY
"""How long after the last period that says a metric another source stops to count for it."""
COMPLETE = 18 * 3_600_000_000
"""How much of a day its reports cover before they stand for the day: fewer hours may be those of the night alone."""
Piece = tuple[int, int, float]
"""(start, end, daily rate)."""


class UsageReport(NamedTuple):
    """A report of a day or longer, or the shorter ones of a source and UTC day joined. Times in microseconds since 1970.

    `complete`: it covers its day, or nothing more is expected. `values`: the metrics that it says, by their stored
    names. `pieces`: its events, as daily rates, without overlaps. `spans`: what it covers. `periods`: what it is made of.
    """

    source: str
    day: int
    stored: UsageDay
    joined: bool
    complete: bool
    values: Values
    pieces: Sequence[Piece]
    spans: Sequence[tuple[int, int]]
    periods: Sequence[str]

    @property
    def start(self) -> int:
        return self.spans[0][0]

    @property
    def end(self) -> int:
        return self.spans[-1][1]

    @property
    def key(self) -> str:
        """What distinguishes it among the reports of its source."""
        return day_text(self.day) if self.joined else f"{self.start}/{self.end}"

    @property
    def at(self) -> int:
        """The moment it counts from: the end of its period (of several the first), at most its event's time."""
        return min(self._at(text) for text in self.periods)

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """The first event with what counts, then those with other contents of the period."""
        text = next(filter(is_short, self.stored["s"])) if self.joined else self.periods[0]
        evidence, versions = self.stored["s"][text], self.stored["r"].get(text)
        if len(evidence) == 1:
            return tuple(evidence.values())
        newest = versions[max(versions, key=lambda sent: version_at(0, sent))] if versions else {}
        first = first_event(evidence, newest)
        return (first, *sorted(stamp for stamp in evidence.values() if stamp != first))

    def value(self, metric: str) -> float | None:
        return self.values.get(FIELDS[metric])

    def says(self, metric: str) -> bool:
        """Whether the report has a value of the metric, or null."""
        return FIELDS[metric] in self.values

    def _at(self, text: str) -> int:
        end, versions = period_of(self.day, text)[1], self.stored["r"][text]
        return min(end, max([version_at(self.day, sent) for sent in versions])) if versions else end


class _Period(NamedTuple):
    start: int
    end: int
    values: Values
    text: str


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
    for name in LEVELS:
        own = [
            level
            for source_name, source in sorted(usage.sources.items())
            if (level := _level(source_name, source, name)) is not None
        ]
        if own:
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


def _level(source_name: str, source: UsageSource, name: str) -> tuple[int, float | None, Stamp] | None:
    """(end of its period, value, event) of the newest level of a source."""
    level = source["m"].get(name)
    if level is None:
        return None
    end, start = level["p"]
    if name == "active_users" and 0 < end - start < DAY:
        # Hours are joined to days: the newest day that says as much as a day says.
        for day in _days(source, (end - 1) // DAY, back=7):
            for report in reports_of_day(source_name, source, day):
                if report.complete and report.joined and report.says(name):
                    return report.end, report.value(name), report.stamps[0]
    return end, level["v"], first_event(level["s"], level["v"])


def reports_since(usage: Usage, since: int) -> Iterator[UsageReport]:
    """The reports whose periods end on the day of `since` or later, in no particular order."""
    for name, source in usage.sources.items():
        for day in source["d"]:
            if int(day) >= since // DAY:
                yield from reports_of_day(name, source, int(day))


def reports_of_day(name: str, source: UsageSource, day: int) -> list[UsageReport]:
    """The reports of a source whose periods end on a UTC day, in no particular order."""
    stored = source["d"][str(day)]
    short: list[_Period] = []
    reports: list[UsageReport] = []
    for text, versions in stored["r"].items():
        start, end = period_of(day, text)
        period = _Period(start, end, _values(versions), text)
        if end - start < DAY:
            short.append(period)
            continue
        pieces = [] if (rate := _rate(period)) is None else [(start, end, rate)]
        values, spans = period.values, [(start, end)]
        reports.append(UsageReport(name, day, stored, False, True, values, pieces, spans, [text]))  # noqa: FBT003
    if short:
        reports.append(_join(name, source, day, sorted(short, key=lambda period: period[:2])))
    return reports


def _values(versions: Versions) -> Values:
    if len(versions) == 1:
        return next(iter(versions.values()))
    return {name: value for version in versions.values() for name, value in version.items()}


def _days(source: UsageSource, newest: int, *, back: int) -> list[int]:
    return [day for day in range(newest, newest - back - 1, -1) if str(day) in source["d"]]


def _join(name: str, source: UsageSource, day: int, short: list[_Period]) -> UsageReport:
    """`short`: in the order of time."""
    stored = source["d"][str(day)]
    spans = _merge_spans([(period.start, period.end) for period in short], whole="o" in stored)
    values: Values = {}
    for period in short:
        values |= period.values
    users = [users for period in short if (users := period.values.get("u")) is not None]
    if users:
        values["u"] = max(users)
    pieces = lay_pieces([(p.start, p.end, rate) for p in short if (rate := _rate(p)) is not None])
    if pieces:
        total = sum(rate * (end - start) for start, end, rate in pieces)
        values["e"] = total / DAY
        rate = total / sum(end - start for start, end, _ in pieces)
        own = _merge_spans([(start, end) for start, end, _ in pieces], whole="o" in stored)
        pieces = [(start, end, rate) for start, end in own]
    complete = sum(end - start for start, end in spans) >= COMPLETE or _is_over(source, day)
    periods = [period.text for period in short]
    return UsageReport(name, day, stored, True, complete, values, pieces, spans, periods)  # noqa: FBT003


def _is_over(source: UsageSource, day: int) -> bool:
    """Whether a later day has a report, or no earlier one that could be compared."""
    days = [int(other) for other in source["d"]]
    return max(days) > day or min(days) == day


def _rate(period: _Period) -> float | None:
    """Events a day."""
    events = period.values.get("e")
    return None if events is None else events * DAY / (period.end - period.start)


def _merge_spans(spans: list[tuple[int, int]], *, whole: bool) -> list[tuple[int, int]]:
    """Join spans, which are in order, that touch or overlap. `whole`: they are samples of the time they enclose."""
    if whole or all(one[1] == other[0] for one, other in pairwise(spans)):
        return [(spans[0][0], max(end for _, end in spans))]
    merged: list[tuple[int, int]] = []
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
