"""Issued: what has come due for an account and how it ended, as heard from the scheduler and from outcomes.

Cool-downs and "one ask, whichever fact owns it" read this. Each aspect of a touchpoint (announced, closed, delivered) is
owned by the latest (time, source, id), so hearing is order-proof like facts are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.rules_engine.domain.facts import FactEvent, Fields, Held, Mark, mark_of, plain, settle

KEPT = 64
ANNOUNCED = ("touchpoint.due", "touchpoint.overdue")
TYPES = frozenset(
    {*ANNOUNCED, "touchpoint.cancelled", "touchpoint.settled", "delivery.finished", "message.engaged"}
)
TOLD = (
    "type",
    "released_at",
    "due_at",
    "window_from",
    "window_to",
    "deadline",
    "owner",
    "csm_id",
    "channel",
    "purpose",
    "rule",
    "policy",
    "text",
    "evidence",
    "cause_source",
    "cause_id",
)
"""What is kept of an announcement; the reason's facts travel in `evidence` as one JSON text."""


@dataclass(slots=True)
class Touch:
    """One touchpoint. `held` keeps each field under the stamp that said it last."""

    held: Held = field(default_factory=dict[Mark, Fields])

    def fields(self) -> Fields:
        return {name: value for said in self.held.values() for name, value in said.items()}


@dataclass(slots=True)
class Issued:
    """What came due, by touchpoint id; the newest `KEPT` by when they were last heard of."""

    touches: dict[str, Touch] = field(default_factory=dict[str, Touch])


def hear(issued: Issued, event: FactEvent) -> bool:
    """Fold one event of `TYPES` (short names); True when it changed something.

    Fields of `touchpoint.due|overdue|cancelled`: those of the wire, flat or nested (`window`, `owner`, `reason`, `cause`).
    """
    touchpoint_id = event.fields.get("touchpoint_id")
    said = _said(event.type, event.fields)
    if not isinstance(touchpoint_id, str) or not said:
        return False
    touch = issued.touches.setdefault(touchpoint_id, Touch())
    changed, _ = settle(touch.held, mark_of(event.stamp), said)
    if len(issued.touches) > KEPT:
        oldest = min(issued.touches, key=lambda key: (max(issued.touches[key].held), key))
        del issued.touches[oldest]
        changed = changed or oldest != touchpoint_id
    return changed


def _said(kind: str, fields: Mapping[str, object]) -> Fields:
    match kind:
        case "touchpoint.due" | "touchpoint.overdue":
            return {"type": plain(fields.get("touchpoint_type"))}
        case _:
            return {}
