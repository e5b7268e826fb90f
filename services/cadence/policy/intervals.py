"""How often a rhythm is, as a policy writes it: `14d`, `week on wednesday`, `month`, or an RRULE."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NamedTuple, cast

from pydantic import BeforeValidator, Field

from schemas.recurrence_dates import mean_days, read_rule
from schemas.recurrence_rule import WEEKDAYS
from schemas.recurrence_text import MONTH_NAMES, ORDINALS, QUARTER_ENDS, QUARTER_STARTS, WEEKDAY_NAMES
from services.cadence.expressions.checker import did_you_mean
from services.cadence.features.feature import STAGES
from services.cadence.policy.errors import choose, excerpt
from services.cadence.policy.values import line, or_alone, parsed, read_days

EXPECTED: Final = "an interval such as 14d, week on wednesday, month on 15 or quarter"
_FREQUENCIES: Final = {
    "day": "1d", "daily": "1d", "weekly": "week", "biweekly": "2 weeks", "fortnight": "2 weeks",
    "fortnightly": "2 weeks", "monthly": "month", "quarterly": "quarter", "half-yearly": "6 months", "yearly": "year",
    "annually": "year",
}  # fmt: skip
_UNIT: Final = re.compile(r"(?:([0-9]{1,4}) )?(day|week|month|quarter|year)s?(?: on (.+))?")
_LOOSE: Final = re.compile(r"([0-9]{1,4}) ?(d|w|m|q|y)[a-z]*")
_LETTERS: Final = {"d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year"}
_NAMED: Final = dict(zip(map(str.lower, WEEKDAY_NAMES), WEEKDAYS, strict=True))
_COUNTED: Final = {name: number for number, name in ORDINALS.items() if number != -2}
_WEEKDAY: Final = "weekday"
_ON_MONTH: Final = "a day of the month such as 15, `last day`, `first monday` or `last weekday`"


class Interval(NamedTuple):
    """`days`: the mean interval; `rrule`: the pattern in its canonical form, None: every so many days."""

    days: int
    rrule: str | None = None


def read_interval(value: object) -> Interval:
    """An interval as it is written. Raises ValueError with what is wrong and what to write."""
    if isinstance(value, dict):
        return _of_rule(_rule_in(cast("Mapping[str, object]", value)))
    text = line(value).lower()
    if text.startswith(("freq=", "rrule:", "dtstart")):
        return _of_rule(text)
    match = _UNIT.fullmatch(text)
    if match is None or match[2] == "day":
        if re.fullmatch(r"[0-9]{1,6}[hd]", text):
            return Interval(read_days(text))
        raise ValueError(f"{EXPECTED} is expected here, not {excerpt(text)}{_hint(text)}")
    count = int(match[1] or 1)
    if not count:
        raise ValueError(f"an interval is at least 1 {match[2]}")
    days = _on(match[2], count, match[3])
    # Every third month would leave it to the start which month of a quarter it is.
    unit = "month" if match[2] == "quarter" and days else match[2]
    return _of_rule(";".join([*_frequency(unit, count), *days]))


def _rule_in(value: Mapping[str, object]) -> str:
    if list(value) == ["rrule"]:
        return line(value["rrule"])
    raise ValueError('a mapping here has the one key `rrule`, such as {rrule: "FREQ=MONTHLY;BYMONTHDAY=15"}')


def _of_rule(text: str) -> Interval:
    rule = read_rule(text)
    return Interval(mean_days(rule), str(rule))


def _hint(text: str) -> str:
    if text in _FREQUENCIES:
        return f"; did you mean '{_FREQUENCIES[text]}'?"
    loose = _LOOSE.fullmatch(text)
    if loose is None:
        return ""
    unit = _LETTERS[loose[2]]
    meant = f"{loose[1]}d" if unit == "day" else f"{loose[1]} {unit}s"
    return f"; did you mean '{meant}'?"


def _frequency(unit: str, count: int) -> tuple[str, str]:
    name = {"week": "WEEKLY", "year": "YEARLY"}.get(unit, "MONTHLY")
    return f"FREQ={name}", f"INTERVAL={count * 3 if unit == 'quarter' else count}"


def _on(unit: str, count: int, days: str | None) -> Sequence[str]:
    """The parts of a rule for what is written after `on`."""
    if days is None:
        return ()
    names = [name.strip() for name in re.split(r",| and ", days) if name.strip()]
    match unit:
        case "week":
            return (f"BYDAY={','.join(map(_weekday, names))}",)
        case "month":
            return _in_month(names)
        case "quarter":
            return _in_quarter(names, count)
        case _:
            return _in_year(names)


def _weekday(name: str) -> str:
    if name in _NAMED:
        return _NAMED[name]
    near = next((full for full in _NAMED if len(name) >= 2 and full.startswith(name.rstrip("s"))), None)
    hint = f"; did you mean '{near}'?" if near else did_you_mean(name, _NAMED)
    raise ValueError(f"a weekday such as wednesday is expected after `on`, not {excerpt(name)}{hint}")


def _in_month(names: Sequence[str]) -> Sequence[str]:
    numbers = [_day_number(name) for name in names]
    if all(number is not None for number in numbers) and numbers:
        return (f"BYMONTHDAY={','.join(map(str, numbers))}",)
    counted = [_counted(name) for name in names if name]
    if not counted:
        raise ValueError(f"{_ON_MONTH} is expected after `on`")
    if all(day == _WEEKDAY for _, day in counted):
        places = ",".join(str(which) for which, _ in counted)
        return "BYDAY=MO,TU,WE,TH,FR", f"BYSETPOS={places}"
    if any(day == _WEEKDAY for _, day in counted):
        raise ValueError("`weekday` does not go with the name of a weekday; make two rules of them")
    return (f"BYDAY={','.join(f'{which}{day}' for which, day in counted)}",)


def _day_number(name: str) -> int | None:
    """`15`, `15th` or `last day`."""
    match = re.fullmatch(r"([0-9]{1,2})(st|nd|rd|th)?", name)
    return int(match[1]) if match else -1 if name == "last day" else None


def _counted(name: str) -> tuple[int, str]:
    """`first monday` or `last weekday`: which, and the weekday."""
    which, _, day = name.partition(" ")
    if which not in _COUNTED or not day:
        hint = f"; did you mean 'first {name}'?" if name in _NAMED else did_you_mean(which, _COUNTED)
        raise ValueError(f"{_ON_MONTH} is expected after `on`, not {excerpt(name)}{hint}")
    return _COUNTED[which], _WEEKDAY if day == _WEEKDAY else _weekday(day)


def _in_quarter(names: Sequence[str], count: int) -> Sequence[str]:
    """In the first month of a quarter of the calendar; what is `last`, in its last month."""
    if count > 1:
        raise ValueError("with `on`, a quarter is one of the calendar: leave the number out, or use months")
    at_end = {name.startswith("last ") for name in names}
    if len(at_end) != 1:
        raise ValueError("the days of a quarter are all `last` or none of them; make two rules of them")
    months = ",".join(map(str, QUARTER_ENDS if at_end.pop() else QUARTER_STARTS))
    return f"BYMONTH={months}", *_in_month(names)


def _in_year(names: Sequence[str]) -> Sequence[str]:
    months = {name.lower(): number for number, name in enumerate(MONTH_NAMES, 1)}
    match = re.fullmatch(r"([0-9]{1,2})(?:st|nd|rd|th)? (?:of )?([a-z]+)", " and ".join(names))
    if match is None or match[2] not in months:
        raise ValueError(
            f"a day of the year such as `15 march` is expected after `on`, not {excerpt(names[0])}"
        )
    return f"BYMONTH={months[match[2]]}", f"BYMONTHDAY={match[1]}"


_PATTERN: Final = r"^([0-9]{1,6}[hd]|([0-9]{1,4} )?(week|month|quarter|year)s?( on .+)?|FREQ=.+)$"
IntervalText = Annotated[Interval, parsed(
    read_interval,
    {"title": "interval", "anyOf": [
        {"type": "string", "pattern": _PATTERN},
        {"type": "object", "properties": {"rrule": {"type": "string"}}, "required": ["rrule"],
         "additionalProperties": False},
    ]},
)]  # fmt: skip


def _by_stage(value: object) -> object:
    by_stage = isinstance(value, dict) and "rrule" not in value
    return value if by_stage else {"": value}  # pyright: ignore[reportUnknownVariableType]


_Stage = Annotated[str, parsed(lambda value: value and choose(line(value), STAGES), {"enum": list(STAGES)})]
Every = Annotated[
    dict[_Stage, IntervalText],
    Field(min_length=1, title="interval, or interval by stage"),
    BeforeValidator(_by_stage),
    or_alone("additionalProperties"),
]
"""The interval of each stage; of "" where it is the same in all."""
