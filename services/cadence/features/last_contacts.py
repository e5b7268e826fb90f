"""The last contact with the customer, of a person and by touchpoint type."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import cast

from services.cadence.account import Facts, Fields, Stamp, when
from services.cadence.account.retention import MET
from services.cadence.features.view import AccountView

Touches = dict[str | None, tuple[int, Stamp]]
"""Touchpoint type ("": none, None: any contact of a person) -> (time of the last one in microseconds, its event)."""


def last_touches(facts: Facts, impersonal: AbstractSet[str] = frozenset()) -> Touches:
    """`impersonal`: types that reach nobody in person; like contact in the product they are no contact of a person."""
    touches: Touches = {}
    undone: set[object] = set()
    in_product: set[Stamp] = set()
    for stamp, fields in facts.entries.get("interaction.logged", {}).items():
        if fields.get("channel") == "in_app":
            in_product.add(stamp)
        _add(touches, stamp, fields, "touchpoint_type", impersonal, in_product)
    for stamp, fields in facts.entries.get("touchpoint.settled", {}).items():
        if fields.get("outcome") in MET:
            _add(touches, stamp, fields, "touchpoint_type", impersonal, in_product)
        else:
            undone.add(fields.get("touchpoint_id"))
    # Older contact is only stored by type. It counts unless a later event says that it did not take place.
    undone.discard(None)
    for stamp, fields in facts.entries.get("touched", {}).items():
        if fields.get("touchpoint_id") not in undone:
            _add(touches, stamp, fields, "touch", impersonal, in_product)
    return touches


def _add(
    touches: Touches,
    stamp: Stamp,
    fields: Fields,
    name: str,
    impersonal: AbstractSet[str],
    in_product: AbstractSet[Stamp],
) -> None:
    at, kind = fields.get("at"), cast("str", fields.get(name) or "")
    touch = (at if isinstance(at, int) else when(stamp), stamp)
    for key in (kind,) if kind in impersonal or stamp in in_product else (kind, None):
        if key not in touches or touches[key] < touch:
            touches[key] = touch


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
