"""Instants, days, working hours, time zones and countries in messages.

A time without a zone is rejected: a guess of the zone could make touchpoints due too early.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from schemas.base import SchemaModel, Spelling
from schemas.patterns import TRIMMED_LINE
from schemas.problems import excerpt
from schemas.zones import ZONE_NAMES, spell_country, spell_zone

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
WeekdayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[WeekdayName, ...]] = get_args(WeekdayName)
_DAY_NAMES: Final[Mapping[str, WeekdayName]] = {
    **{name: name for name in WEEKDAYS},
    "monday": "mon",
    "tuesday": "tue",
    "wednesday": "wed",
    "thursday": "thu",
    "friday": "fri",
    "saturday": "sat",
    "sunday": "sun",
}
_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_TIME_HINT: Final = "write it like 2026-03-31T09:30:00Z"
_ISO_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SPAN: Final = re.compile(r"(\d{1,6})([dhms])", re.ASCII)
_SPAN_UNITS: Final[Mapping[str, str]] = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_HOUR: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)


@lru_cache(maxsize=16_384)
def parse_instant(text: str) -> datetime:
    """Read RFC 3339 as an aware UTC datetime between 1970 and 9999; fractions beyond microseconds are cut.

    Raises ValueError with a message that says what is wrong and what to write instead.
    """
    if not _RFC_3339.fullmatch(text):
        raise ValueError(f"{excerpt(text)} is not an RFC 3339 time with a zone; {_TIME_HINT}")
    try:
        moment = datetime.fromisoformat(text if text[-1] == "Z" else text.upper())
        if moment.tzinfo is not UTC:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise ValueError(f"{excerpt(text)} is not an existing time ({wrong})") from None
    if moment < EARLIEST:
        raise ValueError(f"{excerpt(text)} is before 1970")
    return moment


def parse_span(text: str) -> timedelta:
    """Read a span of time like 1d, 12h, 30m or 45s. Raises ValueError with a message that says what to write."""
    found = _SPAN.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{excerpt(text)} is not a span of time; write it like 1d, 12h, 30m or 45s")
    return timedelta(**{_SPAN_UNITS[found[2]]: int(found[1])})


@lru_cache(maxsize=16_384)
def format_instant(moment: datetime) -> str:
    """Write an aware datetime as RFC 3339 in UTC with `Z`, with a fraction only when it is not zero.

    Cached: windows open and close at midnight, and one event is behind many parts of a plan.
    """
    return moment.astimezone(UTC).isoformat()[:-6] + "Z"


def _instant(value: object) -> datetime:
    if isinstance(value, str):
        return parse_instant(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    raise ValueError(f"{excerpt(value)} is not an RFC 3339 time with a zone; {_TIME_HINT}")


def _day(value: object) -> date:
    if isinstance(value, str) and _ISO_DAY.fullmatch(value):
        try:
            day = date.fromisoformat(value)
        except ValueError as wrong:
            raise ValueError(f"{excerpt(value)} is not an existing date ({wrong})") from None
    elif isinstance(value, date) and not isinstance(value, datetime):
        day = value
    else:
        raise ValueError(f"{excerpt(value)} is not a date; write it like 2026-03-31")
    if day.year < 1970:
        raise ValueError(f"{excerpt(value)} is before 1970")
    return day


def _zone(name: str) -> str:
    if name not in ZONE_NAMES:
        raise ValueError(f"{excerpt(name)} is not an IANA time zone; write one like Europe/Berlin")
    return name


def _country(text: str) -> str:
    """Refuse another spelling of a country's code, so that it is cleaned; a text that names no country passes."""
    code = spell_country(text)
    if code != text:
        raise ValueError(f"{excerpt(text)} is not an ISO 3166 code; write {code}")
    return text


