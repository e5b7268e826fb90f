"""Issued touchpoints: what came due for an account and how it ended, from touchpoint events and outcomes.

Cool-downs, caps and limits read them. Each field of a touchpoint belongs to the latest (time, source, id) that set it,
so the order of arrival does not matter, as with facts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from schemas.times import format_instant
from services.cadence.account.merging import merge_fields
from services.cadence.account.stamps import Fields, StampedFields, plain, stamp_of
from services.cadence.account.state import FactEvent

TOUCHPOINTS_KEPT = 96
ONLY_ISSUED = frozenset({"touchpoint.due", "touchpoint.overdue", "touchpoint.cancelled"})
"""Event types that change issued touchpoints and no facts."""
TYPES = ONLY_ISSUED | {"touchpoint.settled", "delivery.finished", "message.engaged"}
"""Event types that change issued touchpoints."""


@dataclass(slots=True)
class Issued:
    """Touchpoint id -> its fields, of the `TOUCHPOINTS_KEPT` touchpoints with the newest events."""

    touches: dict[str, StampedFields] = field(default_factory=dict)

    def read(self, types: frozenset[str]) -> dict[str, dict[str, Fields]]:
        """Touchpoint type -> touchpoint id -> fields, of the touchpoints of `types` and of all one-offs of a plan."""
        touchpoints: dict[str, dict[str, Fields]] = {}
        for key, stamped in self.touches.items():
            for fields in stamped.values():
                kind = fields.get("type")
                if isinstance(kind, str) and (kind in types or "reason_policy" in fields):
                    touchpoints.setdefault(kind, {})[key] = _unstamped(stamped)
                    break
        return touchpoints


def _unstamped(stamped: StampedFields) -> Fields:
    if len(stamped) == 1:
        return next(iter(stamped.values()))
    return {name: value for fields in stamped.values() for name, value in fields.items()}


def apply_issued(issued: Issued, event: FactEvent) -> bool:
    """Apply one event of `TYPES`. Returns whether anything changed.

    `event.fields` are nested as in the JSON (`window`, `owner`, `reason`, `cause`), with instants as datetimes.
    """
    touchpoint_id = event.fields.get("touchpoint_id")
    fields = _issued_fields(event)
    if not isinstance(touchpoint_id, str) or not fields:
        return False
    stamped = issued.touches.setdefault(touchpoint_id, {})
    changed, _ = merge_fields(stamped, stamp_of(event.provenance), fields)
    if len(issued.touches) > TOUCHPOINTS_KEPT:
        oldest = min(issued.touches, key=lambda key: (max(issued.touches[key]), key))
        del issued.touches[oldest]
    return changed


def _issued_fields(event: FactEvent) -> Fields:
    fields = event.fields
    at = plain(fields.get("at") or event.provenance.time)
    match event.type:
        case "touchpoint.due" | "touchpoint.overdue":
            return _due_fields(fields)
        case "touchpoint.cancelled":
            # The note starts with the kind of closure: `withdrawn: ...`, `expired: ...`.
            why = str(fields.get("note") or "").partition(":")[0]
            return {**_type(fields), "ended": "cancelled", "ended_at": at, "ended_why": why}
        case "touchpoint.settled":
            # A rescheduled touchpoint is open again, so an earlier end no longer counts.
            if fields.get("outcome") == "rescheduled":
                return {**_type(fields), "ended": None, "ended_at": None, "ended_why": None}
            outcome = plain(fields.get("outcome"))
            return {**_type(fields), "ended": outcome, "ended_at": at, "ended_why": None}
        case "delivery.finished":
            return {**_type(fields), "delivery": plain(fields.get("state")), "delivery_at": at}
        case "message.engaged":
            return {"engaged": plain(fields.get("kind")), "engaged_at": at}
        case _:
            return {}


def _type(fields: Mapping[str, object]) -> Fields:
    kind = fields.get("touchpoint_type")
    return {"type": kind} if isinstance(kind, str) else {}


def _due_fields(fields: Mapping[str, object]) -> Fields:
    reason = _nested(fields, "reason")
    due: Fields = {**_type(fields), "due_at": plain(fields.get("due_at"))}
    # Only a one-off of a plan is stored whole, because it stays in the plan after it came due. A rhythm is evaluated
    # anew each time, and a touchpoint that a person created is in no plan.
    if fields.get("occurrence") is not None or not reason.get("policy"):
        return due
    for name in ("released_at", "deadline", "channel", "purpose"):
        due[name] = plain(fields.get(name))
    parts = {"window": ("from", "to"), "owner": ("kind", "csm_id"), "reason": ("rule", "policy", "text")}
    for name, keys in parts.items():
        part = _nested(fields, name)
        due.update({f"{name}_{key}": plain(part.get(key)) for key in keys})
    due["reason_facts"] = json.dumps(reason.get("facts") or (), default=_json_value, separators=(",", ":"))
    return due


def _nested(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = fields.get(name)
    return cast("Mapping[str, object]", part) if isinstance(part, Mapping) else {}


def _json_value(value: object) -> str:
    return format_instant(value) if isinstance(value, datetime) else str(value)
