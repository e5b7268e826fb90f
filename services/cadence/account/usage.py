"""Usage reports as they are stored: by source, by the UTC day on which the period ends, and by period.

A report is the same by its source and period. Of two versions of it the later one counts for each field that it has. All
parts are maxima, minima or first-of-a-fixed-order over the set of versions, so that any order of arrival and any
repetition give the same state.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypedDict, cast

from services.cadence.account.evidence import Noted, events_of, note_event
from services.cadence.account.stamps import DAY, Entries, Fields, Stamp, StampedFields, identity, when, who

DAYS_KEPT = 64
"""Counted back from the newest period of the account: two windows of 28 days, and 8 days for late reports."""
PERIODS_KEPT = 32
"""Of a source and day: 24 hours and some totals. Of more those that start at or soonest after a full hour stay, so that
they sample the whole day."""
SOURCES_KEPT = 16
"""A limit against runaway producers. Beyond it the sources first in alphabetical order stay."""
_SECOND, _HOUR = 1_000_000, 3_600_000_000
FIELDS = {
    "events": "e",
    "active_users": "u",
    "seats": "s",
    "seats_used": "n",
    "limit_ratio": "l",
    "features": "f",
}
"""The metrics of a report, with their names in the stored state."""
METRICS = tuple(FIELDS.values())
LEVELS = ("active_users", "seats", "seats_used", "limit_ratio")
"""The metrics that stay as they are until a later period says otherwise."""
_LATEST = (*LEVELS, "limits")
"""Of these each source keeps what its newest period says; `limits` is a text of `usage_details`."""

_Value = float | str | None
Report = Noted
"""The fields of a period: metric, by its name in the stored state -> value, null where it was cleared. One that no event
had is absent. `t`: the time of the latest event, relative to the period's end, in microseconds; `t` and a metric: of that
metric's event, if it is an earlier one. A period of a day or longer has its evidence, too.
"""
Day = dict[str, Report]
"""Period, `start+length`, relative to its day, in seconds or with a final u in microseconds -> its fields.

