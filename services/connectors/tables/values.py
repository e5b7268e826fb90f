"""The cells of a column as values of a field."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from math import isfinite
from typing import Final, NamedTuple, cast

from schemas.base import dump_json, parse_json
from schemas.problems import Malformed, excerpt
from schemas.times import format_instant
from schemas.zones import find_zone
from services.connectors.mapping.values import Kind
from services.connectors.tables.dates import DayOrder, read_moment
from services.connectors.tables.numbers import DecimalMark, read_number, strip_amount, write_number

MARKS: Final = re.compile(r"'*(?:[=+\-@\t\r]|\d[.,]\d+E\+?\d+$)")
"""Cells that a spreadsheet would take for a formula or a rounded number; an export puts an apostrophe before them."""
_GUARDED: Final = re.compile(r"'(?='*(?:[=+\-@\t\r]|\d[.,]\d+E\+?\d+$))")
_AS_TEXT: Final = re.compile(r'="([^"]*)"')
_SHORT_HOUR: Final = re.compile(r"\b(\d):")
_OUTER: Final = " \u00a0\u200b\ufeff\n\r\t"
_LINE_ENDS: Final = re.compile(r"\s*[\r\n]+\s*")
_ROUNDED: Final = re.compile(r"\d[.,]\d+E\+\d+", re.ASCII)
_NONE: Final = frozenset({"-", "\u2013", "\u2014", "n/a", "#n/a", "k.a.", "null"})
"""Cells of numbers, dates and yes or no that mean that there is no value."""
_TRUTHS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "yes", "y", "1", "x", "ja", "wahr", "sí", "si", "s", "verdadero"), True),
    **dict.fromkeys(("sim", "verdadeiro", "ya", "benar"), True),
    **dict.fromkeys(("false", "no", "n", "0", "nein", "falsch", "falso", "não", "nao", "tidak", "salah"), False),
}  # fmt: skip
_SPAN: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:\s*(?:/|\.\.|\u2013|to)\s*(\d{4}-\d\d-\d\d))?")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_RANGE: Final = re.compile(r"([a-z]{3})[a-z]*\s*[-\u2013]\s*([a-z]{3})[a-z]*", re.IGNORECASE)


class CellForm(NamedTuple):
    """How the cells of a column are written. `zone`: of times without one."""

    dates: DayOrder | None = None
    numbers: DecimalMark | None = None
    zone: str = "UTC"


class CellValue(NamedTuple):
    """A value in JSON, and the currency beside it (ISO 4217)."""

    value: object
    currency: str | None = None


def plain_cell(cell: str, kind: Kind) -> str | None:
    """The text of a cell without what a spreadsheet puts around it; None: it is empty. Raises ValueError."""
    text = _LINE_ENDS.sub(" ", cell.strip(_OUTER)) if kind is Kind.TEXT else cell.strip(_OUTER)
    if _GUARDED.match(text):
        return text[1:]
    as_text = _AS_TEXT.fullmatch(text)
    if as_text is not None:
        text = as_text[1].strip()
    elif kind is Kind.TEXT and _ROUNDED.fullmatch(text):
        raise ValueError(
            f"{excerpt(text)} is a number that the spreadsheet has shortened; format the column as text, and export it"
            " again"
        )
    if not text or (kind not in {Kind.TEXT, Kind.OTHER} and text.casefold() in _NONE):
        return None
    return text


def read_cell(text: str, field: str, kind: Kind, form: CellForm) -> CellValue:
    """`text`: of `plain_cell`. Raises ValueError with what is wrong."""
    if field in _LISTS:
        return CellValue(_LISTS[field](text))
    return _READERS[kind](text, field, form)


def write_cell(value: object, field: str, kind: Kind) -> str:
    """The cell that `read_cell` reads as this value; null is empty. `value`: as in JSON."""
    if value is None:
        return ""
    if kind is Kind.TRUTH:
        return "true" if value else "false"
    if kind in {Kind.NUMBER, Kind.WHOLE}:
        return write_number(cast("float", value))
    text = _WRITERS[field](value) if field in _WRITERS else str(value)
    return f"'{text}" if MARKS.match(text) else text


def _text(text: str, field: str, form: CellForm) -> CellValue:  # noqa: ARG001 - one of the readers
    return CellValue(text)


def _number(text: str, field: str, form: CellForm) -> CellValue:  # noqa: ARG001 - one of the readers
    amount = strip_amount(text)
    number = float(read_number(amount.digits, form.numbers))
    if not isfinite(number):
        raise ValueError(f"{excerpt(text)} is too large; give a finite number")
    return CellValue(number, amount.currency)


def _whole(text: str, field: str, form: CellForm) -> CellValue:  # noqa: ARG001 - one of the readers
    number: Decimal = read_number(strip_amount(text).digits, form.numbers)
    if number != number.to_integral_value() or abs(number) > 2**53:
        raise ValueError(f"{excerpt(text)} is not a whole number")
    return CellValue(int(number))


def _truth(text: str, field: str, form: CellForm) -> CellValue:  # noqa: ARG001 - one of the readers
    truth = _TRUTHS.get(text.casefold())
    if truth is None:
        raise ValueError(f"{excerpt(text)} is neither yes nor no; write true or false")
    return CellValue(truth)


def _day(text: str, field: str, form: CellForm) -> CellValue:  # noqa: ARG001 - one of the readers
    return CellValue(read_moment(text, form.dates).value.date().isoformat())


def _instant(text: str, field: str, form: CellForm) -> CellValue:  # noqa: ARG001 - one of the readers
    moment = read_moment(text, form.dates)
    zone = "UTC" if moment.is_utc else form.zone
    return CellValue(format_instant(moment.value.replace(tzinfo=find_zone(zone))))


def _other(text: str, field: str, form: CellForm) -> CellValue:  # noqa: ARG001 - one of the readers
    return CellValue(_json(text))


def _json(text: str) -> object:
    try:
        return parse_json(text.encode("utf-8", "replace"), "the cell")
    except Malformed as problem:
        raise ValueError(str(problem)) from None


def _external_ids(text: str) -> object:
    """JSON, or `system=id; system=id`."""
    if text.startswith("{"):
        return _json(text)
    pairs = [pair.partition("=") for pair in text.split(";") if pair.strip()]
    if not all(name.strip() and value.strip() for name, _, value in pairs):
        raise ValueError(
            f"{excerpt(text)} does not name ids of other systems; write hubspot=123; salesforce=001"
        )
    return {name.strip(): value.strip() for name, _, value in pairs}


def _working_days(text: str) -> object:
    if text.casefold() in {"none", "[]"}:
        return []
    spans = _DAY_RANGE.fullmatch(text)
    if spans is not None and {day.lower() for day in spans.groups()} <= set(_DAYS):
        first, last = (_DAYS.index(day.lower()) for day in spans.groups())
        return list(_DAYS[first : last + 1] if first <= last else (*_DAYS[first:], *_DAYS[: last + 1]))
    days = filter(None, re.split(r"[\s,;/]+", text))
    return [int(day) if day.isascii() and day.isdigit() and len(day) < 3 else day for day in days]


def _time_off(text: str) -> object:
    """Days and spans of days, such as `2026-08-03/2026-08-14; 2026-12-24`."""
    if text.casefold() == "none":
        return []
    spans: list[dict[str, str]] = []
    for part in filter(None, (each.strip() for each in text.split(";"))):
        found = _SPAN.fullmatch(part)
        if found is None:
            raise ValueError(f"{excerpt(part)} is not time off; write 2026-08-03/2026-08-14; 2026-12-24")
        spans.append({"from": found[1], "to": found[2] or found[1]})
    return spans


def _write_hours(value: object) -> str:
    hours = cast("Mapping[str, str]", value)
    return f"{hours['from']}-{hours['to']}"


def _write_time_off(value: object) -> str:
    spans = cast("list[Mapping[str, str]]", value)
    return "; ".join(f"{span['from']}/{span['to']}" for span in spans) or "none"


def _write_days(value: object) -> str:
    return ", ".join(cast("list[str]", value)) or "none"


def _write_ids(value: object) -> str:
    return dump_json(value).decode()


_LISTS: Final[Mapping[str, Callable[[str], object]]] = {
    "external_ids": _external_ids,
    "working_days": _working_days,
    "working_hours": lambda text: _SHORT_HOUR.sub(r"0\1:", text),
    "time_off": _time_off,
}
_WRITERS: Final[Mapping[str, Callable[[object], str]]] = {
    "external_ids": _write_ids,
    "working_days": _write_days,
    "working_hours": _write_hours,
    "time_off": _write_time_off,
}
_READERS: Final[Mapping[Kind, Callable[[str, str, CellForm], CellValue]]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.WHOLE: _whole,
    Kind.TRUTH: _truth,
    Kind.DAY: _day,
    Kind.INSTANT: _instant,
    Kind.OTHER: _other,
}
