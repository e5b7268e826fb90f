"""The last contact with the customer, of a person and by touchpoint type."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from services.cadence.account import Facts, Plain, Stamp, when
from services.cadence.account.merging import SUPERSEDED
from services.cadence.account.retention import MET
from services.cadence.features.view import AccountView

Touches = dict[str | None, tuple[int, Stamp]]
"""Touchpoint type ("": none, None: any contact of a person) -> (time of the last one in microseconds, its event)."""


def last_touches(view: AccountView) -> Touches:
    """Impersonal types reach nobody in person; like contact in the product they are no contact of a person."""
    facts, impersonal = view.facts, view.settings.impersonal
    touches: Touches = {}
    undone: set[object] = set()
    for thing in view.things("interaction.logged"):
        in_product = thing.fields.get("channel") == "in_app"
        _add(
            touches,
            (thing.at, thing.stamp),
            thing.fields.get("touchpoint_type"),
            impersonal,
            in_product=in_product,
        )
    for thing in view.things("touchpoint.settled"):
        if thing.fields.get("outcome") in MET:
            _add(touches, (thing.at, thing.stamp), thing.fields.get("touchpoint_type"), impersonal)
        else:
            undone.add(thing.fields.get("touchpoint_id"))
    # Older contact is only stored by type. It counts unless a later event says that it did not take place.
    undone.discard(None)
    for stamp, fields in facts.entries.get("touched", {}).items():
        if fields.get("touchpoint_id") not in undone and not _is_superseded(facts, stamp):
            at = fields.get("at")
            moment = at if isinstance(at, int) else when(stamp)
            _add(touches, (moment, stamp), fields.get("touch"), impersonal)
    return touches


def _is_superseded(facts: Facts, stamp: Stamp) -> bool:
    kinds = ("interaction.logged", "touchpoint.settled")
    return any(SUPERSEDED in facts.entries.get(kind, {}).get(stamp, ()) for kind in kinds)


def _add(
    touches: Touches,
    touch: tuple[int, Stamp],
    touchpoint_type: Plain,
    impersonal: AbstractSet[str],
    *,
    in_product: bool = False,
) -> None:
    kind = str(touchpoint_type or "")
    for key in (kind,) if kind in impersonal or in_product else (kind, None):
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
        stamp = None if kind in view.settings.meetings else reached.get(kind)
        if stamp is not None and (touch is None or touch < (when(stamp), stamp)):
            touch = (when(stamp), stamp)
        if touch is not None:
            view.count_from(name, *touch)
