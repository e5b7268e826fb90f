"""Dates as spreadsheets write them. Whether the day or the month comes first is decided for a column from its values."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final, Literal, NamedTuple, cast

from babel.dates import get_month_names

from schemas.problems import excerpt
from schemas.times import parse_instant

DayOrder = Literal["dmy", "mdy"]
SERIAL_START: Final = date(1899, 12, 30)
"""Day 0 of the serial numbers that Excel shows for a date whose cell has no date format (1900 date system)."""
_SERIALS: Final = range(20_000, 80_000)
"""Serial numbers read as dates: of 1954 to 2119."""
_LANGUAGES: Final = ("en", "de", "pt", "es", "id")
LONGEST: Final = 60
"""Characters of a cell with a date."""
_CENTURY_FROM: Final = 70
_TIME: Final = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?\s*(?P<half>[AaPp][Mm])?)?"
)
_FORMS: Final = tuple(
    re.compile(form + _TIME, re.ASCII)
    for form in (
        r"(?P<y>\d{4})(?P<mark>[-/.])(?P<m>\d{1,2})(?P=mark)(?P<d>\d{1,2})",
        r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)",
        r"(?P<a>\d{1,2})(?P<mark>[-/.])(?P<b>\d{1,2})(?P=mark)(?P<y>\d{4}|\d\d)",
    )
)
_NAMED: Final = (
    re.compile(
        r"(?P<d>\d{1,2})[.\s-]*(?:de\s+)?(?P<name>[^\W\d_]+)\.?[\s-]*(?:de\s+)?(?P<y>\d{4}|\d\d)" + _TIME
    ),
    re.compile(r"(?P<name>[^\W\d_]+)\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})" + _TIME),
)
_ZONED: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s?(?:Z|[+-]\d\d:?\d\d)", re.ASCII
)
_SERIAL: Final = re.compile(r"(\d{5})(?:[.,](\d+))?", re.ASCII)


class Moment(NamedTuple):
    """A date with a time of day, midnight where none was written. `is_utc`: else the zone was not written."""

    value: datetime
    is_utc: bool = False


def order_of(text: str) -> DayOrder | None:
    """The order that only this value shows; None: it can be read in both ways, or needs none."""
    found = _FORMS[2].fullmatch(text)
    if found is None or found["a"] == found["b"]:
        return None
    first, second = int(found["a"]), int(found["b"])
    if first > 12:
        return "dmy"
    if second > 12:
        return "mdy"
    return "dmy" if found["mark"] == "." else None


def read_moment(text: str, order: DayOrder | None) -> Moment:
    """`order`: of the column; None: not known. Raises ValueError."""
    if len(text) > LONGEST:
        raise ValueError(f"{excerpt(text)} is not a date; write it like 2026-03-31")
    if _ZONED.fullmatch(text):
        return Moment(_zoned(text), is_utc=True)
    serial = _SERIAL.fullmatch(text)
    if serial is not None:
        return _read_serial(text, int(serial[1]), float(f"0.{serial[2] or 0}"))
    for form in (*_FORMS, *_NAMED):
        found = form.fullmatch(text)
        if found is not None:
            return _read_parts(text, found.groupdict(), order)
    raise ValueError(f"{excerpt(text)} is not a date; write it like 2026-03-31")


def _read_serial(text: str, number: int, fraction: float) -> Moment:
    if number not in _SERIALS:
        raise ValueError(f"{excerpt(text)} is not a date; write it like 2026-03-31")
    day = datetime.combine(SERIAL_START, time.min) + timedelta(days=number, seconds=round(fraction * 86_400))
    return Moment(day)


def _zoned(text: str) -> datetime:
    day, clock, zone = text[:10], text[11:16], text[16:].strip()
    seconds = ":00"
    if zone.startswith(":"):
        end = next(place for place, sign in enumerate(zone) if sign in "Z+- ")
        seconds, zone = zone[:end], zone[end:].strip()
    if zone != "Z" and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return parse_instant(f"{day}T{clock}{seconds}{zone}").astimezone(UTC).replace(tzinfo=None)


def _read_parts(text: str, parts: Mapping[str, str | None], order: DayOrder | None) -> Moment:
    year, month, day = _day_parts(text, parts, order)
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    half = (parts["half"] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the zone is that of the column
    except ValueError as wrong:
        raise ValueError(f"{excerpt(text)} is not an existing date ({wrong})") from None
    return Moment(moment)


def _day_parts(text: str, parts: Mapping[str, str | None], order: DayOrder | None) -> tuple[int, int, int]:
    year = int(parts["y"] or 0)
    if year < 100:
        year += 2000 if year < _CENTURY_FROM else 1900
    if name := parts.get("name"):
        month = _months().get(name.casefold())
        if month is None:
            raise ValueError(f"{excerpt(text)}: {name!r} is no month; write the date like 2026-03-31")
        return year, month, int(parts["d"] or 0)
    if parts.get("m") is not None:
        return year, int(parts["m"] or 0), int(parts["d"] or 0)
    first, second = int(parts["a"] or 0), int(parts["b"] or 0)
    own = order_of(text)
    if own is None and order is None and first != second:
        raise ValueError(
            f"{excerpt(text)} may be {date(year, second, first)} or {date(year, first, second)}; say `dates`: dmy where"
            " the day comes first, mdy where the month does"
        )
    if own is not None and order is not None and own != order:
        raise ValueError(f"{excerpt(text)} is not written {order}, as this column is read")
    return (year, first, second) if (own or order) == "mdy" else (year, second, first)


@cache
def _months() -> Mapping[str, int]:
    """Names and abbreviations of months in five languages, without those that are two months in two of them."""
    known: dict[str, set[int]] = {}
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            names = cast("Mapping[int, str]", get_month_names(width, locale=language))
            for number, name in names.items():
                known.setdefault(name.rstrip(".").casefold(), set()).add(number)
                known.setdefault(name.rstrip(".").casefold()[:3], set()).add(number)
    return {name: next(iter(numbers)) for name, numbers in known.items() if len(numbers) == 1}
