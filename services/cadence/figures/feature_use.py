"""How often each feature of the product was used in the last days and in as many before."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from schemas.figures import FeatureUse
from services.cadence.account import DAY
from services.cadence.account.usage import offsets_of
from services.cadence.account.usage_details import read_features
from services.cadence.account.usage_reports import Piece, Span, UsageReport
from services.cadence.features.usage import COVERED, DailyRates

MOST = 10


class _Used(NamedTuple):
    """What a report says of features. `rates`: feature -> a day; `has_all`: one that is not named was not used."""

    spans: Sequence[Span]
    rates: dict[str, float]
    has_all: bool


def feature_use(reports: Iterable[UsageReport], end: int, length: int) -> tuple[FeatureUse, ...]:
    """The features used most in the `length` microseconds up to `end`, at most ten; sources add up."""
    sources: dict[str, list[_Used]] = {}
    for report in reports:
        used = _read(report)
        if used is not None:
            sources.setdefault(report.source, []).append(used)
    names = sorted({name for own in sources.values() for used in own for name in used.rates})
    features = [feature for name in names if (feature := _count(name, sources.values(), end, length))]
    return tuple(sorted(features, key=lambda feature: (-feature.count, feature.name))[:MOST])


def _read(report: UsageReport) -> _Used | None:
    """None when the report says nothing of features."""
    if report.joined is None:
        text = report.values.get("f")
        if not isinstance(text, str):
            return None
        counts, has_all = read_features(text)
        length = report.end - report.start
        return _Used(report.spans, {name: count * DAY / length for name, count in counts.items()}, has_all)
    texts = [
        (period, text)
        for period in report.joined.texts
        if isinstance(text := report.stored[period].get("f"), str)
    ]
    if not texts:
        return None
    # Where hours overlap or are a sample of the day, their mean rate stands for all that they cover.
    length = sum(end - start for start, end in (offsets_of(period) for period, _ in texts))
    totals: dict[str, float] = {}
    has_all = True
    for _, text in texts:
        counts, is_whole = read_features(text)
        has_all &= is_whole
        for name, count in counts.items():
            totals[name] = totals.get(name, 0) + count
    return _Used(report.spans, {name: total * DAY / length for name, total in totals.items()}, has_all)


def _count(name: str, sources: Iterable[list[_Used]], end: int, length: int) -> FeatureUse | None:
    """None when it was not used, or when it is not known how often."""
    middle = end - length
    count, before, is_compared = 0.0, 0.0, True
    for own in sources:
        rates = DailyRates(list(_pieces(name, own)))
        covered, total = rates.within(middle, end)
        if covered < COVERED:
            continue
        count += total / DAY
        mean = rates.mean((middle - length, middle, COVERED))
        before += (mean or 0) * covered / DAY
        is_compared &= mean is not None
    if round(count) == 0:
        return None
    return FeatureUse(name=name, count=round(count), before=round(before) if is_compared else None)


def _pieces(name: str, reports: Iterable[_Used]) -> Iterator[Piece]:
    for used in reports:
        if used.has_all or name in used.rates:
            rate = used.rates.get(name, 0.0)
            yield from ((start, end, rate) for start, end in used.spans)
