"""Usage reports as they are read: the shorter ones of a day joined to one, and the levels of the account."""

from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from services.cadence.account.evidence import first_telling
from services.cadence.account.stamps import DAY, Stamp, day_text
from services.cadence.account.usage import (
    FIELDS,
    LEVELS,
    Usage,
    UsageDay,
    UsageSource,
    Values,
    is_short,
    period_of,
    told_at,
)

LIVE = 35 * DAY
"""How long after the last period that says a metric another source stops to count for it."""
COMPLETE = 18 * 3_600_000_000
"""How much of a day its reports cover before they stand for the day: fewer hours may be those of the night alone."""
Piece = tuple[int, int, float]
"""(start, end, daily rate)."""


class UsageReport(NamedTuple):
    """A report of a day or longer, or the shorter ones of a source and UTC day joined. Times in microseconds since 1970.

    `key`: what distinguishes it among those of its source. `at`: the end of its period (of several the first one), at the
    latest when it was told. `joined`: it is of shorter ones. `complete`: it covers its day, or nothing more is
    expected. `fields`: the metrics that it says. `pieces`: its events, as daily rates, without overlaps. `spans`: what
    it covers. `stamps`: who told it.
    """

    source: str
    key: str
    start: int
    end: int
    at: int
    joined: bool
    complete: bool
    fields: Values
    pieces: Sequence[Piece]
    spans: Sequence[tuple[int, int]]
    stamps: tuple[Stamp, ...]


class _Period(NamedTuple):
    start: int
    end: int
    at: int
    fields: Values
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
                if report.complete and report.joined and name in report.fields:
                    return report.end, report.fields[name], report.stamps[0]
    return end, level["v"], first_telling(level["s"], level["v"])


def reports_since(usage: Usage, since: int) -> Iterator[UsageReport]:
    """The reports whose periods end on the day of `since` or later, in no particular order."""
    for name, source in usage.sources.items():
        for day in source["d"]:
            if int(day) >= since // DAY:
                yield from reports_of_day(name, source, int(day))


def reports_of_day(name: str, source: UsageSource, day: int) -> list[UsageReport]:
    """The reports of a source whose periods end on a UTC day: the newest first, those that start later before others."""
    stored = source["d"][str(day)]
    periods = sorted((_period(day, text, stored) for text in stored["r"]), key=lambda each: each[:2])
    short = [period for period in periods if period.end - period.start < DAY]
    reports = [_report(name, period, stored) for period in periods if period.end - period.start >= DAY]
    if short:
        reports.append(_join(name, source, day, short))
    return sorted(reports, key=lambda report: (report.end, report.start), reverse=True)


def _days(source: UsageSource, newest: int, *, back: int) -> list[int]:
    return [day for day in range(newest, newest - back - 1, -1) if str(day) in source["d"]]


def _period(day: int, text: str, stored: UsageDay) -> _Period:
    start, end = period_of(day, text)
    tellings = stored["r"][text]
    fields = {name: value for telling in tellings.values() for name, value in telling.items()}
    told = max((told_at(day, told) for told in tellings), default=end)
    said = {name: fields[short] for name, short in FIELDS.items() if short in fields}
    return _Period(start, end, min(end, told), said, text)


def _report(name: str, period: _Period, stored: UsageDay) -> UsageReport:
    start, end, at, fields, text = period
    return UsageReport(
        name,
        f"{start}/{end}",
        start,
        end,
        at,
        joined=False,
        complete=True,
        fields=fields,
        pieces=[(start, end, rate)] if (rate := _rate(period)) is not None else [],
        spans=[(start, end)],
        stamps=_stamps(stored, text),
    )


def _join(name: str, source: UsageSource, day: int, short: list[_Period]) -> UsageReport:
    spans = _merge_spans([(period.start, period.end) for period in short], whole="o" in source["d"][str(day)])
    days = [int(other) for other in source["d"]]
    covered = sum(end - start for start, end in spans)
    stored = source["d"][str(day)]
    fields: Values = {name: value for period in short for name, value in period.fields.items()}
    users = [users for period in short if (users := period.fields.get("active_users")) is not None]
    if users:
        fields["active_users"] = max(users)
    pieces = lay_pieces([(p.start, p.end, rate) for p in short if (rate := _rate(p)) is not None])
    if pieces:
        fields["events"] = sum(rate * (end - start) for start, end, rate in pieces) / DAY
        rate = fields["events"] * DAY / sum(end - start for start, end, _ in pieces)
        own = _merge_spans([(start, end) for start, end, _ in pieces], whole="o" in stored)
        pieces = [(start, end, rate) for start, end in own]
    return UsageReport(
        name,
        day_text(day),
        spans[0][0],
        spans[-1][1],
        min(period.at for period in short),
        joined=True,
        complete=covered >= COMPLETE or max(days) > day or min(days) == day,
        fields=fields,
        pieces=pieces,
        spans=spans,
        stamps=_stamps(stored, next(text for text in stored["s"] if is_short(day, text))),
    )


def _rate(period: _Period) -> float | None:
    """Events a day."""
    events = period.fields.get("events")
    return None if events is None else events * DAY / (period.end - period.start)


def _stamps(stored: UsageDay, text: str) -> tuple[Stamp, ...]:
    """The first event that told what counts, then those that told other contents of the period."""
    evidence, tellings = stored["s"][text], stored["r"].get(text)
    newest = tellings[max(tellings, key=lambda told: told_at(0, told))] if tellings else {}
    first = first_telling(evidence, newest)
    return (first, *sorted(stamp for stamp in evidence.values() if stamp != first))


def _merge_spans(spans: list[tuple[int, int]], *, whole: bool) -> list[tuple[int, int]]:
    """Join spans that touch or overlap; `whole`: they are samples of the time from the first to the last."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and (whole or start <= merged[-1][1]):
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
