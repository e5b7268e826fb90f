"""Usage reports as they are stored: by source, by the UTC day on which the period ends, and by period.

A report is the same by its source and period. Of two versions of it the later one counts for each field that it has. All
parts are maxima, minima or first-of-a-fixed-order over the set of versions, so that any order of arrival and any
repetition give the same state.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NotRequired, TypedDict, cast

from services.cadence.account.evidence import Evidence, note_event
from services.cadence.account.stamps import DAY, Entries, Fields, Stamp, StampedFields, identity, when, who

DAYS_KEPT = 64
"""Counted back from the newest period of the account: two windows of 28 days, and 8 days for late reports."""
PERIODS_KEPT = 32
"""Of a source and day: 24 hours and some totals. Of more those that start at or soonest after a full hour stay, so that
they sample the whole day."""
SOURCES_KEPT = 16
"""A limit against runaway producers. Beyond it the sources first in alphabetical order stay."""
_SECOND, _HOUR = 1_000_000, 3_600_000_000
FIELDS = {"events": "e", "active_users": "u", "seats": "s", "seats_used": "n", "limit_ratio": "l"}
"""The metrics of a report, with their names in the stored state."""
LEVELS = ("active_users", "seats", "seats_used", "limit_ratio")
"""The metrics that stay as they are until a later period says otherwise."""

Values = dict[str, float | None]
"""Metric, by its name in the stored state -> value, null where it was cleared. One that no event had is absent."""
Versions = dict[str, Values]
"""Time of its event, relative to the day -> the fields of which this version is the latest."""


class UsageDay(TypedDict):
    """`r`: period -> versions. `s`: period -> evidence, of each period of a day or longer and of the latest shorter one.

    A period is written `start+length`, relative to its day, in seconds or with a final u in microseconds. `o`: there
    were more than `PERIODS_KEPT`.
    """

    r: dict[str, Versions]
    s: dict[str, Evidence]
    o: NotRequired[int]


class Level(TypedDict):
    """The value (`v`) of a metric in the newest period (`p`: end, start) that has it, with its time and events."""

    p: list[int]
    t: int
    v: float | None
    s: Evidence


class UsageSource(TypedDict):
    """`d`: UTC day, in days since 1970 -> its reports. `m`: metric -> its newest level, however old."""

    d: dict[str, UsageDay]
    m: dict[str, Level]


@dataclass(slots=True)
class Usage:
    """`newest`: the end of the newest period; one that has not ended counts up to the time of its event.

    `sources`: CloudEvent source -> reports. `more_sources`: there were more than `SOURCES_KEPT`.
    """

    newest: int | None = None
    sources: dict[str, UsageSource] = field(default_factory=dict)
    more_sources: bool = False

    def stamps(self) -> Iterator[Stamp]:
        """The events behind everything that is stored: of each source and day the first with what counts."""
        for source in self.sources.values():
            for evidence in [level["s"] for level in source["m"].values()]:
                yield from evidence.values()
            for day in source["d"].values():
                for evidence in day["s"].values():
                    yield from evidence.values()

    def let_go(self) -> list[str]:
        """What the limits have let go, in words; empty below the limits."""
        more = f"usage of further sources: the first {SOURCES_KEPT} in alphabetical order are read"
        return ([more] if self.more_sources else []) + [
            f"usage of {name}: of more than {PERIODS_KEPT} reports a day a sample of every hour is read"
            for name, source in sorted(self.sources.items())
            if any("o" in day for day in source["d"].values())
        ]


def derive_limit_ratio(fields: Fields, data: Mapping[str, object]) -> None:
    """Add the highest share of a limit that is in use; null without a limited one, absent where `limits` is absent."""
    if "limits" not in data:
        return
    limits = cast("Mapping[str, Mapping[str, float | None]]", data["limits"] or {})
    ratios = [(usage.get("used") or 0) / limit for usage in limits.values() if (limit := usage.get("limit"))]
    fields["limit_ratio"] = max(ratios) if ratios else None


def apply_usage(usage: Usage, stamp: Stamp, fields: Fields) -> tuple[bool, Stamp | None]:
    """Apply one event in place. Returns whether anything changed, and a conflicting stamp of that day."""
    start, end = fields.get("period_start"), fields.get("period_end")
    if not isinstance(start, int) or not isinstance(end, int):
        return False, None
    sent_at = when(stamp)
    changed = move_horizon(usage, min(end, sent_at))
    known = len(usage.sources), usage.more_sources
    source = source_of(usage, who(stamp)[0])
    changed |= known != (len(usage.sources), usage.more_sources)
    if source is None:
        return changed, None
    values: Values = {
        short: cast("float | None", fields[name]) for name, short in FIELDS.items() if name in fields
    }
    for name in LEVELS:
        if name in fields:
            changed |= _apply_level(source, name, (end, start), (sent_at, values[FIELDS[name]]), stamp)
    day = (end - 1) // DAY
    if day < oldest_day(usage):
        return changed, None
    reports = source["d"].setdefault(str(day), {"r": {}, "s": {}})
    conflict = _find_conflict(reports, stamp)
    evidence = evidence_of(reports, day, (start, end))
    changed |= evidence is not None and note_event(evidence, values, stamp)
    return changed | apply_period(reports, day, (start, end), sent_at, values), conflict


def period_of(day: int, text: str) -> tuple[int, int]:
    """(start, end) in microseconds since 1970 of a stored period."""
    start, end = _offsets(text)
    return day * DAY + start, day * DAY + end


def is_short(text: str) -> bool:
    """Whether a stored period is shorter than a day."""
    start, end = _offsets(text)
    return end - start < DAY


def version_at(day: int, text: str) -> int:
    """The time of the event of a stored version, in microseconds since 1970."""
    return day * DAY + _long(text)


def move_horizon(usage: Usage, ended: int) -> bool:
    """Let the newest period be one that ended then, unless it is older; let go of days that are too old."""
    if usage.newest is not None and ended <= usage.newest:
        return False
    before, usage.newest = oldest_day(usage), ended
    oldest = oldest_day(usage)
    if oldest > before:
        for source in usage.sources.values():
            for day in [day for day in source["d"] if int(day) < oldest]:
                del source["d"][day]
    return True


def oldest_day(usage: Usage) -> int:
    """The first UTC day whose reports are kept."""
    return (usage.newest or 0) // DAY - DAYS_KEPT


def source_of(usage: Usage, name: str) -> UsageSource | None:
    """The reports of a source. A name stays when its reports are let go: another must not take its place by then."""
    if name not in usage.sources:
        usage.sources[name] = {"d": {}, "m": {}}
        if len(usage.sources) > SOURCES_KEPT:
            usage.more_sources = True
            del usage.sources[max(usage.sources)]
    return usage.sources.get(name)


def _apply_level(
    source: UsageSource, name: str, period: tuple[int, int], event: tuple[int, float | None], stamp: Stamp
) -> bool:
    """`period`: end and start, of which the later end, then the later start, is newer; `event`: its time and value."""
    level = source["m"].get(name)
    if level is None or period > tuple(level["p"]):
        level = source["m"][name] = {"p": list(period), "t": event[0], "v": event[1], "s": {}}
        return note_event(level["s"], event[1], stamp)
    if period < tuple(level["p"]):
        return False
    changed = note_event(level["s"], event[1], stamp)
    if (event[0], rank_of(event[1])) <= (level["t"], rank_of(level["v"])):
        return changed
    level["t"], level["v"] = event
    return True


def apply_period(reports: UsageDay, day: int, period: tuple[int, int], sent_at: int, values: Values) -> bool:
    """Add a version of the report of a period. Returns whether anything changed."""
    periods, text = reports["r"], _period_text(day, period)
    added = text not in periods
    if added and len(periods) >= PERIODS_KEPT:
        first = "o" not in reports
        reports["o"], last = 1, max(*periods, text, key=lambda each: _order(day, each))
        if not is_short(last):
            reports["s"].pop(last, None)
        if last == text:
            return first
        del periods[last]
    return _merge(periods.setdefault(text, {}), _short(sent_at - day * DAY), values) or added


def _order(day: int, text: str) -> tuple[int, int, int]:
    start, end = period_of(day, text)
    return start % _HOUR, start - end, start


def _merge(versions: Versions, sent: str, values: Values) -> bool:
    """Give each value to this version unless a later one has it. Of two of one time the greater value counts."""
    at, left = _long(sent), dict(values)
    for other, stored in list(versions.items()):
        for name in stored.keys() & left.keys():
            later = (_long(other), rank_of(stored[name])) >= (at, rank_of(left[name]))
            del (left if later else stored)[name]
        if not stored:
            del versions[other]
    if left:
        versions.setdefault(sent, {}).update(left)
    return bool(left)


def evidence_of(reports: UsageDay, day: int, period: tuple[int, int]) -> Evidence | None:
    """Of shorter periods than a day only the latest has evidence: the events of a whole day take the room of one."""
    evidence, text = reports["s"], _period_text(day, period)
    if text not in evidence and period[1] - period[0] < DAY:
        for other in [other for other in evidence if is_short(other)]:
            if period_of(day, other)[::-1] > period[::-1]:
                return None
            del evidence[other]
    return evidence.setdefault(text, {})


def _find_conflict(reports: UsageDay, stamp: Stamp) -> Stamp | None:
    own = identity(stamp)
    stamps = (other for evidence in reports["s"].values() for other in evidence.values())
    return next((other for other in stamps if own in other and other != stamp), None)


def rank_of(value: float | None) -> float:
    """Of two values of one time the greater counts."""
    return -1 if value is None else value


def _period_text(day: int, period: tuple[int, int]) -> str:
    return f"{_short(period[0] - day * DAY)}+{_short(period[1] - period[0])}"


@lru_cache(maxsize=4096)
def _offsets(text: str) -> tuple[int, int]:
    """Start and end relative to the day: those of most reports are the same on every day."""
    offset, _, length = text.partition("+")
    start = _long(offset)
    return start, start + _long(length)


def _short(duration: int) -> str:
    seconds, rest = divmod(duration, _SECOND)
    return f"{duration}u" if rest else str(seconds)


def _long(text: str) -> int:
    return int(text[:-1]) if text.endswith("u") else int(text) * _SECOND


def upgrade_usage(usage: Usage, account: StampedFields, entries: Entries) -> None:
    """Convert what formats 1 to 3 stored: dated entries, and the newest value of each metric under the account."""
    for stamp, entry in entries.items():
        start, end, daily = entry.get("period_start"), entry.get("period_end"), entry.get("daily")
        fields = dict(entry)
        if isinstance(daily, int | float) and isinstance(start, int) and isinstance(end, int):
            fields["events"] = round(daily * (end - start) / DAY)
        apply_usage(usage, stamp, fields)
    for stamp in list(account):
        for name in account[stamp].keys() & set(LEVELS):
            value = cast("float | None", account[stamp].pop(name))
            source = source_of(usage, who(stamp)[0])
            if source is not None and stamp not in entries:
                # Its entry made room for newer ones, and its period is forgotten: it counts up to the time of its event.
                at = when(stamp)
                _apply_level(source, name, (at, at), (at, value), stamp)
        if not account[stamp]:
            del account[stamp]
