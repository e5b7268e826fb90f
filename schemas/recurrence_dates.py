"""The dates of recurrence rules.

python-dateutil finds the dates, one calendar year at a time and without clock times, because it knows no time zones
that are right over a change of clocks. A year is found once for all rhythms with one rule.
"""

from calendar import isleap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import MAXYEAR, date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal

from dateutil.rrule import DAILY, MO, MONTHLY, WEEKLY, YEARLY, rrule, rruleset, weekday

from schemas.recurrence_rule import LONGEST_DAYS, Frequency, InvalidRule, RecurrenceRule, parse_rule

_FREQUENCIES: Final[Mapping[Frequency, Literal[0, 1, 2, 3]]] = {
    "DAILY": DAILY,
    "WEEKLY": WEEKLY,
    "MONTHLY": MONTHLY,
    "YEARLY": YEARLY,
}
_CYCLE: Final = range(2001, 2029)
"""Dates and weekdays repeat after 28 years."""
_CYCLE_DAYS: Final = 10_227
_IN_EVERY_MONTH: Final = 28
_LIKE: Final = {(isleap(year), date(year, 1, 1).weekday()): year for year in range(MAXYEAR - 28, MAXYEAR)}
"""The last year of the calendar that is like another one: by leap day and weekdays.

The library sees that it is past the end only when it finds a day, so for a year without one it would search up to the
end of the calendar; it searches there.
"""
_LAST_YEAR: Final = MAXYEAR - 1


@lru_cache(maxsize=4096)
def read_rule(text: str) -> RecurrenceRule:
    """Read a rule that falls on days, at most `LONGEST_DAYS` apart on average. Raises InvalidRule."""
    rule = parse_rule(text)
    if not _count(rule):
        raise InvalidRule(f"{rule} falls on no day; change BYDAY, BYMONTHDAY, BYSETPOS or BYMONTH")
    if rule.interval > 1 and rule.frequency in ("MONTHLY", "YEARLY") and not _is_in_every_period(rule):
        what = f"not every {'month' if rule.frequency == 'MONTHLY' else 'year'} has such a day"
        raise InvalidRule(
            f"{rule}: {what}, so INTERVAL leaves it to the start whether it ever comes; leave it out"
        )
    if mean_days(rule) > LONGEST_DAYS:
        raise InvalidRule(f"{rule} is more than {LONGEST_DAYS} days apart; use a smaller INTERVAL")
    return rule


@lru_cache(maxsize=4096)
def mean_days(rule: RecurrenceRule) -> int:
    """The mean interval in whole days: 7 a week, 30 a month, 90 a quarter, 365 a year; at least 1."""
    if rule.frequency in ("DAILY", "WEEKLY") and not rule.months and not rule.month_days:
        period = 1 if rule.frequency == "DAILY" and not rule.weekdays else 7
        days = 1 if rule.positions else len(rule.weekdays) or 1
        return max(round(period * rule.interval / days), 1)
    count = _count(rule)
    months = Fraction(12 * len(_CYCLE) * rule.interval, count)
    if count % len(_CYCLE):
        return max(round(Fraction(_CYCLE_DAYS * rule.interval, count)), 1)
    if months.denominator == 1 and months % 12 == 0:
        return 365 * months.numerator // 12
    return max(round(months * 30), 1)


def _is_in_every_period(rule: RecurrenceRule) -> bool:
    months = {(day.year, day.month if rule.frequency == "MONTHLY" else 0) for day in _cycle(rule)}
    return len(months) == len(_CYCLE) * (12 if rule.frequency == "MONTHLY" else 1)


def _count(rule: RecurrenceRule) -> int:
    """How many days a cycle of 28 years has, without regard to the interval."""
    return sum(1 for _ in _cycle(rule))


def _cycle(rule: RecurrenceRule) -> Iterator[date]:
    each = _with_day(replace(rule, interval=1), date(_CYCLE[0], 1, 1))
    for year in _CYCLE:
        yield from _dates_in_year(each, 0, year)


def iterate_dates(rule: RecurrenceRule, anchor: date, first: date) -> Iterator[date]:
    """The days of the rule not before `first`, in order, up to the end of the calendar.

    The anchor sets what the rule leaves open: the day, and from which period an interval counts. A day from 29 to 31
    is the last one of a shorter month, unless BYDAY or BYSETPOS picks among days.
    """
    whole, phase = _with_day(rule, anchor), _period_number(rule, anchor) % rule.interval
    for year in range(first.year, _LAST_YEAR + 1):
        dates = _dates_in_year(whole, phase, year)
        yield from dates if year > first.year else (day for day in dates if day >= first)


def _with_day(rule: RecurrenceRule, anchor: date) -> RecurrenceRule:
    """The rule with the day of its anchor, where it has none."""
    if rule.has_day:
        return rule
    if rule.frequency == "WEEKLY":
        return replace(rule, weekdays=((0, anchor.weekday()),))
    months = rule.months or ((anchor.month,) if rule.frequency == "YEARLY" else ())
    return replace(rule, month_days=(anchor.day,), months=months)


def _period_number(rule: RecurrenceRule, day: date) -> int:
    """Of the day, the week, the month or the year, counted from the first of all."""
    match rule.frequency:
        case "DAILY":
            return day.toordinal()
        case "WEEKLY":
            return (day.toordinal() - 1) // 7
        case "MONTHLY":
            return day.year * 12 + day.month - 1
        case "YEARLY":
            return day.year


@lru_cache(maxsize=16_384)
def _dates_in_year(rule: RecurrenceRule, phase: int, year: int) -> tuple[date, ...]:
    """The days in one year of a rule that names its days; `phase`: the number of its periods, modulo the interval."""
    january = date(year, 1, 1)
    start = january - timedelta(days=january.weekday()) if rule.frequency == "WEEKLY" else january
    ahead = (phase - _period_number(rule, start)) % rule.interval
    match rule.frequency:
        case "DAILY":
            start += timedelta(days=ahead)
        case "WEEKLY":
            start += timedelta(weeks=ahead)
        case "MONTHLY":
            start = date(year + ahead // 12, ahead % 12 + 1, 1)
        case "YEARLY":
            start = date(year + ahead, 1, 1)
    if start.year > year:
        return ()
    alike = _LIKE[isleap(year), january.weekday()]
    found = rruleset()
    for part in _parts(rule, date(alike, 1, 1) + (start - january), date(alike, 12, 31)):
        found.rrule(part)
    return tuple(at.date().replace(year=year) for at in found if at.year == alike)


def _parts(rule: RecurrenceRule, start: date, last: date) -> Iterator[rrule]:
    """Rules of the library whose days together are those of the rule."""
    picks = bool(rule.weekdays or rule.positions)
    late = () if picks else tuple(day for day in rule.month_days if day > _IN_EVERY_MONTH)
    days = tuple(day for day in rule.month_days if day not in late)
    months = rule.months or None
    begin, end = datetime.combine(start, time()), datetime.combine(last, time())
    if days or not late:
        yield rrule(
            _FREQUENCIES[rule.frequency], dtstart=begin, until=end, interval=rule.interval, wkst=MO,
            bymonth=months, bymonthday=days or None, bysetpos=rule.positions or None,
            byweekday=[weekday(day, which or None) for which, day in rule.weekdays] or None,
        )  # fmt: skip
    for day in late:
        interval = rule.interval if rule.frequency == "MONTHLY" else 1
        yield rrule(
            MONTHLY, dtstart=begin, until=end, interval=interval, bymonth=months, bysetpos=-1,
            bymonthday=range(_IN_EVERY_MONTH, day + 1),
        )  # fmt: skip
