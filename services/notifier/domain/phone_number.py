"""Telephone numbers that a text message can go to: international ones, as ITU-T E.164 writes them."""

import re
from typing import Final

_INTERNATIONAL: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_BETWEEN_DIGITS: Final = re.compile("[ ()./\u00a0-]")
_EXCHANGE_PREFIX: Final = re.compile("^00")


def international_number(text: str | None) -> str | None:
    """The number in E.164 (`+493012345`); None: there is none, or its country is not known.

    The column `number` of the table `contact` is generated in the same way. A national number is not completed: the
    country of an account need not be that of a telephone.
    """
    digits = _BETWEEN_DIGITS.sub("", (text or "").replace("(0)", ""))
    number = _EXCHANGE_PREFIX.sub("+", digits)
    return number if _INTERNATIONAL.fullmatch(number) else None
