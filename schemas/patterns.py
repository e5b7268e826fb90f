"""Patterns that texts must match, and the error message for a text that does not match.

Each pattern must work in two regular-expression engines: Pydantic's (Rust) and that of JSON Schema (ECMA 262).
"""

from collections.abc import Mapping
from typing import Final

ONE_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
TEXT: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_INVISIBLE: Final = "\u200b\ufeff"  # zero-width space, byte order mark
BLANKS: Final = "".join(filter(str.isspace, map(chr, range(0x10000)))) + _INVISIBLE
"""The characters that are cut off around a text: white space of Unicode, and what nobody can see."""
_OUTER: Final = r"\s\u200b\ufeff"
TRIMMED_LINE: Final = (
    rf"^[^{_OUTER}\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^{_OUTER}\x00-\x1f\x7f-\x9f])?$"
)
"""One line that neither begins nor ends with a blank."""
TRIMMED_TEXT: Final = (
    rf"^[^{_OUTER}\x00-\x1f\x7f]([^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^{_OUTER}\x00-\x1f\x7f])?$"
)
EMAIL: Final = (
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r'@[^\s\x00-\x1f\x7f@<>,;:"()\[\]\\]+$'
)
"""For the published schemas; the door itself asks `schemas.addresses`."""
WEB_ADDRESS: Final = r"^https?://[^\s\x00-\x1f\x7f<>\"]+$"
LANGUAGE: Final = r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$"
CURRENCY: Final = r"^[A-Z]{3}$"

PATTERN_ERRORS: Final[Mapping[str, str]] = {
    ONE_LINE: "contains a control character or a line end; remove it",
    TEXT: "contains a control character; remove it",
    TRIMMED_LINE: "contains a control character or a line end; remove it",
    TRIMMED_TEXT: "contains a control character; remove it",
    WEB_ADDRESS: "is not a web address; write it from https:// on, without blanks",
    LANGUAGE: "is not a language tag; write it like de or pt-BR",
    CURRENCY: "is not a currency code; write three capital letters like EUR",
}
