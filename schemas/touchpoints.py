"""What the scheduler says of a touchpoint: on `touchpoint.events`, to webhooks and on the live stream."""

from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from schemas.base import Id, Name, Text, Wire
from schemas.plans import Reason, Window
from schemas.times import Instant
from schemas.vocabulary import Channel, Owner, Role, Topic, TouchpointStatus

Kind = Literal["scheduled", "moved", "cancelled", "reminder", "due", "overdue"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


def touchpoint_type_of_event(kind: Kind) -> str:
    """The event type of a kind: `due` -> `drumbeat.touchpoint.due.v1`."""
    return f"drumbeat.touchpoint.{kind}.v1"


TOUCHPOINT_EVENTS: Final[tuple[str, ...]] = tuple(touchpoint_type_of_event(kind) for kind in KINDS)


class TouchpointOwner(Wire):
    """Who does it: the kind of owner, and the person when there is one."""

    kind: Owner
    csm_id: Id | None = None
    email: str | None = None


class TouchpointData(Wire):
    """A touchpoint as it stands after what the event tells. Readers keep the highest `sequence`."""

    touchpoint_id: Id
    account_id: Id
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
    """None: internal work, no customer is contacted."""
    minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    audience: tuple[Role, ...] = ()
    occurrence: Annotated[int, Field(ge=0, le=2**31)] | None = None
    """The number in its rhythm; None for a one-off."""
    previous_due_at: Instant | None = None
    """Where a moved one stood before."""
    note: Text | None = None
    """Why it moved, was cancelled or is overdue."""
