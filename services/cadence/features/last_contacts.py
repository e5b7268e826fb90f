"""The last contact with the customer, of any kind and by touchpoint type."""

from collections.abc import Iterable

from services.cadence.account import Facts, Plain, Stamp, when
from services.cadence.account.identity import things_of
from services.cadence.account.merging import SUPERSEDED
from services.cadence.account.retention import MET
from services.cadence.features.view import AccountView

Touches = dict[str | None, tuple[int, Stamp]]
"""Touchpoint type ("": none, None: any) -> (time of the last contact in microseconds, its event)."""


def last_touches(facts: Facts) -> Touches:
    touches: Touches = {}
    undone: set[object] = set()
    for thing in things_of(facts.entries, "interaction.logged"):
        _add(touches, thing.at, thing.stamp, thing.fields.get("touchpoint_type"))
    for thing in things_of(facts.entries, "touchpoint.settled"):
        if thing.fields.get("outcome") in MET:
            _add(touches, thing.at, thing.stamp, thing.fields.get("touchpoint_type"))
        else:
            undone.add(thing.fields.get("touchpoint_id"))
    # Older contact is only stored by type. It counts unless a later event says that it did not take place.
    undone.discard(None)
    for stamp, fields in facts.entries.get("touched", {}).items():
        if fields.get("touchpoint_id") not in undone and not _is_superseded(facts, stamp):
            at = fields.get("at")
            _add(touches, at if isinstance(at, int) else when(stamp), stamp, fields.get("touch"))
    if touches:
        touches[None] = max(touches.values())
    return touches


def _is_superseded(facts: Facts, stamp: Stamp) -> bool:
    kinds = ("interaction.logged", "touchpoint.settled")
    return any(SUPERSEDED in facts.entries.get(kind, {}).get(stamp, ()) for kind in kinds)


def _add(touches: Touches, at: int, stamp: Stamp, kind: Plain) -> None:
    touch, name = (at, stamp), str(kind or "")
    if name not in touches or touches[name] < touch:
        touches[name] = touch


def fill_days_since_types(view: AccountView, features: Iterable[tuple[str, str]]) -> None:
    """Fill `days_since_<type>`; `features`: (feature name, touchpoint type) of each.

    It counts from the last contact or from the last message of the type. A message about a meeting is not the meeting.
    """
    reached = {
        str(fields.get("touch")): stamp for stamp, fields in view.facts.entries.get("reached", {}).items()
    }
    for name, kind in features:
        touch = view.last_touch.get(kind)
        stamp = None if kind in view.settings.meetings else reached.get(kind)
        if stamp is not None and (touch is None or touch < (when(stamp), stamp)):
            touch = (when(stamp), stamp)
        if touch is not None:
            view.count_from(name, *touch)