`SHORT`: the latest period shorter than a day (`p`) and its evidence. `SAMPLED`: there were more than `PERIODS_KEPT`.
"""
SHORT, SAMPLED = "s", "o"
WHOLE = "", ""
"""In `Usage.computed`, what was computed of all sources."""
Level = Noted
"""The value (`v`) of a metric in the newest period (`p`: its end, `b`: its start) that has it, with its time (`t`) and
evidence."""


class UsageSource(TypedDict):
    """`d`: UTC day, in days since 1970 -> its reports. `m`: metric -> its newest level, however old."""

    d: dict[str, Day]
    m: dict[str, Level]


@dataclass(slots=True)
class Usage:
    """`newest`: the end of the newest period; one that has not ended counts up to the time of its event.

    `sources`: CloudEvent source -> reports. `more_sources`: there were more than `SOURCES_KEPT`.
    """

    newest: int | None = None
    sources: dict[str, UsageSource] = field(default_factory=dict)
    more_sources: bool = False
    computed: dict[tuple[str, str], object] = field(default_factory=dict, compare=False, repr=False)
    """Source and day, or `WHOLE` -> what was computed of the reports, without what changed since."""

    def stamps(self) -> Iterator[Stamp]:
        """The events behind everything that is stored: of each source and day the first with what counts."""
        for source in self.sources.values():
            for noted in source["m"].values():
                yield from events_of(noted)
            for day in source["d"].values():
                for noted in day.values():
                    yield from events_of(noted)

    def let_go(self) -> list[str]:
        """What the limits have let go, in words; empty below the limits."""
        more = f"usage of further sources: the first {SOURCES_KEPT} in alphabetical order are read"
        return ([more] if self.more_sources else []) + [
            f"usage of {name}: of more than {PERIODS_KEPT} reports a day a sample of every hour is read"
            for name, source in sorted(self.sources.items())
            if any(SAMPLED in day for day in source["d"].values())
        ]


def apply_usage(usage: Usage, stamp: Stamp, fields: Fields) -> tuple[bool, Stamp | None]:
    """Apply one event in place. Returns whether anything changed, and a conflicting stamp of that day."""
    start, end = fields.get("period_start"), fields.get("period_end")
    if not isinstance(start, int) or not isinstance(end, int):
        return False, None
    sent_at = when(stamp)
    changed = move_horizon(usage, min(end, sent_at))
    known = len(usage.sources), usage.more_sources
    usage.computed.pop(WHOLE, None)
    source = source_of(usage, who(stamp)[0])
    changed |= known != (len(usage.sources), usage.more_sources)
    if source is None:
        return changed, None
    values: Report = {short: cast("_Value", fields[name]) for name, short in FIELDS.items() if name in fields}
    for name in _LATEST:
        if name in fields:
            changed |= _apply_level(
                source, name, (end, start), (sent_at, cast("_Value", fields[name])), stamp
            )
    day = (end - 1) // DAY
    if day < oldest_day(usage):
        return changed, None
    _forget(usage, who(stamp)[0], str(day))
    reports = source["d"].setdefault(str(day), {})
    conflict = _find_conflict(reports, stamp)
    text = _period_text(start - day * DAY, end - start)
    if end - start < DAY:
        changed |= _note_short(reports, text, values, stamp)
    known = text in reports, SAMPLED in reports
    report = report_of(reports, text)
    changed |= known != (text in reports, SAMPLED in reports)
    if report is not None:
        changed |= merge_report(report, sent_at - end, values)
        changed |= end - start >= DAY and note_event(report, values, stamp)
    return changed, conflict


def period_of(day: int, text: str) -> tuple[int, int]:
    """(start, end) in microseconds since 1970 of a stored period."""
    start, end = offsets_of(text)
    return day * DAY + start, day * DAY + end


def move_horizon(usage: Usage, ended: int) -> bool:
    """Let the newest period be one that ended then, unless it is older; let go of days that are too old."""
    if usage.newest is not None and ended <= usage.newest:
        return False
    before, usage.newest = oldest_day(usage), ended
    oldest = oldest_day(usage)
    if oldest > before:
        # Mostly one day is let go: no need to look at all of them.
        passed = range(before, oldest) if oldest - before < DAYS_KEPT else None
        for source in usage.sources.values():
            days = [day for day in source["d"] if int(day) < oldest] if passed is None else map(str, passed)
            for day in days:
                source["d"].pop(day, None)
        usage.computed.clear()
    return True


def _forget(usage: Usage, name: str, day: str) -> None:
    """Forget what was computed of a day that changes.

    Which days there are decides whether shorter periods are complete.
    """
    days = usage.sources[name]["d"]
    usage.computed.pop((name, day), None)
    if usage.computed and day not in days:
        for other, stored in days.items():
            if SHORT in stored:
                usage.computed.pop((name, other), None)


def oldest_day(usage: Usage) -> int:
    """The first UTC day whose reports are kept."""
    return (usage.newest or 0) // DAY - DAYS_KEPT


def source_of(usage: Usage, name: str) -> UsageSource | None:
    """The reports of a source. A name stays when its reports are let go: another must not take its place by then."""
    if name not in usage.sources:
        usage.sources[name] = {"d": {}, "m": {}}
        if len(usage.sources) > SOURCES_KEPT:
            usage.more_sources = True
            usage.computed.clear()
            del usage.sources[max(usage.sources)]
    return usage.sources.get(name)


def _apply_level(
    source: UsageSource, name: str, period: tuple[int, int], event: tuple[int, _Value], stamp: Stamp
) -> bool:
    """`period`: end and start, of which the later end, then the later start, is newer; `event`: its time and value."""
    (at, value), level = event, source["m"].get(name)
    known = None if level is None else (level["p"], level["b"])
    if level is None or period > cast("tuple[int, int]", known):
        level = source["m"][name] = {"p": period[0], "b": period[1], "t": at, "v": value}
        return note_event(level, value, stamp)
    if period != known:
        return False
    changed = note_event(level, value, stamp)
    if (at, rank_of(value)) <= (cast("int", level["t"]), rank_of(level["v"])):
        return changed
    level["t"], level["v"] = at, value
    return True


def report_of(reports: Day, text: str) -> Report | None:
    """The fields of a period; None where it is one too many and others stay."""
    if text not in reports:
        reports[text] = {}
        if len(reports) - (SHORT in reports) - (SAMPLED in reports) > PERIODS_KEPT:
            reports[SAMPLED] = {}
            del reports[max(reports.keys() - {SHORT, SAMPLED}, key=_order)]
    return reports.get(text)


def _order(text: str) -> tuple[int, int, int]:
    start, end = offsets_of(text)
    return start % _HOUR, start - end, start


def merge_report(report: Report, sent: int, values: Report) -> bool:
    """Give each value to this event unless a later one has it. Of two of one time the greater value counts."""
    if not report:
        report |= {**values, "t": sent} if values else {}
        return bool(values)
    times = {name: cast("int", report.get(f"t{name}", report["t"])) for name in METRICS if name in report}
    changed = False
    for name, value in values.items():
        if name in times and (times[name], rank_of(report[name])) >= (sent, rank_of(value)):
            continue
        report[name], times[name], changed = value, sent, True
    if changed:
        latest = report["t"] = max(times.values())
        for name, at in times.items():
            report.pop(f"t{name}", None)
            report |= {} if at == latest else {f"t{name}": at}
    return changed


def _note_short(reports: Day, text: str, values: Report, stamp: Stamp) -> bool:
    """Of shorter periods than a day only the latest has evidence: the events of a whole day take the room of one."""
    latest = reports.get(SHORT)
    if latest is None or latest["p"] != text:
        if latest is not None and offsets_of(str(latest["p"]))[::-1] > offsets_of(text)[::-1]:
            return False
        latest = reports[SHORT] = {"p": text}
    return note_event(latest, values, stamp)


def _find_conflict(reports: Day, stamp: Stamp) -> Stamp | None:
    own = identity(stamp)
    texts = (value for report in reports.values() for value in report.values() if isinstance(value, str))
    return next((other for other in texts if own in other and other != stamp), None)


def rank_of(value: _Value) -> tuple[float, str]:
    """Of two values of one time the greater counts; of two texts the later in alphabetical order."""
    if isinstance(value, str):
        return 0, value
    return (-1, "") if value is None else (value, "")


@lru_cache(maxsize=4096)
def _period_text(offset: int, length: int) -> str:
    return f"{_short(offset)}+{_short(length)}"


@lru_cache(maxsize=4096)
def offsets_of(text: str) -> tuple[int, int]:
    """Start and end of a stored period relative to its day: those of most reports are the same on every day."""
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
