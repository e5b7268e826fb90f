"""Patterns that texts must match, and the error message for a text that does not match.

Each pattern must work in two regular-expression engines: Pydantic's (Rust) and that of JSON Schema (ECMA 262).
"""

from collections.abc import Mapping
from typing import Final

ONE_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
TEXT: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
EMAIL: Final = r'^[^\s\x00-\x1f\x7f@<>,;:"()\[\]\\]+@[^\s\x00-\x1f\x7f@<>,;:"()\[\]\\]+$'
LANGUAGE: Final = r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$"
CURRENCY: Final = r"^[A-Z]{3}$"

PATTERN_ERRORS: Final[Mapping[str, str]] = {
    ONE_LINE: "contains a control character or a line end; remove it",
    TEXT: "contains a control character; remove it",
    EMAIL: "is not a plain email address; write it like ada@example.com",
    LANGUAGE: "is not a language tag; write it like de or pt-BR",
    CURRENCY: "is not a currency code; write three capital letters like EUR",
}
