"""Evidence: which event was the first with a content. Later repetitions do not change what a reason names."""

from functools import lru_cache
from zlib import crc32

import orjson

from services.cadence.account.stamps import Stamp

CONTENTS_KEPT = 4
_MARK = "#"
Noted = dict[str, float | str | None]
"""Stored values and their evidence: # and the short hash of a content -> the first event with it."""


def note_event(noted: Noted, content: object, stamp: Stamp) -> bool:
    """Keep the first stamp of each content, of at most four: those with the least hash, whatever came first.

    Returns whether anything changed.
    """
    return _keep_first(noted, _key(content), stamp)


def merge_evidence(into: Noted, other: Noted) -> None:
    """Add the first events of other values, in place."""
    for name, stamp in other.items():
        if name[0] == _MARK:
            _keep_first(into, name, str(stamp))


def _keep_first(noted: Noted, key: str, stamp: Stamp) -> bool:
    first = noted.get(key)
    if first is not None and str(first) <= stamp:
        return False
    noted[key] = stamp
    if first is not None:
        return True
    keys = [name for name in noted if name[0] == _MARK]
    if len(keys) <= CONTENTS_KEPT:
        return True
    last = max(keys)
    del noted[last]
    return last != key


def events_of(noted: Noted) -> list[Stamp]:
    """The first event of each content that is known."""
    return [str(stamp) for name, stamp in noted.items() if name[0] == _MARK]


def first_event(noted: Noted, content: object) -> Stamp:
    """The first event with this content, else the newest one known."""
    stamps = events_of(noted)
    return stamps[0] if len(stamps) == 1 else str(noted.get(_key(content)) or max(stamps))


def _key(content: object) -> str:
    if type(content) is int or type(content) is float:
        return _key_of_number(content, is_whole=type(content) is int)
    return _key_of(content)


@lru_cache(maxsize=4096)
def _key_of_number(content: float, *, is_whole: bool) -> str:
    """1 and 1.0 are equal and written differently."""
    return _key_of(int(content) if is_whole else float(content))


def _key_of(content: object) -> str:
    return f"{_MARK}{crc32(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)):08x}"
