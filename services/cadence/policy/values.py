"""The types of values in policy files: how each is written, its bounds, and its JSON Schema."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, GetPydanticSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from schemas.times import WEEKDAYS, SendWindow, WeekdayName
from schemas.zones import is_country, spell_country
from services.cadence.features.feature import CHANNELS, OWNERS, SEGMENTS, STAGES
from services.cadence.policy.errors import Fault, choose, excerpt, refuse
from services.cadence.policy.model import Cap

MAX_DAYS = 3_650
MAX_TEXT = 1_000
MAX_LADDER = 12
_DAY = timedelta(days=1)
_UNITS = {"h": timedelta(hours=1), "d": _DAY, "w": 7 * _DAY, "m": 30 * _DAY, "y": 365 * _DAY}
_LOOSE_SPAN = re.compile(r"([0-9]{1,4}) ?(h|d|w|m|y)[a-z]*", re.IGNORECASE)
_FREQUENCIES = {
    "daily": 1, "weekly": 7, "biweekly": 14, "fortnightly": 14, "monthly": 30, "quarterly": 90, "yearly": 365,
}  # fmt: skip


def parsed(read: Callable[[object], object], schema: Mapping[str, object]) -> GetPydanticSchema:
    """Metadata of a type: how it is read from a file, and what JSON Schema says of the text.

    `read` raises ValueError with what is wrong. The reference page calls the type by the title of its schema.
    """
    return GetPydanticSchema(
        lambda _source, _handler: core_schema.no_info_plain_validator_function(read),
        lambda _core, _handler: dict(schema),
    )


def or_alone(member: str) -> GetPydanticSchema:
    """Metadata of a collection that may be written as one of its members. `member`: their key in JSON Schema."""

    def either(core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        collection = handler(core)
        return {"anyOf": [collection[member], collection]}

    return GetPydanticSchema(get_pydantic_json_schema=either)


def line(value: object) -> str:
    """A written scalar as one line of text. Raises ValueError."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not text:
        raise ValueError("a text is expected here")
    if len(text) > MAX_TEXT:
        raise ValueError(f"a text has at most {MAX_TEXT:,} characters, this has {len(text):,}")
    if not text.isprintable() and any(sign < " " or "\x7f" <= sign <= "\x9f" for sign in text):
        raise ValueError("a text has no control characters")
    return text


def one_of(*options: str) -> GetPydanticSchema:
    return parsed(lambda value: choose(line(value), options), {"enum": list(options)})


def number(least: int, most: int, *, whole: bool = True, hint: str = "") -> GetPydanticSchema:
    """Of numbers between bounds. `hint`: the end of the message about others."""
    kind = f"{'a whole' if whole else 'a'} number from {least} to {most}" if least < most else f"{least}"

    def read(value: object) -> float:
        text = line(value)
        amount = float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) else -1.0
        if least <= amount <= most and (not whole or amount.is_integer()):
            return int(amount) if whole else amount
        raise ValueError(f"{kind} is expected here, not {excerpt(text)}{hint}")

    return parsed(read, {"type": "integer" if whole else "number", "minimum": least, "maximum": most})


def text(title: str, pattern: str, expected: str, read: Callable[[str], object] = str) -> GetPydanticSchema:
    """Of texts that match a pattern. `expected`: what the message about others asks for."""

    def matched(value: object) -> object:
        text = line(value)
        if re.fullmatch(pattern, text):
            return read(text)
        raise ValueError(f"{expected} is expected here, not {excerpt(text)}{_hint(text)}")

    return parsed(matched, {"title": title, "type": "string", "pattern": f"^{pattern}$"})


def _hint(text: str) -> str:
    """The span that a text such as `2 weeks` means."""
    loose = _LOOSE_SPAN.fullmatch(text)
    if text.lower() in _FREQUENCIES:
        return f"; did you mean '{_FREQUENCIES[text.lower()]}d'?"
    if loose is None:
        return ""
    count, unit = loose[1], loose[2].lower()
    meant = f"{count}h" if unit == "h" else f"{(int(count) * _UNITS[unit]).days}d"
    return f"; did you mean '{meant}'?"


