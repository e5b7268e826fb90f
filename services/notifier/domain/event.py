"""What the notifier delivers: a touchpoint event, or a notice to a customer about their own cadence.

Webhooks and the stream carry touchpoint events only.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from schemas.notices import NOTICE_REQUESTED, NoticeCause, NoticePhase, NoticeRequested, NoticeRhythm
from schemas.plans import Reason
from schemas.times import USUAL_QUIET_HOURS, QuietHours
from schemas.touchpoints import TouchpointData, TouchpointOwner
from schemas.vocabulary import Channel, Precedence, Role, Topic
from services.notifier.domain.acts import OWNERS_WHO_ARE_PEOPLE

SCHEDULED: Final = "drumbeat.touchpoint.scheduled.v1"
DUE: Final = "drumbeat.touchpoint.due.v1"
CANCELLED: Final = "drumbeat.touchpoint.cancelled.v1"
MOVED: Final = "drumbeat.touchpoint.moved.v1"
OVERDUE: Final = "drumbeat.touchpoint.overdue.v1"
REMINDER: Final = "drumbeat.touchpoint.reminder.v1"
AT_RISK: Final = "drumbeat.touchpoint.at_risk.v1"
TODAY: Final = "drumbeat.touchpoint.today.v1"
"""Kept by the notifier alone: a touchpoint of the calendar that the mail of a person's day lists."""
CONTENT: Final = ":content"
"""What the id of an event ends in that has the message which a platform sends."""
REMINDERS: Final = "reminder"
"""The type under which the reminders of every touchpoint are written and listed: they are not the touchpoint itself."""
AUTOMATION: Final = TouchpointOwner(kind="automation")


class News(StrEnum):
    """What an event tells people."""

    DUE = "due"
    OVERDUE = "overdue"
    CANCELLED = "cancelled"
    MOVED = "moved"
    REASSIGNED = "reassigned"
    REMINDER = "reminder"
    AT_RISK = "at_risk"


_NEWS: Final = {
    CANCELLED: News.CANCELLED,
    OVERDUE: News.OVERDUE,
    REMINDER: News.REMINDER,
    AT_RISK: News.AT_RISK,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice with the attributes of a touchpoint: an email that automation sends for no touchpoint."""

    account_id: str
    touchpoint_type: str
    purpose: str
    audience: tuple[Role, ...]
    reason: Reason | None
    rhythms: tuple[NoticeRhythm, ...] = ()
    phases: tuple[NoticePhase, ...] = ()
    cause: NoticeCause = "other"
    touchpoint_id: None = None
    owner: TouchpointOwner = AUTOMATION
    channel: Channel = "email"
    topic: Topic = "account"
    sequence: int = 0
    due_at: None = None
    deadline: None = None
    precedence: Precedence = "default"
    previous_owner: None = None
    actor_id: None = None
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
        """Whether people of ours or customers may get a message; webhooks and the stream carry the other types too."""
        return self.type in (DUE, NOTICE_REQUESTED, OVERDUE, CANCELLED, MOVED, REMINDER, AT_RISK)

    @property
    def concerns_calendars(self) -> bool:
        """Whether it may change what people have in their calendars of something that is still to come."""
        if isinstance(self.content, Notice) or self.content.topic is None:
            return False
        return self.type == CANCELLED or (
            self.type in (SCHEDULED, MOVED) and self.content.status == "planned"
        )

    @property
    def news(self) -> News:
        """What it tells people."""
        if self.type == MOVED:
            return News.MOVED if self.content.previous_owner is None else News.REASSIGNED
        return _NEWS.get(self.type, News.DUE)

    @property
    def message_type(self) -> str:
        """The type under which its messages are written and listed."""
        return REMINDERS if self.news is News.REMINDER else self.content.touchpoint_type

    @property
    def customer_channel(self) -> Channel:
        """The channel over which it reaches customers; a reminder of a meeting is a mail."""
        return "email" if self.news is News.REMINDER else self.content.channel

    @property
    def has_first_owner(self) -> bool:
        """Whether a plan gives what is still planned to somebody, and nobody had it before."""
        if isinstance(self.content, Notice) or self.content.status != "planned":
            return False
        return (
            self.content.changed_by == "plan"
            and self.previous_csm_id is None
            and self.news is News.REASSIGNED
        )

    def is_handed_off(self, platform: str | None) -> bool:
        """Whether this platform (None: there is none) writes to the customer: what comes due and no person leads."""
        is_due = self.type == DUE and self.content.touchpoint_id is not None
        return platform is not None and is_due and self.content.owner.kind not in OWNERS_WHO_ARE_PEOPLE

    @property
    def is_escalation(self) -> bool:
        return self.content.precedence == "escalation"

    @property
    def due_at(self) -> datetime | None:
        """When it came due or comes due; None for a notice."""
        return None if isinstance(self.content, Notice) else self.content.released_at or self.content.due_at

    @property
    def ends_at(self) -> datetime | None:
        """The end of its window, at the latest its deadline, of a reminder its beginning; None for a notice."""
        if isinstance(self.content, Notice):
            return None
        if self.news is News.REMINDER:
            return self.content.due_at
        end, deadline = self.content.window.to, self.content.deadline
        return end if deadline is None else min(end, deadline)

    @property
    def previous_csm_id(self) -> str | None:
        """Who had it before a change of owner."""
        owner = self.content.previous_owner
        return owner.csm_id if owner else None

    def is_act_of(self, person_id: str | None) -> bool:
        """Whether this person cancelled it, moved it or gave it away."""
        if person_id is None or self.content.actor_id != person_id:
            return False
        is_given = self.news is News.REASSIGNED and person_id == self.previous_csm_id
        return is_given or self.news in (News.CANCELLED, News.MOVED)

    @property
    def withdrawal_reason(self) -> str | None:
        """Why messages about the touchpoint that are still pending must not be sent, or None."""
        if isinstance(self.content, Notice):
            return None
        if self.type == CANCELLED:
            return "the touchpoint was cancelled"
        if self.type == MOVED and self.content.status == "planned":
            return "the touchpoint was moved"
        if self.previous_csm_id is not None:
            return "the touchpoint was handed over"
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
        phases=requested.phases,
        cause=requested.cause,
    )
