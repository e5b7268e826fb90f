"""Touches: when we last spoke, with anybody and by type of touchpoint."""

from collections.abc import Iterable
from typing import cast

from services.rules_engine.domain.facts import MET, Facts, Fields, Mark, when
from services.rules_engine.domain.vocabulary.seen import View

Touches = dict[str | None, tuple[int, Mark]]


def last_touches(facts: Facts) -> Touches:
    """By touchpoint type (unnamed: ""), and under None for any: when we last spoke, and the fact that says so."""
    found: Touches = {}
    undone: set[object] = set()
    for mark, fields in facts.entries.get("interaction.logged", {}).items():
        _spoke(found, mark, fields, "touchpoint_type")
    for mark, fields in facts.entries.get("touchpoint.settled", {}).items():
        if fields.get("outcome") in MET:
            _spoke(found, mark, fields, "touchpoint_type")
        else:
            undone.add(fields.get("touchpoint_id"))
    # Contact of long ago is remembered by type alone, unless it was taken back since.
    undone.discard(None)
    for mark, fields in facts.entries.get("touched", {}).items():
        if fields.get("touchpoint_id") not in undone:
            _spoke(found, mark, fields, "touch")
    if found:
        found[None] = max(found.values())
    return found


def _spoke(found: Touches, mark: Mark, fields: Fields, name: str) -> None:
    at, kind = fields.get("at"), cast("str", fields.get(name) or "")
    spoke = (at if isinstance(at, int) else when(mark), mark)
    if kind not in found or found[kind] < spoke:
        found[kind] = spoke


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
