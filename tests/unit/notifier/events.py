"""Events for the tests of the notifier."""

from datetime import UTC, datetime

from schemas.plans import Reason, Window
from schemas.touchpoints import TouchpointData, TouchpointOwner
from services.notifier.domain.event import DUE, Event

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
OWNERS = {
    "csm": TouchpointOwner(kind="csm", csm_id="carl"),
    "automation": TouchpointOwner(kind="automation"),
}


def due(owner_kind: str = "automation", channel: str = "email", **more: object) -> Event:
    """A touchpoint of the account `acme` that is due at noon."""
    fields: dict[str, object] = {
        "touchpoint_id": "t1",
        "account_id": "acme",
        "touchpoint_type": "tips",
        "status": "due",
        "due_at": NOON,
        "window": Window(from_=NOON, to=NOON),
        "owner": OWNERS[owner_kind],
        "channel": channel,
        "purpose": "",
        "reason": Reason(rule="tips", policy="p1", text="weekly tips"),
        "sequence": 1,
        "topic": "education",
    }
    touchpoint = TouchpointData(**{**fields, **more})  # pyright: ignore[reportArgumentType]
    return Event("t1:1:due", DUE, NOON, touchpoint.write(), touchpoint)
