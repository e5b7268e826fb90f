"""An announcement: what the scheduler said about a touchpoint, as the notifier hears it.

A notice (what the rules engine wants a customer told about the rhythm itself) is one too: it has no
touchpoint, and neither webhooks nor the stream carry it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

TouchpointKind = Literal["scheduled", "moved", "cancelled", "reminder", "due", "overdue"]
Kind = TouchpointKind | Literal["notice"]
KINDS: tuple[TouchpointKind, ...] = get_args(TouchpointKind)

HUMAN_OWNERS = frozenset({"csm", "pooled_csm", "sales"})


def type_of(kind: Kind) -> str:
    return "drumbeat.notice.requested.v1" if kind == "notice" else f"drumbeat.touchpoint.{kind}.v1"


@dataclass(frozen=True, slots=True)
class Owner:
    kind: str
    csm_id: str | None
    email: str | None

    @property
    def human(self) -> bool:
        return self.kind in HUMAN_OWNERS


@dataclass(frozen=True, slots=True)
class Announcement:
    """`data` is the JSON object as heard: webhooks and the stream carry it unchanged."""

    event_id: str
    kind: Kind
    time: datetime
    touchpoint_id: str | None
    account_id: str
    touchpoint_type: str
    status: str
    sequence: int
    owner: Owner
    channel: str
    data: bytes
    purpose: str | None = None
    topic: str | None = None
    audience: tuple[str, ...] = ()
    reason_text: str | None = None
    due_at: datetime | None = None
    deadline: datetime | None = None

    @property
    def type(self) -> str:
        return type_of(self.kind)

    @property
    def tells(self) -> bool:
        """Whether people are told of it, and not only tools."""
        return self.kind in ("due", "notice")

    @property
    def withdraws(self) -> str | None:
        """Why what was not yet sent about this touchpoint must not be sent any more, or None."""
        if self.kind == "cancelled":
            return "the touchpoint was cancelled"
        if self.kind == "moved" and self.status == "planned":
            return "the touchpoint was moved"
        return "the touchpoint was settled" if self.status == "settled" else None
