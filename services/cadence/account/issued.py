"""Issued: what has come due for an account and how it ended, as heard from the scheduler and from outcomes.

Cool-downs and "one ask, whichever fact owns it" read this. Each field of a touchpoint belongs to the latest
(time, source, id) that spoke of it, so hearing is order-proof as facts are.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from services.cadence.account import FactEvent, Fields, StampedFields, merge_fields, plain, stamp_of

KEPT = 96
ANNOUNCED = frozenset({"touchpoint.due", "touchpoint.overdue"})
ONLY_ISSUED = ANNOUNCED | {"touchpoint.cancelled"}
"""Types that change what was issued and no fact."""
TYPES = frozenset(
    {*ANNOUNCED, "touchpoint.cancelled", "touchpoint.settled", "delivery.finished", "message.engaged"}
)


@dataclass(slots=True)
class Issued:
    """What came due or ended, by touchpoint id; the newest `KEPT` by when they were last heard of."""

    touches: dict[str, StampedFields] = field(default_factory=dict[str, StampedFields])

    def read(self, types: frozenset[str]) -> dict[str, dict[str, Fields]]:
        """By type and touchpoint: those of `types`, and whatever else sprang from a fact."""
        found: dict[str, dict[str, Fields]] = {}
        for key, held in self.touches.items():
            for said in held.values():
                kind = said.get("type")
                if isinstance(kind, str) and (kind in types or "reason_policy" in said):
                    found.setdefault(kind, {})[key] = _flat(held)
                    break
        return found


def _flat(held: StampedFields) -> Fields:
    if len(held) == 1:
        (only,) = held.values()
        return only
    return {name: value for said in held.values() for name, value in said.items()}


def apply_issued(issued: Issued, event: FactEvent) -> bool:
    """Fold one event of `TYPES` (short names); True when it changed something.

    `event.fields` are the wire's, nested as there (`window`, `owner`, `reason`, `cause`), instants as datetimes.
    """
    touchpoint_id = event.fields.get("touchpoint_id")
    said = _said(event)
    if not isinstance(touchpoint_id, str) or not said:
        return False
    changed, _ = merge_fields(issued.touches.setdefault(touchpoint_id, {}), stamp_of(event.provenance), said)
    if len(issued.touches) > KEPT:
        oldest = min(issued.touches, key=lambda key: (max(issued.touches[key]), key))
        del issued.touches[oldest]
    return changed


def _said(event: FactEvent) -> Fields:
    fields = event.fields
    at = plain(fields.get("at") or event.provenance.time)
    match event.type:
        case "touchpoint.due" | "touchpoint.overdue":
            return _announced(fields)
        case "touchpoint.cancelled":
            # The note opens with how it was closed: `withdrawn: ...`, `expired: ...`.
            why = str(fields.get("note") or "").partition(":")[0]
            return {**_typed(fields), "ended": "cancelled", "ended_at": at, "ended_why": why}
        case "touchpoint.settled":
            # A touchpoint put off to another day is open again: whatever ended it before no longer holds.
            if fields.get("outcome") == "rescheduled":
                return {**_typed(fields), "ended": None, "ended_at": None, "ended_why": None}
            outcome = plain(fields.get("outcome"))
            return {**_typed(fields), "ended": outcome, "ended_at": at, "ended_why": None}
        case "delivery.finished":
            return {**_typed(fields), "delivery": plain(fields.get("state")), "delivery_at": at}
        case "message.engaged":
            return {"engaged": plain(fields.get("kind")), "engaged_at": at}
        case _:
            return {}


def _typed(fields: Mapping[str, object]) -> Fields:
    kind = fields.get("touchpoint_type")
    return {"type": kind} if isinstance(kind, str) else {}


def _announced(fields: Mapping[str, object]) -> Fields:
    reason = _part(fields, "reason")
    said: Fields = {**_typed(fields), "due_at": plain(fields.get("due_at"))}
    # A rhythm states itself anew, and what a person planned is not the plan's; a one-off of the plan stays in it
    # after it came due, so it is kept whole.
    if fields.get("occurrence") is not None or not reason.get("policy"):
        return said
    for name in ("released_at", "deadline", "channel", "purpose"):
        said[name] = plain(fields.get(name))
    for name, of in (
        ("window", ("from", "to")),
        ("owner", ("kind", "csm_id")),
        ("reason", ("rule", "policy", "text")),
    ):
        part = _part(fields, name)
        said.update({f"{name}_{key}": plain(part.get(key)) for key in of})
    said["reason_facts"] = json.dumps(reason.get("facts") or (), default=_text, separators=(",", ":"))
    return said


def _part(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = fields.get(name)
    return cast("Mapping[str, object]", part) if isinstance(part, Mapping) else {}


def _text(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
