"""Merge the usage of two accounts: what all reports of both would have led to."""

from services.cadence.account.evidence import merge_evidence
from services.cadence.account.usage import (
    Level,
    Usage,
    UsageDay,
    UsageSource,
    apply_period,
    evidence_of,
    move_horizon,
    oldest_day,
    period_of,
    rank_of,
    source_of,
    version_at,
)


def merge_usage(into: Usage, other: Usage) -> None:
    """Add the reports of another account, in place."""
    if other.newest is not None:
        move_horizon(into, other.newest)
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
            _merge_day(own["d"].setdefault(day, {"r": {}, "s": {}}), reports, int(day))


def _merge_level(own: Level, level: Level) -> None:
    """`own` becomes the newer of both."""
    if level["p"] > own["p"]:
        own |= level
    elif level["p"] == own["p"]:
        merge_evidence(own["s"], level["s"])
        if (level["t"], rank_of(level["v"])) > (own["t"], rank_of(own["v"])):
            own["t"], own["v"] = level["t"], level["v"]


def _merge_day(own: UsageDay, reports: UsageDay, day: int) -> None:
    if "o" in reports:
        own["o"] = 1
    for text, evidence in reports["s"].items():
        kept = evidence_of(own, day, period_of(day, text))
        if kept is not None:
            merge_evidence(kept, evidence)
    for text, versions in reports["r"].items():
        for sent, values in versions.items():
            apply_period(own, day, period_of(day, text), version_at(day, sent), values)
