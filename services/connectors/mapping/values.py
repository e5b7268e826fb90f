"""Values of another system as values of a fact: by the kind of the field in the schema and what the file says of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from math import inf, isfinite
from types import UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin

from schemas.base import SchemaModel
from schemas.problems import excerpt
from schemas.times import format_instant
from services.connectors.mapping.dates import ISO, read_day, read_instant
from services.connectors.mapping.salesforce_ids import long_id

SALESFORCE_ID: Final = "salesforce_id"
_DECIMAL: Final = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?", re.ASCII)
_TRUTHS: Final[Mapping[str, bool]] = {"true": True, "false": False}


class Kind(StrEnum):
    """What a field of a fact holds."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    TRUTH = "true or false"
    DAY = "date"
    INSTANT = "instant"
    OTHER = "list or map"


@dataclass(frozen=True, slots=True)
class Form:
    """How a value is written. `forms`: of dates; `words`: text in lower case -> value; `divide`: units of one whole."""

    forms: tuple[str, ...] = (ISO,)
    zone: str | None = None
    words: Mapping[str, str] | None = None
    otherwise: str | None = None
    divide: float = 1.0


PLAIN: Final = Form()


_KINDS: Final[Mapping[object, Kind]] = {
    bool: Kind.TRUTH, int: Kind.WHOLE, float: Kind.NUMBER, datetime: Kind.INSTANT, date: Kind.DAY,
    dict: Kind.OTHER, tuple: Kind.OTHER,
}  # fmt: skip


@cache
def kinds_of(model: type[SchemaModel]) -> Mapping[str, Kind]:
    """Name in JSON -> kind of the field."""
    return {
        field.serialization_alias or name: _kind(field.annotation)
        for name, field in model.model_fields.items()
    }


def _kind(annotation: Any) -> Kind:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(arguments[0])
    if origin in (Union, UnionType):
        return next(_kind(member) for member in arguments if member is not type(None))
    if isinstance(annotation, type) and issubclass(annotation, SchemaModel):
        return Kind.OTHER
    # What is not among them is a word of a closed list.
    return _KINDS.get(cast("object", origin or annotation), Kind.TEXT)


def convert(value: object, kind: Kind, form: Form = PLAIN) -> object:
    """The value in JSON; null stays null. Raises ValueError with what is wrong."""
    if value is None:
        return None
    if form.words is not None:
        value = _word(value, form)
        if value is None:
            return None
    return _CONVERTERS[kind](value, form)


def _word(value: object, form: Form) -> object:
    words = form.words or {}
    word = words.get(str(value).strip().casefold(), form.otherwise)
    if word is None:
        raise ValueError(
            f"{excerpt(value)} is none of the `words` of the field: {', '.join(words)}; add it, or `otherwise`"
        )
    return None if word == "null" else word


def _text(value: object, form: Form) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if not isinstance(value, str | int | float):
        raise ValueError(f"{excerpt(value)} is no text")  # noqa: TRY004 - one kind of error for a wrong value
    return long_id(str(value)) if SALESFORCE_ID in form.forms else str(value)


def _number(value: object, form: Form) -> object:
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(  # noqa: TRY004 - as above
            f"{excerpt(value)} is no number; write it like 1234.5, without a currency or separators"
        )
    try:
        # By way of the text: a double divided by 100 may miss the cent.
        number = float(Decimal(str(value)) / Decimal(str(form.divide)))
    except (InvalidOperation, OverflowError):
        number = inf
    if not isfinite(number):
        raise ValueError(f"{excerpt(value)} is no finite number")
    return number


def _whole(value: object, form: Form) -> object:
    number = cast("float", _number(value, form))
    if not number.is_integer() or abs(number) >= 2**53:
        raise ValueError(f"{excerpt(value)} is no whole number")
    return int(number)


def _truth(value: object, form: Form) -> object:  # noqa: ARG001 - one of the converters
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (truth := _TRUTHS.get(value.strip().lower())) is not None:
        return truth
    raise ValueError(f"{excerpt(value)} is neither true nor false; give the field `words`")


def _day(value: object, form: Form) -> object:
    return read_day(value, form.forms, form.zone).isoformat()


def _instant(value: object, form: Form) -> object:
    return format_instant(read_instant(value, form.forms, form.zone))


def _other(value: object, form: Form) -> object:  # noqa: ARG001 - the schema checks what is in it
    return value


_CONVERTERS: Final[Mapping[Kind, Callable[[object, Form], object]]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.WHOLE: _whole,
    Kind.TRUTH: _truth,
    Kind.DAY: _day,
    Kind.INSTANT: _instant,
    Kind.OTHER: _other,
}
