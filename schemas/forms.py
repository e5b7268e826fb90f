"""The forms a text may have, each with the words that explain it to somebody who missed it.

The patterns are read by two engines, that of the validator and that of whoever reads the JSON Schemas.
"""

from collections.abc import Mapping
from typing import Final

ONE_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
TEXT: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
EMAIL: Final = r'^[^\s\x00-\x1f\x7f@<>,;:"()\[\]\\]+@[^\s\x00-\x1f\x7f@<>,;:"()\[\]\\]+$'
LANGUAGE: Final = r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$"
CURRENCY: Final = r"^[A-Z]{3}$"

EXPLAINED: Final[Mapping[str, str]] = {
    ONE_LINE: "holds a control character or a line end; remove it",
    TEXT: "holds a control character; remove it",
    EMAIL: "is not a plain email address; write it like ada@example.com",
    LANGUAGE: "is not a language tag; write it like de or pt-BR",
    CURRENCY: "is not a currency code; write three capitals like EUR",
}
