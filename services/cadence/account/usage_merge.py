"""Merge the usage of two accounts: what all reports of both would have led to."""

from typing import cast

from services.cadence.account.evidence import merge_evidence
from services.cadence.account.usage import (
    METRICS,
    SAMPLED,
    SHORT,
    Day,
    Level,
    Report,
    Usage,
    UsageSource,
    merge_report,
    move_horizon,
    offsets_of,
    oldest_day,
    rank_of,
    report_of,
    source_of,
)


def merge_usage(into: Usage, other: Usage) -> None:
    """Add the reports of another account, in place."""
    if other.newest is not None:
        move_horizon(into, other.newest)
    into.computed.clear()
    into.more_sources |= other.more_sources
    for name, source in sorted(other.sources.items()):
        own = source_of(into, name)
        if own is not None:
            _merge_source(own, source, oldest_day(into))


def _merge_source(own: UsageSource, source: UsageSource, oldest: int) -> None:
    for name, level in source["m"].items():
        _merge_level(own["m"].setdefault(name, level), level)
    for day, reports in source["d"].items():
        if int(day) >= oldest:
            _merge_day(own["d"].setdefault(day, {}), reports)


def _merge_level(own: Level, level: Level) -> None:
    """`own` becomes the newer of both."""
    period, other = ((cast("int", each["p"]), cast("int", each["b"])) for each in (own, level))
    if other > period:
        own.clear()
        own |= level
    elif other == period:
        merge_evidence(own, level)
        (at, value), (other_at, other_value) = ((cast("int", each["t"]), each["v"]) for each in (own, level))
        if (other_at, rank_of(other_value)) > (at, rank_of(value)):
            own["t"], own["v"] = other_at, other_value


def _merge_day(own: Day, reports: Day) -> None:
    for text, report in reports.items():
        if text == SHORT:
            _merge_short(own, report)
        elif text == SAMPLED:
            own[SAMPLED] = {}
        else:
            target = report_of(own, text)
            if target is not None:
                _merge_values(target, report)
                merge_evidence(target, report)


def _merge_values(target: Report, report: Report) -> None:
    for name in METRICS:
        if name in report:
            merge_report(target, cast("int", report.get(f"t{name}", report["t"])), {name: report[name]})


def _merge_short(own: Day, short: Report) -> None:
    """The evidence of the latest period shorter than a day."""
    known = own.get(SHORT)
    if known is None or offsets_of(str(short["p"]))[::-1] > offsets_of(str(known["p"]))[::-1]:
        own[SHORT] = dict(short)
    elif known["p"] == short["p"]:
        merge_evidence(known, short)
