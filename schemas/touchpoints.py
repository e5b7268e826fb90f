"""Touchpoint events of the scheduler: on `touchpoint.events`, to webhooks and on the live stream."""

from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from schemas.base import Id, Name, SchemaModel, Text
from schemas.plans import About, Cause, Reason
from schemas.times import USUAL_QUIET_HOURS, Instant, QuietHours, Window
from schemas.vocabulary import Channel, Owner, Precedence, Priority, Role, Topic, TouchpointStatus

CALENDAR_RULE: Final = "calendar_"
"""How the rule of the reason begins of an escalation that the calendar itself made, not a policy or a person."""
Kind = Literal["scheduled", "moved", "cancelled", "reminder", "due", "overdue", "at_risk"]
RiskCause = Literal["no_owner", "away", "closed", "paused", "avoided", "no_room", "dated_late", "unsettled"]
"""What endangers a promise: nobody leads it; its owner is away; nothing or too little is open before its moment;
outreach is paused; another time to avoid moved it; its owner's weeks are full; a person dated it later; it came due and
its time runs out without an outcome.
"""


def touchpoint_event_type(kind: Kind) -> str:
    """The event type of a kind: `due` -> `drumbeat.touchpoint.due.v1`."""
    return f"drumbeat.touchpoint.{kind}.v1"


TOUCHPOINT_EVENTS: Final = tuple(map(touchpoint_event_type, get_args(Kind)))
"""The types of the events whose data is `TouchpointData`."""


class TouchpointOwner(SchemaModel):
    """The owner: its kind, and the person when there is one."""

    kind: Owner
    csm_id: Id | None = None
    name: Name | None = None
    email: str | None = None


class TouchpointRisk(SchemaModel):
    """What will break a promise if nothing changes."""

    cause: RiskCause
    deadline: Instant
    """By when it was promised; the deadline of the touchpoint may be later where nothing is open before it."""
    detail: Text
    """In plain English: who is away until when, which days are closed, what fills the weeks."""
    since: Instant
    """When this cause was found."""


class TouchpointData(SchemaModel):
    """A touchpoint after the event. Readers keep the highest `sequence`."""

    touchpoint_id: Id
    account_id: Id
    account_name: Name | None = None
    """null: nobody told the name."""
    touchpoint_type: Name
    status: TouchpointStatus
    due_at: Instant
    released_at: Instant | None = None
    deadline: Instant | None = None
    window: Window
    owner: TouchpointOwner
    channel: Channel
    purpose: Text
    reason: Reason
    sequence: Annotated[int, Field(ge=0, le=2**31)]
    topic: Topic | None = None
    """null: internal work, no customer is contacted."""
    minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    audience: tuple[Role, ...] = ()
    quiet_hours: QuietHours = USUAL_QUIET_HOURS
    occurrence: Annotated[int, Field(ge=0, le=2**31)] | None = None
    """The number of the occurrence in its rhythm; null for a one-off."""
    previous_due_at: Instant | None = None
    """The time of a moved touchpoint before it moved."""
    url: str | None = None
    """The account's page in the console."""
    note: Text | None = None
    """Why the touchpoint moved, was cancelled or is overdue."""
    agenda: tuple[Text, ...] = ()
    """What is discussed, as the catalogue of the policy lists it."""
    expects: Text = ""
    """The outcome it should have."""
    precedence: Precedence = "default"
    """Of its rule; an escalation is told at once."""
    priority: Priority | None = None
    """When it is given up if its owner's weeks cannot hold all: 0 first, 3 never; null: by its precedence."""
    about: About | None = None
    """The contract or program it is about; null: the account as a whole."""
    cause: Cause | None = None
    """The event that caused a one-off; null: none did."""
    group: Id | None = None
    """The same for touchpoints of one cause and one person, which people see and settle as one; null: it stands alone.

    A `touchpoint.settled` event settles the one that it names.
    """
    previous_owner: TouchpointOwner | None = None
    """Who had it before a change of owner; null: the owner did not change with this event."""
    changed_by: Literal["plan", "person"] | None = None
    """Who moved, cancelled or handed it over; null: neither, as when it comes due."""
    actor_id: Id | None = None
    """The person who did that, as the request names them; null: a plan, or nobody was named."""
    risk: TouchpointRisk | None = None
    """Of `at_risk`: what endangers its promise; null in all other events."""
