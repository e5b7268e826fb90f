"""How to address a person by the first name, from a name as somebody typed it. In doubt there is none."""

import re
from typing import Final

_TITLES: Final = frozenset(
    # One word a title, in the languages that are shipped.
    """
    dr prof professor mr mrs ms miss mx sir dame lord lady herr frau fr hr dipl mag ing sr sra srta dña don doña dra
    eng engº pak bapak bu ibu bpk sdr sdri mas mbak kak tn ny h hj haji hajah ir drs rev
    """.split()  # noqa: SIM905 - a table
)
_NOT_PEOPLE: Final = frozenset(
    """
    team the support info office admin administrator accounting accounts billing finance sales service services
    customer contact desk helpdesk group department dept gmbh ag kg se ltd limited inc llc plc co corp company sa sas
    srl bv nv pt tbk cv ltda eireli oy ab as test user unknown none null n/a na
    """.split()  # noqa: SIM905 - a table
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019\-][^\W\d_]+)*")
_FAMILY_FIRST: Final = re.compile(
    r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Scripts in which the family name comes first: Han, Kana and Hangul."""
_MAX_CHARACTERS: Final = 40


def first_name(name: str | None) -> str | None:
    """The first name. None for titles, initials, addresses, teams, `Lee, Ann` and whatever is not clearly one."""
    words = (name or "").split()
    if not words or len(words) > 6 or any(not _is_name_word(word) for word in words[:1]):
        return None
    if _FAMILY_FIRST.search(name or "") or any(_bare(word) in _TITLES | _NOT_PEOPLE for word in words):
        return None
    if any(mark in (name or "") for mark in ',;:@/()[]<>&+|"0123456789'):
        return None
    first = words[0]
    if len(first) < 2 or len(first) > _MAX_CHARACTERS or _is_shouted(words) or _is_particle(words):
        return None
    return first[:1].upper() + first[1:] if first.islower() else first


def _is_name_word(word: str) -> bool:
    return _WORD.fullmatch(word) is not None


def _bare(word: str) -> str:
    return word.strip(".").lower()


def _is_shouted(words: list[str]) -> bool:
    """`MUELLER Hans` and `ANN LEE`: capitals are for family names, or for machines. `JP` may be initials."""
    return words[0].isupper() and words[0].lower() != words[0]


def _is_particle(words: list[str]) -> bool:
    """`van der Berg`: the first word is in lower case and others are not."""
    return words[0].islower() and any(not word.islower() for word in words[1:])