def _span(text: str) -> timedelta:
    span = int(text[:-1]) * _UNITS[text[-1]]
    if abs(span) <= MAX_DAYS * _DAY:
        return span
    raise ValueError(f"a span of time has at most {MAX_DAYS} days here")


def _window(text: str) -> timedelta:
    if span := _span(text):
        return span
    raise ValueError("a window is longer than 0h; give the time in which the touchpoint is useful")


def read_days(text: str, least: int = 1, example: str = "1d or 14d") -> int:
    span = _span(text)
    if not span % _DAY and span.days >= least:
        return span.days
    raise ValueError(f"whole days are expected here, such as {example}, not {excerpt(text)}")


def _range(text: str) -> tuple[int, int]:
    low, high = (int(bound[:-1]) for bound in text.split(".."))
    if 1 <= low <= high <= MAX_DAYS:
        return low, high
    hint = f"; did you mean '{high}d..{low}d'?" if 1 <= high < low <= MAX_DAYS else ""
    raise ValueError(f"a range goes from the shorter interval to the longer, within 1d..{MAX_DAYS}d{hint}")


def _cap(text: str) -> Cap:
    count, per = text.split(" per ")
    if int(count) and (span := _span(per)):
        return Cap(int(count), span)
    raise ValueError(f"a cap has at least one touchpoint and more than 0h, not {excerpt(text)}")


def _send_window(text: str) -> SendWindow:
    """`mon-fri 08:00-18:00`; several days or ranges of days with commas."""
    named, hours = text.split(" ")
    opens, closes = hours.split("-")
    if opens >= closes:
        raise ValueError(f"a send window closes later on the day on which it opens, not {excerpt(hours)}")
    days = set[WeekdayName]()
    for part in named.split(","):
        first, _, last = part.partition("-")
        low, high = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        days.update(WEEKDAYS[low : high + 1] if low <= high else WEEKDAYS[low:] + WEEKDAYS[: high + 1])
    in_order: tuple[WeekdayName, ...] = tuple(day for day in WEEKDAYS if day in days)
    return SendWindow(days=in_order, from_=opens, to=closes)


def _month_day(text: str) -> tuple[int, int]:
    month, day = (int(part) for part in text.split("-"))
    if (month, day) == (2, 29):
        raise ValueError("02-29 is not in every year; write 02-28 or 03-01")
    try:
        date(2026, month, day)
    except ValueError:
        hint = f"; month comes first: did you mean '{day:02}-{month:02}'?" if 1 <= day <= 12 < month else ""
        raise ValueError(f"there is no {text} in the year{hint}") from None
    return month, day


def _season_day(text: str) -> tuple[int, int] | date:
    """A day of every year as (month, day), or with a year that day alone."""
    if text.count("-") == 1:
        return _month_day(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text}; write year-month-day, such as 2026-11-20") from None


def _holiday(text: str) -> str:
    if text.count("-") == 1:
        _month_day(text)
        return text
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no {text}; write a date such as 2026-12-24") from None
    return text


def _country(text: str) -> str:
    code = spell_country(text)
    if is_country(code):
        return code
    raise ValueError(f"an ISO 3166-1 country code such as DE is expected here, not {excerpt(text)}")


def _ladder(steps: tuple[int, ...]) -> tuple[int, ...]:
    if not 2 <= len(steps) <= MAX_LADDER:
        raise ValueError(f"a ladder has 2 to {MAX_LADDER} intervals, this has {len(steps)}")
    if sorted(set(steps)) != list(steps):
        ascending = ", ".join(f"{days}d" for days in sorted(set(steps)))
        raise ValueError(
            f"a ladder goes from the shortest interval to the longest; did you mean [{ascending}]?"
        )
    return steps


def _distinct(values: tuple[object, ...]) -> tuple[object, ...]:
    repeated = [index for index, value in enumerate(values) if value in values[:index]]
    if repeated:
        raise refuse(*(Fault(f"{values[index]!r} is listed twice", to=(index,)) for index in repeated))
    return values


