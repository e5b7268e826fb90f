"""Numbers as spreadsheets write them: `1.234,50 €`, `$1,234.50`, `1'234`, `(12)`.

What separates decimals is decided for a whole file from values that can be read in one way only.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Final, Literal, NamedTuple

from schemas.problems import excerpt

DecimalMark = Literal["point", "comma"]
SIGNS: Final = {
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "R$": "BRL",
    "₩": "KRW",
    "zł": "PLN",
    "Rp": "IDR",
}
"""Signs that stand for one currency only; `$` stands for many."""
LONGEST: Final = 400
"""Characters of a cell with a number: the smallest double has more than 300."""
_CURRENCY: Final = re.compile(
    rf"(?:{'|'.join(map(re.escape, sorted(SIGNS, key=len, reverse=True)))}|US\$|\$|\b[A-Z]{{3}}\b)", re.ASCII
)
_SPACES: Final = re.compile(r"[\s\u00a0\u202f\u2009'\u2019]+")
_UNITS: Final = re.compile(
    r"(?<=\d)\s*(?:months?|monate?n?|mo|meses|m[eê]s|bulan|days?|tage?n?|d[ií]as?|dias?|hari|min(?:utes?|uten?|utos?)?|menit)\.?$",
    re.IGNORECASE,
)
_PLAIN: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d{1,2})?", re.ASCII)
_GROUPED: Final = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+", re.ASCII)


class Amount(NamedTuple):
    """A number as text without grouping and signs of currency, and the currency beside it (ISO 4217), if any."""

    digits: str
    currency: str | None = None


def strip_amount(text: str) -> Amount:
    """The digits of a cell. Raises ValueError."""
    if len(text) > LONGEST:
        raise ValueError(f"{excerpt(text)} is not a number; write it like 1234.5")
    if "%" in text:
        raise ValueError(f"{excerpt(text)} is a percentage; this field takes a plain number")
    currency: str | None = None
    found = _CURRENCY.search(text)
    if found is not None:
        currency = SIGNS.get(
            found[0], "USD" if found[0] == "US$" else found[0] if found[0].isalpha() else None
        )
        text = text[: found.start()] + text[found.end() :]
    text = _UNITS.sub("", text.strip())
    text = _SPACES.sub("", text)
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    if not _PLAIN.fullmatch(text):
        raise ValueError(f"{excerpt(text)} is not a number; write it like 1234.5")
    return Amount(text, currency)


def mark_of(digits: str) -> DecimalMark | None:
    """What separates the decimals of a number that can be read in one way only; None: nothing tells."""
    plain = digits.lstrip("+-")
    marks = [sign for sign in plain if sign in ".,"]
    if not marks:
        return None
    if len(set(marks)) == 2:
        return _name(marks[-1])
    if len(marks) > 1:
        return "comma" if marks[0] == "." else "point"
    return None if _GROUPED.fullmatch(plain) else _name(marks[0])


def read_number(digits: str, mark: DecimalMark | None) -> Decimal:
    """`mark`: what separates the decimals in this file; None: not known. Raises ValueError."""
    own = mark_of(digits)
    if own is None and mark is None and ("." in digits or "," in digits):
        sign = "." if "." in digits else ","
        raise ValueError(
            f"{excerpt(digits)} can be read in two ways; say whether decimals follow a point or a comma "
            f"(`numbers`), or write it without {sign!r}"
        )
    if own is not None and mark is not None and own != mark:
        raise ValueError(f"{excerpt(digits)} does not have its decimals after a {mark}, as this file is read")
    decimals, groups = (",", ".") if (own or mark) == "comma" else (".", ",")
    try:
        return Decimal(digits.replace(groups, "").replace(decimals, "."))
    except InvalidOperation:
        raise ValueError(f"{excerpt(digits)} is not a number; write it like 1234.5") from None


def write_number(number: float) -> str:
    """A number that `read_number` reads in one way only: three decimals get a fourth."""
    text = format(Decimal(repr(number)), "f")
    whole, point, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    if not point or not decimals:
        return whole
    return f"{whole}.{decimals}{'0' if len(decimals) == 3 else ''}"


def _name(sign: str) -> DecimalMark:
    return "point" if sign == "." else "comma"
