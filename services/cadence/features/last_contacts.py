"""Touches: when we last spoke, with anybody and by type of touchpoint."""

from collections.abc import Iterable
from typing import cast

from services.cadence.account import MET, Facts, Fields, Stamp, when
from services.cadence.features.view import AccountView

Touches = dict[str | None, tuple[int, Stamp]]


def last_touches(facts: Facts) -> Touches:
    """By touchpoint type (unnamed: ""), and under None for any: when we last spoke, and the fact that says so."""
    found: Touches = {}
    undone: set[object] = set()
    for stamp, fields in facts.entries.get("interaction.logged", {}).items():
        _spoke(found, stamp, fields, "touchpoint_type")
    for stamp, fields in facts.entries.get("touchpoint.settled", {}).items():
        if fields.get("outcome") in MET:
            _spoke(found, stamp, fields, "touchpoint_type")
        else:
            undone.add(fields.get("touchpoint_id"))
    # Contact of long ago is remembered by type alone, unless it was taken back since.
    undone.discard(None)
    for stamp, fields in facts.entries.get("touched", {}).items():
        if fields.get("touchpoint_id") not in undone:
            _spoke(found, stamp, fields, "touch")
    if found:
        found[None] = max(found.values())
    return found


def _spoke(found: Touches, stamp: Stamp, fields: Fields, name: str) -> None:
    at, kind = fields.get("at"), cast("str", fields.get(name) or "")
    spoke = (at if isinstance(at, int) else when(stamp), stamp)
    if kind not in found or found[kind] < spoke:
        found[kind] = spoke


def look_at_types(view: AccountView, words: Iterable[tuple[str, str]]) -> None:
    """`words`: (name, touchpoint type) of each word that counts the days since its type.

    Spoken with, or reached by a message of the type; what goes out ahead of a meeting is not the meeting.
    """
    reached: dict[str, Stamp] = {}
    for stamp, fields in view.facts.entries.get("reached", {}).items():
        reached[str(fields.get("touch"))] = stamp
    for name, kind in words:
        touch = view.last_touch.get(kind)
        stamp = None if kind in view.meetings else reached.get(kind)
        if stamp is not None and (touch is None or touch < (when(stamp), stamp)):
            touch = (when(stamp), stamp)
        if touch is not None:
            view.count(name, *touch)
