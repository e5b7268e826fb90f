"""Usage of the last 30 days against the 30 before, by the rules by which conditions read usage.

The 30 days end with the last report, not now: who reports late is not shown as using less. Sources add up. A comparison
counts the same sources on both sides, and needs 21 reported days on each, as `usage_change` does.
"""

from collections.abc import Iterator, Mapping
from itertools import dropwhile
from typing import cast

from schemas.figures import LimitUse, UsageFigures, WeekOfUse
from services.cadence.account import DAY, day_of
from services.cadence.account.usage import Usage
from services.cadence.account.usage_details import read_limits
from services.cadence.account.usage_reports import LIVE, UsageReport, usage_levels
from services.cadence.features.usage import COVERED, DailyRates
from services.cadence.features.view import AccountView
from services.cadence.figures.feature_use import feature_use

MONTH, WEEK = 30 * DAY, 7 * DAY
_HALF_A_DAY = DAY // 2
"""Added to the start of a local day anywhere it gives the same day in UTC."""
_MOST_OF_A_WEEK = 4 * DAY
_WEEKS = 13


def usage_figures(view: AccountView) -> UsageFigures | None:
    """None when nothing was reported in the last 35 days: these days are then of long ago."""
    reports = [report for report in view.usage.reports() if report.complete]
    end = min(view.now, max((report.end for report in reports), default=0))
    if end <= view.now - LIVE:
        return None
    usage, last_day = view.facts.usage, (end - _HALF_A_DAY) // DAY
    users = view.usage.rates_of("active_users")
    active, active_before = _compare_levels(users, end)
    events, events_before = _compare_totals(view.usage.rates_of("events"), end)
    levels = {name: level.value for name, level in usage_levels(usage).items()}
    return UsageFigures(
        begins_on=day_of(last_day - 29),
        ends_on=day_of(last_day),
        active_users=active,
        active_users_before=active_before,
        seats=_whole(levels.get("seats")),
        seats_used=_whole(levels.get("seats_used")),
        seats_used_before=_seats_before(usage, reports, end),
        events=events,
        events_before=events_before,
        features=feature_use(reports, end, MONTH),
        limits=tuple(_limits(usage, end)),
        weeks=_weeks(users, end),
    )


def _compare_levels(rates: Mapping[str, DailyRates], end: int) -> tuple[float | None, float | None]:
    """The mean of the reported days of the last 30 and that of the 30 before, summed over the sources that report now."""
    middle = end - MONTH
    now = {name: mean for name, own in rates.items() if (mean := own.mean((middle, end, DAY))) is not None}
    before = [
        rates[name].mean((middle - MONTH, middle, COVERED))
        for name in now
        if rates[name].within(middle, end)[0] >= COVERED
    ]
    return _sum(list(now.values()), 1), _sum(before, 1) if len(before) == len(now) else None


def _compare_totals(rates: Mapping[str, DailyRates], end: int) -> tuple[int | None, int | None]:
    """What was reported in the last 30 days, and in as many reported days of the 30 before."""
    middle = end - MONTH
    now: list[float] = []
    before: list[float | None] = []
    for own in rates.values():
        covered, total = own.within(middle, end)
        if covered >= COVERED:
            mean = own.mean((middle - MONTH, middle, COVERED))
            now.append(total / DAY)
            before.append(None if mean is None else mean * covered / DAY)
    return _whole(_sum(now)), _whole(_sum(before))


def _sum(parts: list[float] | list[float | None], digits: int | None = None) -> float | None:
    """None when there are none, or when one is not known."""
    known = [part for part in parts if part is not None]
    return None if not parts or len(known) < len(parts) else round(sum(known), digits)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _seats_before(usage: Usage, reports: list[UsageReport], end: int) -> int | None:
    """The latest of the 30 days before, of the sources whose seats count now."""
    levels = {
        name: source["m"]["seats_used"]
        for name, source in usage.sources.items()
        if "seats_used" in source["m"]
    }
    newest = max((cast("int", level["p"]) for level in levels.values()), default=0)
    counted = [
        name
        for name, level in levels.items()
        if level["v"] is not None and cast("int", level["p"]) >= newest - LIVE
    ]
    before: dict[str, tuple[int, float]] = {}
    for report in reports:
        seats = report.value("seats_used")
        if seats is not None and end - 2 * MONTH < report.end <= end - MONTH:
            before[report.source] = max(before.get(report.source, (0, 0.0)), (report.end, seats))
    return _whole(_sum([before[name][1] if name in before else None for name in counted]))


def _limits(usage: Usage, end: int) -> Iterator[LimitUse]:
    """Of each limit what its newest report says; those that are used most first."""
    known: dict[str, tuple[int, float | None, float | None]] = {}
    for _, source in sorted(usage.sources.items()):
        level = source["m"].get("limits")
        if level is None or not isinstance(text := level["v"], str):
            continue
        reported = cast("int", level["p"])
        for name, (used, limit) in read_limits(text).items():
            if reported > end - LIVE and (name not in known or known[name][0] < reported):
                known[name] = reported, used, limit
    shares = {name: (used or 0) / limit if limit else 0 for name, (_, used, limit) in known.items()}
    for name in sorted(known, key=lambda name: (-shares[name], name)):
        _, used, limit = known[name]
        if used is not None:
            yield LimitUse(name=name, used=used, limit=limit)


def _weeks(rates: Mapping[str, DailyRates], end: int) -> tuple[WeekOfUse, ...]:
    """Whole weeks up to the last report, of the sources that report now; from the first with a report on."""
    counted = [own for own in rates.values() if own.within(end - MONTH, end)[0] >= DAY]
    starts = [end - number * WEEK for number in range(_WEEKS, 0, -1)]
    weeks = [
        WeekOfUse(
            begins_on=day_of((start + _HALF_A_DAY) // DAY),
            active_users=_sum([own.mean((start, start + WEEK, _MOST_OF_A_WEEK)) for own in counted], 1),
        )
        for start in starts
    ]
    return tuple(dropwhile(lambda week: week.active_users is None, weeks))
