"""Ids of Salesforce: 15 characters that differ by letter case, or the same with a suffix that tells the case.

Source: Salesforce, "What is the difference between a 15 character and 18 character Salesforce.com ID".
"""

import re
from string import ascii_uppercase
from typing import Final

_SHORT: Final = re.compile(r"[A-Za-z0-9]{15}", re.ASCII)
_LONG: Final = re.compile(r"[A-Za-z0-9]{15}[A-Z0-5]{3}", re.ASCII | re.IGNORECASE)
_CODES: Final = f"{ascii_uppercase}012345"


def long_id(record_id: str) -> str:
    """The 18 characters of an id, in the letter case that its suffix states. Raises ValueError for no id."""
    text = record_id.strip()
    if _SHORT.fullmatch(text):
        return text + _suffix(text)
    if not _LONG.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no id of Salesforce: it has 15 or 18 letters and digits")
    suffix = text[15:].upper()
    is_one_case = text in (text.lower(), text.upper())  # as tools write it that ignore the letter case
    restored = _restored(text[:15], suffix) if is_one_case else text[:15]
    if _suffix(restored) != suffix:
        raise ValueError(f"{text!r} is no id of Salesforce: its last three characters do not fit the others")
    return restored + suffix


def _suffix(text: str) -> str:
    """Three characters, each telling of five which are upper case; the first is the lowest bit."""
    groups = (text[start : start + 5] for start in (0, 5, 10))
    return "".join(
        _CODES[sum(1 << place for place, letter in enumerate(group) if letter in ascii_uppercase)]
        for group in groups
    )


def _restored(text: str, suffix: str) -> str:
    bits = [_CODES.index(code) for code in suffix]
    return "".join(
        letter.upper() if bits[place // 5] >> place % 5 & 1 else letter.lower()
        for place, letter in enumerate(text)
    )
