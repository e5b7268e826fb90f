"""The text of a text message: how many segments it takes, and as much of a message as fits into a few.

Alphabets and lengths are those of 3GPP TS 23.038 (GSM 7 bit with its extension table, else UCS-2) and TS 23.040.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

MOST_SEGMENTS: Final = 3
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€\f")
"""Each takes two septets, which stand in one segment."""
_SAME_MEANING: Final = str.maketrans(
    {
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"',
        "\u2018": "'", "\u2019": "'", "\u201a": "'",
        "\u2013": "-", "\u2014": "-", "\u2010": "-", "\u2011": "-", "\u2022": "-",
        "\u2026": "...", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\t": " ",
    }
)  # fmt: skip
_CUT: Final = "..."
_LIMITS: Final = {"gsm": (160, 153), "ucs2": (70, 67)}
"""Units in a single segment, and in each of several, which begin with a header."""


@dataclass(frozen=True, slots=True)
class SmsSize:
    """`units`: septets (`gsm`) or UTF-16 code units (`ucs2`)."""

    encoding: Literal["gsm", "ucs2"]
    units: int
    segments: int


def measure_sms(text: str) -> SmsSize:
    """The size of the text as a message."""
    is_gsm = all(character in _BASIC or character in _EXTENDED for character in text)
    encoding: Literal["gsm", "ucs2"] = "gsm" if is_gsm else "ucs2"
    widths = [_width(character, is_gsm=is_gsm) for character in text]
    single, several = _LIMITS[encoding]
    units = sum(widths)
    return SmsSize(encoding, units, 1 if units <= single else _count_segments(widths, several))


def write_sms(opening: str, body: str, ending: str, most: int = MOST_SEGMENTS) -> str | None:
    """One text within `most` segments; None: not even the ending fits.

    The ending stays whole. The body is left out before the opening is cut, and both between words. Letters lose their
    accents where that lets the whole opening fit.
    """
    opening, body, ending = (text.translate(_SAME_MEANING) for text in (opening, body, ending))
    written = _fit(opening, body, ending, most)
    if written is None:
        opening, body = _without_accents(opening), _without_accents(body)
        written = _fit(opening, body, ending, most)
    return _fit_opening(opening, ending, most) if written is None else written


def _width(character: str, *, is_gsm: bool) -> int:
    if is_gsm:
        return 2 if character in _EXTENDED else 1
    return 2 if ord(character) > 0xFFFF else 1


def _count_segments(widths: list[int], most: int) -> int:
    """What takes two units is not divided between two segments."""
    segments, used = 1, 0
    for width in widths:
        if used + width > most:
            segments, used = segments + 1, 0
        used += width
    return segments


def _fit(opening: str, body: str, ending: str, most: int) -> str | None:
    """With as many words of the body as fit; None: the opening does not fit."""
    words = body.split()
    for end in range(len(words), -1, -1):
        cut = "" if end in (0, len(words)) else _CUT
        text = _joined(f"{opening} {' '.join(words[:end])}{cut}" if end else opening, ending)
        if measure_sms(text).segments <= most:
            return text
    return None


def _fit_opening(opening: str, ending: str, most: int) -> str | None:
    words = opening.split()
    for end in range(len(words) - 1, -1, -1):
        text = _joined(f"{' '.join(words[:end])}{_CUT}" if end else "", ending)
        if measure_sms(text).segments <= most:
            return text
    return None


def _joined(text: str, ending: str) -> str:
    return "\n".join(filter(None, (text, ending)))


def _without_accents(text: str) -> str:
    """Latin letters that the GSM alphabet lacks, without their accents; every other character as it is."""
    return "".join(map(_plain_letter, text))


def _plain_letter(character: str) -> str:
    if character in _BASIC or character in _EXTENDED:
        return character
    letter = unicodedata.normalize("NFD", character)[0]
    return letter if letter in _BASIC else character
