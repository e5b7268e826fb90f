"""What the notifier delivers: a touchpoint event, or a notice to a customer about their own cadence.

Webhooks and the stream carry touchpoint events only.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.notices import NOTICE_REQUESTED, NoticeRequested, NoticeRhythm
from schemas.plans import Reason
from schemas.times import USUAL_QUIET_HOURS, QuietHours
from schemas.touchpoints import TouchpointData, TouchpointOwner
from schemas.vocabulary import Channel, Role, Topic

DUE: Final = "drumbeat.touchpoint.due.v1"
CANCELLED: Final = "drumbeat.touchpoint.cancelled.v1"
MOVED: Final = "drumbeat.touchpoint.moved.v1"
AUTOMATION: Final = TouchpointOwner(kind="automation")


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice with the attributes of a touchpoint: an email that automation sends for no touchpoint."""

    account_id: str
    touchpoint_type: str
    purpose: str
    audience: tuple[Role, ...]
    reason: Reason | None
    rhythms: tuple[NoticeRhythm, ...] = ()
    touchpoint_id: None = None
    owner: TouchpointOwner = AUTOMATION
    channel: Channel = "email"
    topic: Topic = "account"
    sequence: int = 0
    due_at: None = None
    deadline: None = None
    quiet_hours: QuietHours = USUAL_QUIET_HOURS


@dataclass(frozen=True, slots=True)
class Event:
    """An event as received. `data` is its raw JSON, which webhooks and the stream carry unchanged."""

    id: str
    type: str
    time: datetime
    data: bytes
    content: TouchpointData | Notice

    @property
    def notifies_people(self) -> bool:
        """Whether CSMs or customers get a message; webhooks and the stream carry the other types too."""
        return self.type in (DUE, NOTICE_REQUESTED)

    @property
    def withdrawal_reason(self) -> str | None:
        """Why messages about the touchpoint that are still pending must not be sent, or None."""
        if isinstance(self.content, Notice):
            return None
        if self.type == CANCELLED:
            return "the touchpoint was cancelled"
        if self.type == MOVED and self.content.status == "planned":
            return "the touchpoint was moved"
        return "the touchpoint was settled" if self.content.status == "settled" else None


def parse_event(event_id: str, event_type: str, time: datetime, data: bytes) -> Event:
    """A touchpoint event or a notice with its data read by the model. Raises Malformed."""
    if event_type == NOTICE_REQUESTED:
        return Event(event_id, event_type, time, data, _notice(NoticeRequested.read(data)))
    return Event(event_id, event_type, time, data, TouchpointData.read(data))


def readable_name(name: str) -> str:
    """A name of the vocabulary in words: `business_review` -> `business review`."""
    return name.replace("_", " ")


def _notice(requested: NoticeRequested) -> Notice:
    return Notice(
        account_id=requested.account_id,
        touchpoint_type=requested.kind,
        purpose=requested.text,
        audience=requested.audience,
        reason=requested.reason,
        rhythms=requested.rhythms,
    )
