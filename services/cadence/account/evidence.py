"""Evidence: which event was the first with a content. Later repetitions do not change what a reason names."""

from zlib import crc32

import orjson

from services.cadence.account.stamps import Stamp

CONTENTS_KEPT = 4
Evidence = dict[str, Stamp]
"""Short hash of a content -> the first event with it."""


def note_event(evidence: Evidence, content: object, stamp: Stamp) -> bool:
    """Keep the first stamp of each content, of at most four: those with the least hash, whatever came first.

    Returns whether anything changed.
    """
    return _keep_first(evidence, _hash(content), stamp)


def merge_evidence(into: Evidence, other: Evidence) -> None:
    """Add the first events of another evidence, in place."""
    for key, stamp in other.items():
        _keep_first(into, key, stamp)


def _keep_first(evidence: Evidence, key: str, stamp: Stamp) -> bool:
    first = evidence.get(key)
    if first is not None and first <= stamp:
        return False
    evidence[key] = stamp
    if len(evidence) <= CONTENTS_KEPT:
        return True
    last = max(evidence)
    del evidence[last]
    return last != key


def first_event(evidence: Evidence, content: object) -> Stamp:
    """The first event with this content, else the newest one known."""
    return evidence.get(_hash(content)) or max(evidence.values())


def _hash(content: object) -> str:
    return f"{crc32(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)):08x}"
