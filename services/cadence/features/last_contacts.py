"""The last contact with the customer, of any kind and by touchpoint type."""

from collections.abc import Iterable
from typing import cast

from services.cadence.account import Facts, Fields, Stamp, when
from services.cadence.account.retention import MET
from services.cadence.features.view import AccountView

Touches = dict[str | None, tuple[int, Stamp]]
"""Touchpoint type ("": none, None: any) -> (time of the last contact in microseconds, its event)."""


def last_touches(facts: Facts) -> Touches:
    touches: Touches = {}
    undone: set[object] = set()
    for stamp, fields in facts.entries.get("interaction.logged", {}).items():
        _add(touches, stamp, fields, "touchpoint_type")
    for stamp, fields in facts.entries.get("touchpoint.settled", {}).items():
        if fields.get("outcome") in MET:
            _add(touches, stamp, fields, "touchpoint_type")
        else:
            undone.add(fields.get("touchpoint_id"))
    # Older contact is only stored by type. It counts unless a later event says that it did not take place.
    undone.discard(None)
    for stamp, fields in facts.entries.get("touched", {}).items():
        if fields.get("touchpoint_id") not in undone:
            _add(touches, stamp, fields, "touch")
    if touches:
        touches[None] = max(touches.values())
    return touches


def _add(touches: Touches, stamp: Stamp, fields: Fields, name: str) -> None:
    at, kind = fields.get("at"), cast("str", fields.get(name) or "")
    touch = (at if isinstance(at, int) else when(stamp), stamp)
    if kind not in touches or touches[kind] < touch:
        touches[kind] = touch


def fill_days_since_types(view: AccountView, features: Iterable[tuple[str, str]]) -> None:
    """Fill `days_since_<type>`; `features`: (feature name, touchpoint type) of each.

    It counts from the last contact or from the last message of the type. A message about a meeting is not the meeting.
    """
    reached = {
        str(fields.get("touch")): stamp for stamp, fields in view.facts.entries.get("reached", {}).items()
    }
    for name, kind in features:
        touch = view.last_touch.get(kind)
        stamp = None if kind in view.meetings else reached.get(kind)
        if stamp is not None and (touch is None or touch < (when(stamp), stamp)):
            touch = (when(stamp), stamp)
        if touch is not None:
            view.count_from(name, *touch)
