"""Touches: when we last spoke, with anybody and by type of touchpoint."""

from collections.abc import Iterable
from typing import cast

from services.rules_engine.domain.facts import MET, Facts, Fields, Mark, when
from services.rules_engine.domain.vocabulary.seen import View

Touches = dict[str | None, tuple[int, Mark]]


def last_touches(facts: Facts) -> Touches:
    """By touchpoint type, and under None for any: the latest moment we spoke, and the fact that says so."""
    found: Touches = {}
    undone: set[object] = set()
    for mark, fields in facts.entries.get("interaction.logged", {}).items():
        _spoke(found, mark, fields, fields.get("touchpoint_type"))
    for mark, fields in facts.entries.get("touchpoint.settled", {}).items():
        if fields.get("outcome") in MET:
            _spoke(found, mark, fields, fields.get("touchpoint_type"))
        else:
            undone.add(fields.get("touchpoint_id"))
    # Contact of long ago is remembered by type alone, unless it was taken back since.
    undone.discard(None)
    for mark, fields in facts.entries.get("touched", {}).items():
        if fields.get("touchpoint_id") not in undone:
            _spoke(found, mark, fields, fields.get("touch") or None)
    return found


def _spoke(found: Touches, mark: Mark, fields: Fields, kind: object) -> None:
    at = fields.get("at")
    spoke = (at if isinstance(at, int) else when(mark), mark)
    for key in {None, cast("str | None", kind)}:
        if key not in found or found[key] < spoke:
            found[key] = spoke


def look_at_types(seen: View, words: Iterable[tuple[str, str]]) -> None:
    """`words`: (name, touchpoint type) of each word that counts the days since its type.

    Spoken with, or reached by a message of the type; what goes out ahead of a meeting is not the meeting.
    """
    reached: dict[str, Mark] = {}
    for mark, fields in seen.facts.entries.get("reached", {}).items():
        reached[str(fields.get("touch"))] = mark
    for name, kind in words:
        touch = seen.last_touch.get(kind)
        mark = None if kind in seen.meetings else reached.get(kind)
        if mark is not None and (touch is None or touch < (when(mark), mark)):
            touch = (when(mark), mark)
        if touch is not None:
            seen.count(name, *touch)
