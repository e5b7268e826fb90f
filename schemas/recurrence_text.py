"""How often, in English: `every 14 days`, `every Wednesday`, `on the 15th of each month`."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from schemas.recurrence_rule import InvalidRule, RecurrenceRule, parse_rule

WEEKDAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
ORDINALS: Final = {
    1: "first",
    2: "second",
    3: "third",
    4: "fourth",
    5: "fifth",
    -1: "last",
    -2: "second last",
}
QUARTER_STARTS: Final = (1, 4, 7, 10)
QUARTER_ENDS: Final = (3, 6, 9, 12)
WORKDAYS: Final = tuple((0, day) for day in range(5))


@lru_cache(maxsize=4096)
def interval_text(every_days: int, rule: str | None = None) -> str:
    """Of a rhythm; `rule`: its recurrence rule. One that this version cannot read is named as it is."""
    if rule is None:
        return "every day" if every_days == 1 else f"every {every_days} days"
    try:
        return rule_text(parse_rule(rule))
    except InvalidRule:
        return f"every {every_days} days ({rule})"


def rule_text(rule: RecurrenceRule) -> str:
    """What the rule means; a rare one is named as it is written."""
    match rule.frequency:
        case "DAILY" if not (rule.weekdays or rule.month_days or rule.months):
            return _every(rule.interval, "day")
        case "WEEKLY" if not rule.positions and not rule.months:
            return _weekly(rule)
        case "MONTHLY" if (days := _days(rule)) is not None and rule.interval == 1:
            return f"on {days} of {_month(rule.months)}" if days else f"every month{_in(rule.months)}"
        case "MONTHLY" if (days := _days(rule)) is not None:
            return f"{_every_months(rule.interval)}{f' on {days}' if days else ''}"
        case "YEARLY" if not (rule.weekdays or rule.positions) and len(rule.months) == 1 == len(
            rule.month_days
        ):
            years = "each year" if rule.interval == 1 else f"every {rule.interval} years"
            return f"on the {_nth(rule.month_days[0])} of {MONTH_NAMES[rule.months[0] - 1]} {years}"
        case "YEARLY" if str(rule).count(";") == (rule.interval > 1):
            return _every(rule.interval, "year")
        case _:
            return f"by the rule {rule}"


def _every(interval: int, unit: str) -> str:
    return f"every {unit}" if interval == 1 else f"every {interval} {unit}s"


def _every_months(interval: int) -> str:
    return "every quarter" if interval == 3 else _every(interval, "month")


def _weekly(rule: RecurrenceRule) -> str:
    if not rule.weekdays:
        return _every(rule.interval, "week")
    if rule.weekdays == WORKDAYS and rule.interval == 1:
        return "every day from Monday to Friday"
    days = _listed(WEEKDAY_NAMES[day] for _, day in rule.weekdays)
    return f"every {days}" if rule.interval == 1 else f"every {rule.interval} weeks on {days}"


def _days(rule: RecurrenceRule) -> str | None:
    """The days of a month: `the 15th`, `the last Friday`; empty without any, None where words are too many."""
    if rule.weekdays and rule.month_days:
        return None
    if rule.weekdays == WORKDAYS and len(rule.positions) == 1 and rule.positions[0] in ORDINALS:
        return f"the {ORDINALS[rule.positions[0]]} weekday"
    if rule.positions or any(which not in ORDINALS for which, _ in rule.weekdays):
        return None
    if rule.weekdays:
        return _listed(f"the {ORDINALS[which]} {WEEKDAY_NAMES[day]}" for which, day in rule.weekdays)
    return _listed(f"the {_nth(day)}" for day in rule.month_days)


def _nth(day: int) -> str:
    if day < 0:
        return "last day" if day == -1 else f"{_nth(-day)} last day"
    ending = {1: "st", 2: "nd", 3: "rd"}.get(0 if day in (11, 12, 13) else day % 10, "th")
    return f"{day}{ending}"


def _month(months: tuple[int, ...]) -> str:
    match months:
        case ():
            return "each month"
        case (1, 4, 7, 10):
            return "each quarter"
        case (3, 6, 9, 12):
            return "the last month of each quarter"
        case _:
            return _listed(MONTH_NAMES[month - 1] for month in months)


def _in(months: tuple[int, ...]) -> str:
    return f" of {_listed(MONTH_NAMES[month - 1] for month in months)}" if months else ""


def _listed(names: Iterable[str]) -> str:
    *first, last = [*names] or [""]
    return f"{', '.join(first)} and {last}" if first else last
