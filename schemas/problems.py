"""What is wrong with a message, said once and said whole: what, where, and what to do about it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.forms import EXPLAINED

LONGEST_EXCERPT: Final = 60
MOST_PROBLEMS: Final = 20


class Malformed(Exception):
    """A message that cannot be read. Its text says what is wrong, where, and what to do."""


Context = Mapping[str, object]
Phrase = Callable[[str, Context], str]

_PHRASES: Final[Mapping[str, Phrase]] = {
    "missing": lambda _, __: "is required and absent; add it",
    "finite_number": lambda value, __: f"{value} is too large or not finite; give a finite number",
    "greater_than": lambda value, ctx: f"{value} is not greater than {_number(ctx['gt'])}",
    "greater_than_equal": lambda value, ctx: f"{value} is less than {_number(ctx['ge'])}",
    "less_than": lambda value, ctx: f"{value} is not less than {_number(ctx['lt'])}",
    "less_than_equal": lambda value, ctx: f"{value} is greater than {_number(ctx['le'])}",
    "int_type": lambda value, _: (
        f"{value} is not a whole number; give a JSON number without quotes or fraction"
    ),
    "int_parsing_size": lambda value, _: f"{value} is too large for a whole number",
    "float_type": lambda value, _: f"{value} is not a number; give a JSON number without quotes",
    "bool_type": lambda value, _: f"{value} is neither true nor false",
    "string_type": lambda value, _: f"{value} is not a string; put it in quotes",
    "string_too_long": lambda _, ctx: f"is longer than {ctx['max_length']} characters; shorten it",
    "string_too_short": lambda _, __: "is empty; give a text, or leave the field out",
    "string_pattern_mismatch": lambda value, ctx: f"{value} {_form(ctx['pattern'])}",
    "literal_error": lambda value, ctx: f"{value} is not one of {ctx['expected']}",
    "too_long": lambda _, ctx: (
        f"has {ctx['actual_length'] or 'too many'} entries, more than {ctx['max_length']}"
    ),
    "dict_type": lambda value, _: f"{value} is not a JSON object",
    "model_type": lambda value, _: f"{value} is not a JSON object",
    "tuple_type": lambda value, _: f"{value} is not a JSON array",
    "list_type": lambda value, _: f"{value} is not a JSON array",
    "json_invalid": lambda _, ctx: f"is not JSON: {ctx['error']}",
    "value_error": lambda _, ctx: str(ctx["error"]),
}


def explain(invalid: ValidationError, root: str = "data") -> str:
    """Every problem of a model in one line: `data.score: 130 is greater than 100; data.color: ...`."""
    details = invalid.errors(include_url=False)
    lines = [_one(place, list(each)) for place, each in groupby(details, lambda detail: _place(root, detail))]
    shown = lines[:MOST_PROBLEMS]
    if len(lines) > len(shown):
        shown.append(f"and {len(lines) - len(shown)} more")
    return "; ".join(shown)


def excerpt(value: object) -> str:
    """A value as it may be shown to a person: short, printable, and never an error itself."""
    if isinstance(value, bytes | bytearray):
        value = bytes(value[:LONGEST_EXCERPT]).decode("utf-8", "replace")
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a whole number of about {int(value.bit_length() * 0.30103) + 1} digits"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "an array"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    shown = (
        ascii(value[: LONGEST_EXCERPT + 1])
        if isinstance(value, str) and not value.isprintable()
        else repr(value)
    )
    return shown if len(shown) <= LONGEST_EXCERPT else shown[: LONGEST_EXCERPT - 1] + "…"


def _one(place: str, details: Sequence[ErrorDetails]) -> str:
    return f"{place}: " + ", or ".join(dict.fromkeys(_phrase(detail) for detail in details))


def _phrase(detail: ErrorDetails) -> str:
    if detail["input"] is None and detail["type"] != "missing":
        return "may not be null; it cannot be cleared, give a value"
    phrase = _PHRASES.get(detail["type"])
    value = excerpt(detail["input"])
    return phrase(value, detail.get("ctx", {})) if phrase else f"{detail['msg']} (it is {value})"


def _place(root: str, detail: ErrorDetails) -> str:
    """Where a problem is, as one would write it: `data.limits.seats.used`, `data.time_off[2]`."""
    place = root
    for part in detail["loc"]:
        if isinstance(part, int):
            place += f"[{part}]"
        elif part == "[key]":
            place += " (the name itself)"
        else:
            place += f".{excerpt(part)[1:-1]}" if part else '.""'
    return place


def _form(pattern: object) -> str:
    return EXPLAINED.get(str(pattern), f"does not have the form {pattern}")


def _number(bound: object) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)