Instant = Annotated[
    datetime,
    PlainValidator(_instant),
    PlainSerializer(format_instant, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An aware UTC datetime; in JSON RFC 3339 with a zone."""

Day = Annotated[
    date,
    PlainValidator(_day),
    PlainSerializer(date.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date"}),
]
"""A calendar day, YYYY-MM-DD."""

Zone = Annotated[str, Field(max_length=64), AfterValidator(_zone), Spelling(spell_zone)]
"""An IANA time zone name of the release in force."""

Country = Annotated[
    str,
    Field(min_length=2, max_length=64, pattern=TRIMMED_LINE),
    AfterValidator(_country),
    Spelling(spell_country),
]
"""An ISO 3166-1 alpha-2 code; other spellings that name one country are cleaned, other texts are stored as they are."""


class Window(SchemaModel):
    """A period of time, both ends included."""

    from_: Instant = Field(validation_alias="from", serialization_alias="from")
    to: Instant


class Hours(SchemaModel):
    """The working hours of a day in the person's own time zone, `{"from": "09:00", "to": "17:00"}`.

    A shift over midnight ends before it starts, `22:00` to `06:00`: it belongs to the day on which it starts.
    """

    from_: str = Field(
        validation_alias="from", serialization_alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$"
    )
    to: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")


class QuietHours(SchemaModel):
    """Customers get no message between `from` and `to` of the next morning, by the clock where they are.

    A policy that names none has these: 20:00 to 08:00.
    """

    from_: str = Field(
        default="20:00",
        validation_alias="from",
        serialization_alias="from",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
    )
    to: str = Field(default="08:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")


USUAL_QUIET_HOURS: Final = QuietHours()


def _weekday(value: object) -> WeekdayName:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 7:
        return WEEKDAYS[value - 1]
    if isinstance(value, str) and (name := _DAY_NAMES.get(value.lower())):
        return name
    raise ValueError(f"{excerpt(value)} is not a day of the week; write mon to sun, or 1 (Monday) to 7")


Weekday = Annotated[
    WeekdayName,
    PlainValidator(_weekday, json_schema_input_type=WeekdayName | Annotated[int, Field(ge=1, le=7)]),
]
"""`mon` to `sun`; also read from 1 (Monday) to 7."""


class SendWindow(SchemaModel):
    """When customers get messages: on these weekdays from `from` until before `to`, by the clock where they are."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    from_: str = Field(
        validation_alias="from", serialization_alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$"
    )
    to: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")


class TimeOff(SchemaModel):
    """Days off, the first and the last included."""

    from_: Day = Field(validation_alias="from", serialization_alias="from")
    to: Day


def _hours(value: object) -> Hours:
    match value:
        case Hours():
            return _ordered(value)
        case {"from": str(opening), "to": str(closing)} | [str(opening), str(closing)]:
            return _ordered(Hours(from_=_hour(opening), to=_hour(closing)))
        case str() if value.count("-") == 1:
            opening, closing = value.split("-")
            return _ordered(Hours(from_=_hour(opening.strip()), to=_hour(closing.strip())))
        case _:
            raise ValueError(
                f'{excerpt(value)} is not a pair of working hours; write {{"from": "09:00", "to": "17:00"}}'
            )


def _hour(text: str) -> str:
    if not _HOUR.fullmatch(text):
        raise ValueError(f"{excerpt(text)} is not an hour of the day; write it like 09:00")
    return text


def _ordered(hours: Hours) -> Hours:
    if hours.from_ == hours.to:
        raise ValueError(
            f"working hours end when they start ({hours.to}); write 00:00-24:00 for the whole day, or no working days"
        )
    return hours


def _time_off(value: object) -> TimeOff:
    match value:
        case TimeOff():
            away = value
        case {"from": str(first), "to": str(last)}:
            away = TimeOff(from_=_day(first), to=_day(last))
        case str():
            away = TimeOff(from_=_day(value), to=_day(value))
        case _:
            raise ValueError(
                f'{excerpt(value)} is not time off; write {{"from": "2026-08-03", "to": "2026-08-14"}}'
            )
    if away.to < away.from_:
        raise ValueError(f"time off ends ({away.to}) before it starts ({away.from_})")
    return away


WorkingHours = Annotated[
    Hours,
    BeforeValidator(
        _hours, json_schema_input_type=Hours | Annotated[str, Field(pattern=r"^\d\d:\d\d ?- ?\d\d:\d\d$")]
    ),
]
"""Working hours; also read from `"09:00-17:00"`."""
Away = Annotated[TimeOff, BeforeValidator(_time_off, json_schema_input_type=TimeOff | Day)]
"""Days off; a single date is read as one day."""


def clock_time(text: str) -> time:
    """Read `09:30` as a time of day; `24:00` is the last microsecond of the day."""
    return time.max if text == "24:00" else time.fromisoformat(text)
