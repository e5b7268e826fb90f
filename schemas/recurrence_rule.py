"""Recurrence rules of rhythms: a part of RFC 5545 section 3.3.10, without start, end and time of day.

The parts are FREQ (DAILY, WEEKLY, MONTHLY, YEARLY), INTERVAL, BYDAY, BYMONTHDAY, BYSETPOS and BYMONTH. The calendar
chooses the start and the time of day; the policy decides until when a rhythm lasts. Weeks begin on Monday.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeVar, cast, get_args

Frequency = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LONGEST_DAYS: Final = 3650
"""The longest mean interval of a rule."""
MOST_LENGTH: Final = 200
_FREQUENCIES: Final = get_args(Frequency)
_PARTS: Final = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYSETPOS", "BYMONTH")
_MONTH_LENGTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_END: Final = "a rhythm has no end of its own, the conditions of its rule end it; remove it"
_CLOCK: Final = "the calendar chooses the time of day; remove it"
_START: Final = "the calendar chooses the start; write the rule alone, from FREQ= on"
_NOT_SUPPORTED: Final = {
    "COUNT": _END, "UNTIL": _END, "BYHOUR": _CLOCK, "BYMINUTE": _CLOCK, "BYSECOND": _CLOCK, "DTSTART": _START,
    "EXDATE": "times without touchpoints are `blackouts`; remove it",
    "RDATE": "single dates are steps of a timeline; remove it",
    "WKST": "weeks begin on Monday; remove it",
    "BYWEEKNO": "use BYMONTH with BYDAY", "BYYEARDAY": "use BYMONTH with BYMONTHDAY",
}  # fmt: skip
Value = TypeVar("Value")


class InvalidRule(ValueError):
    """A text is no recurrence rule of a rhythm: what is wrong with it, and what to do."""


@dataclass(frozen=True, slots=True)
class RecurrenceRule:
    """`weekdays`: (which of the period, 0: each; 0 is Monday). `month_days`: negative ones count from the end."""

    frequency: Frequency
    interval: int = 1
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    months: tuple[int, ...] = ()

    def __str__(self) -> str:
        """The value of an RRULE property, in one canonical form."""
        days = [f"{which or ''}{WEEKDAYS[day]}" for which, day in self.weekdays]
        parts = (
            ("FREQ", self.frequency),
            ("INTERVAL", "" if self.interval == 1 else str(self.interval)),
            ("BYMONTH", _joined(self.months)),
            ("BYMONTHDAY", _joined(self.month_days)),
            ("BYDAY", ",".join(days)),
            ("BYSETPOS", _joined(self.positions)),
        )
        return ";".join(f"{name}={text}" for name, text in parts if text)

    @property
    def has_day(self) -> bool:
        """Whether it names its days; without any it takes the day of its anchor."""
        return self.frequency == "DAILY" or bool(self.weekdays or self.month_days)

    @property
    def weekday(self) -> int | None:
        """The one weekday it falls on, if there is only one."""
        days = {day for _, day in self.weekdays}
        return days.pop() if len(days) == 1 else None


def _joined(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


@lru_cache(maxsize=4096)
def parse_rule(text: str) -> RecurrenceRule:
    """Read the value of an RRULE, which may fall on no day: see `recurrence_dates.read_rule`. Raises InvalidRule."""
    parts = _split(text)
    frequency = parts.get("FREQ")
    if frequency is None:
        raise InvalidRule(f"FREQ is missing; begin with one of FREQ={', FREQ='.join(_FREQUENCIES)}")
    if frequency not in _FREQUENCIES:
        what = f"FREQ={frequency} is not supported: a rhythm has at most one touchpoint a day"
        raise InvalidRule(f"{what}; use {', '.join(_FREQUENCIES[:-1])} or {_FREQUENCIES[-1]}")
    rule = RecurrenceRule(
        cast("Frequency", frequency),
        _numbers(parts, "INTERVAL", range(1, LONGEST_DAYS + 1), single=True)[0] if "INTERVAL" in parts else 1,
        tuple(sorted(set(_list(parts, "BYDAY", _weekday)), key=lambda day: (day[1], day[0]))),
        _numbers(parts, "BYMONTHDAY", range(-28, 32)),
        _numbers(parts, "BYSETPOS", range(-366, 367)),
        _numbers(parts, "BYMONTH", range(1, 13)),
    )
    for problem in _problems(rule):
        raise InvalidRule(problem)
    return rule


def _split(text: str) -> dict[str, str]:
    """The parts by name. Raises InvalidRule."""
    if len(text) > MOST_LENGTH:
        raise InvalidRule(f"a rule has at most {MOST_LENGTH} characters, this has {len(text)}")
    parts: dict[str, str] = {}
    for part in text.strip().upper().split(";"):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if ":" in name or name.startswith(("DTSTART", "RRULE")) or re.search(r"\s", part.strip()):
            raise InvalidRule(f"{part.strip()!r}: {_START}")
        if not equals or not value:
            raise InvalidRule(f"{part!r} is not NAME=VALUE; write parts such as FREQ=MONTHLY;BYMONTHDAY=15")
        if name in _NOT_SUPPORTED:
            raise InvalidRule(f"{name} is not supported: {_NOT_SUPPORTED[name]}")
        if name not in _PARTS:
            raise InvalidRule(f"{name} is not one of these: {', '.join(_PARTS)}")
        if name in parts:
            raise InvalidRule(f"{name} is there twice; write it once, its values with commas")
        parts[name] = value
    return parts


def _list(parts: dict[str, str], name: str, read: Callable[[str], Value]) -> list[Value]:
    return [read(item.strip()) for item in parts[name].split(",")] if name in parts else []


def _numbers(parts: dict[str, str], name: str, allowed: range, *, single: bool = False) -> tuple[int, ...]:
    """Sorted, each once, those from the end last. Raises InvalidRule."""

    def read(item: str) -> int:
        number = int(item) if re.fullmatch(r"[+-]?[0-9]{1,4}", item) else 0
        if number == 0 or number not in allowed:
            least = "" if allowed[0] < 0 else f"from {allowed[0]} "
            from_end = f", or from {allowed[0]} to -1 to count from the end" if allowed[0] < 0 else ""
            text = f"a number {least or 'from 1 '}to {allowed[-1]}{from_end}"
            raise InvalidRule(f"{name}={item}: {text} is expected here")
        return number

    numbers = _list(parts, name, read)
    if single and len(numbers) > 1:
        raise InvalidRule(f"{name} is one number")
    return tuple(sorted(set(numbers), key=lambda number: (number < 0, number)))


def _weekday(item: str) -> tuple[int, int]:
    match = re.fullmatch(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)", item)
    if match is None or (match[1] is not None and not 1 <= abs(int(match[1])) <= 53):
        raise InvalidRule(
            f"BYDAY={item}: a weekday such as WE, 1MO (the first) or -1FR (the last) is expected here"
        )
    return int(match[1] or 0), WEEKDAYS.index(match[2])


def _problems(rule: RecurrenceRule) -> list[str]:
    """What does not fit together, and what never is."""
    return [text for text in (_counted_weekdays(rule), _counted_days(rule), _spaced(rule)) if text]


def _counted_weekdays(rule: RecurrenceRule) -> str:
    which = max((abs(number) for number, _ in rule.weekdays), default=0)
    if which and not all(number for number, _ in rule.weekdays):
        # python-dateutil 2.9.0 takes only days that are both.
        return "numbered and plain weekdays are not supported together; number all of BYDAY or none"
    if which and rule.frequency in ("DAILY", "WEEKLY"):
        return f"a numbered weekday belongs to a month or a year, not to FREQ={rule.frequency}; write it without number"
    if which > 5 and (rule.frequency == "MONTHLY" or rule.months):
        return f"no month has {which} of one weekday; use 1 to 5, or -1 for the last"
    return ""


def _counted_days(rule: RecurrenceRule) -> str:
    if rule.month_days and rule.frequency == "WEEKLY":
        return "BYMONTHDAY does not go with FREQ=WEEKLY; use FREQ=MONTHLY"
    for day in rule.month_days:
        if rule.months and all(_MONTH_LENGTHS[month - 1] < day for month in rule.months):
            months = " and ".join(map(str, rule.months))
            return f"there is no day {day} in month {months}; write BYMONTHDAY=-1 for the last day"
    if rule.positions and rule.frequency == "DAILY":
        return "BYSETPOS picks days of a week, a month or a year, not of FREQ=DAILY; remove it"
    if rule.positions and not (rule.weekdays or rule.month_days):
        return "BYSETPOS picks from the days of BYDAY or BYMONTHDAY; add one of them"
    return ""


def _spaced(rule: RecurrenceRule) -> str:
    """Parts that together would depend on the start: every other month of which only February counts."""
    if rule.interval == 1 or rule.frequency == "YEARLY":
        return ""
    if rule.months:
        return f"INTERVAL={rule.interval} and BYMONTH leave it to the start whether they ever meet; leave out one"
    if rule.frequency == "DAILY" and (rule.weekdays or rule.month_days):
        return f"INTERVAL={rule.interval} of days leaves it to the start which days they meet; leave out one"
    return ""
