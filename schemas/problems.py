"""Error messages for data that cannot be read: what is wrong, where, and what to do about it."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.patterns import PATTERN_ERRORS

MAX_EXCERPT: Final = 60
"""Characters of a value that an error message shows."""
MAX_PROBLEMS: Final = 20
"""Problems that one error message lists."""


class Malformed(Exception):
    """Data that cannot be read. The message says what is wrong, where, and what to do."""


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
    "string_pattern_mismatch": lambda value, ctx: f"{value} {_pattern_error(ctx['pattern'])}",
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
    """All problems of a model in one line: `data.score: 130 is greater than 100; data.color: ...`."""
    details = invalid.errors(include_url=False)
    lines = [
        _explain_field(path, list(problems))
        for path, problems in groupby(details, lambda detail: _field_path(root, detail))
    ]
    shown = lines[:MAX_PROBLEMS]
    if len(lines) > len(shown):
        shown.append(f"and {len(lines) - len(shown)} more")
    return "; ".join(shown)


def excerpt(value: object) -> str:
    """A value as an error message shows it: at most `MAX_EXCERPT` printable characters. Never raises."""
    if isinstance(value, bytes | bytearray):
        value = bytes(value[:MAX_EXCERPT]).decode("utf-8", "replace")
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a whole number of about {int(value.bit_length() * 0.30103) + 1} digits"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "an array"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    shown = (
        ascii(value[: MAX_EXCERPT + 1]) if isinstance(value, str) and not value.isprintable() else repr(value)
    )
    return shown if len(shown) <= MAX_EXCERPT else shown[: MAX_EXCERPT - 1] + "…"


def _explain_field(path: str, details: Sequence[ErrorDetails]) -> str:
    return f"{path}: " + ", or ".join(dict.fromkeys(_phrase(detail) for detail in details))


def _phrase(detail: ErrorDetails) -> str:
    if detail["input"] is None and detail["type"] != "missing":
        return "may not be null; this field cannot be cleared, give a value"
    phrase = _PHRASES.get(detail["type"])
    value = excerpt(detail["input"])
    return phrase(value, detail.get("ctx", {})) if phrase else f"{detail['msg']} (it is {value})"


def _field_path(root: str, detail: ErrorDetails) -> str:
    """The path of a field with a problem, such as `data.limits.seats.used` or `data.time_off[2]`."""
    path = root
    for part in detail["loc"]:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part == "[key]":
            path += " (the name itself)"
        else:
            path += f".{excerpt(part)[1:-1]}" if part else '.""'
    return path


def _pattern_error(pattern: object) -> str:
    return PATTERN_ERRORS.get(str(pattern), f"does not match the pattern {pattern}")


def _number(bound: object) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)