def _truth(value: object) -> bool:
    return value if isinstance(value, bool) else choose(line(value), ("true", "false")) == "true"


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]


T = TypeVar("T")
Items = Annotated[list[T], Field(min_length=1)]
Several = Annotated[tuple[T, ...], Field(min_length=1), BeforeValidator(_listed), or_alone("items")]
"""One value, or a list of them."""
Distinct = Annotated[Several[T], AfterValidator(_distinct), Field(json_schema_extra={"uniqueItems": True})]
Text = Annotated[
    str, parsed(line, {"title": "text", "type": "string", "minLength": 1, "maxLength": MAX_TEXT})
]
Truth = Annotated[bool, parsed(_truth, {"type": "boolean"})]
Segment = Annotated[str, one_of(*SEGMENTS)]
Stage = Annotated[str, one_of(*STAGES)]
Owner = Annotated[str, one_of(*OWNERS)]
Channel = Annotated[str, one_of(*CHANNELS)]
_NAME = "a name that begins with a letter and has lower case letters, digits and"
RuleName = Annotated[str, text("name", "[a-z][a-z0-9-]{0,63}", f"{_NAME} dashes")]
TypeName = Annotated[str, text("name", "[a-z][a-z0-9_]{0,63}", f"{_NAME} underscores")]
_SPAN, _TIME = "[0-9]{1,6}[hd]", "a span of time, such as 48h or 7d,"
Span = Annotated[timedelta, text("span", _SPAN, _TIME, _span)]
Window = Annotated[timedelta, text("span", _SPAN, _TIME, _window)]
Days = Annotated[int, text("days", _SPAN, _TIME, read_days)]
Offset = Annotated[
    int,
    text(
        "days from the anchor",
        f"-?{_SPAN}",
        "a number of days such as -90d or 30d",
        partial(read_days, least=-MAX_DAYS, example="-90d or 30d"),
    ),
]
Day = Annotated[int, number(1, MAX_DAYS, hint="; day 1 is the anchor's own day")]
Range = Annotated[
    tuple[int, int], text("range", r"[0-9]{1,6}d\.\.[0-9]{1,6}d", "a range such as 7d..90d", _range)
]
Currency = Annotated[str, text("currency", "[A-Z]{3}", "a currency code such as USD")]
_HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]"
Clock = Annotated[str, text("time of day", _HOUR, "a time of day such as 20:00")]
CapText = Annotated[Cap, text("cap", f"[0-9]{{1,4}} per {_SPAN}", "a cap such as 2 per 90d", _cap)]
_WEEKDAY = f"({'|'.join(WEEKDAYS)})"
_DAYS = f"{_WEEKDAY}(-{_WEEKDAY})?"
SendHours = Annotated[
    SendWindow,
    text(
        "days and hours",
        f"{_DAYS}(,{_DAYS})* {_HOUR}-({_HOUR}|24:00)",
        "weekdays and hours such as mon-fri 08:00-18:00",
        _send_window,
    ),
]
SeasonDay = Annotated[
    tuple[int, int] | date,
    text(
        "month-day or date",
        "([0-9]{4}-)?[0-9]{2}-[0-9]{2}",
        "a day of every year such as 11-01 (month-day), or of one year such as 2026-11-20,",
        _season_day,
    ),
]
HolidayDate = Annotated[
    str,
    text(
        "date or month-day",
        "([0-9]{4}-)?[0-9]{2}-[0-9]{2}",
        "a date such as 2026-12-24, or a day of every year such as 12-24 (month-day)",
        _holiday,
    ),
]
Country = Annotated[str, text("country", ".{2,64}", "an ISO 3166-1 country code such as DE", _country)]
Ladder = Annotated[
    tuple[Days, ...],
    AfterValidator(_ladder),
    Field(json_schema_extra={"minItems": 2, "maxItems": MAX_LADDER, "uniqueItems": True}),
]
