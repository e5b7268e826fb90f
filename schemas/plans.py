"""The whole desired plan of an account, as the rules engine states it and the scheduler converges on it."""

from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue

from schemas.base import Id, LongText, Name, Text, Version, Wire
from schemas.times import Instant, Window
from schemas.vocabulary import Channel, Color, Owner, Role, Segment, Stage, Topic, Urgency

__all__ = [
    "PLAN_ADJUSTED",
    "Avoid",
    "Cause",
    "Change",
    "FactRef",
    "OneOffItem",
    "Owner",
    "Plan",
    "PlanAdjusted",
    "Reason",
    "RhythmItem",
    "Window",
]

PLAN_ADJUSTED: Final = "drumbeat.plan.adjusted.v1"


class FactRef(Wire):
    """A fact that a verdict read, and the event it came from."""

    name: Name
    value: JsonValue = None
    source: str | None = None
    id: str | None = None
    time: Instant | None = None


class Reason(Wire):
    """Why: the rule, the policy it stands in, the facts it read, and the same in a sentence."""

    rule: Name
    policy: str
    facts: tuple[FactRef, ...] = ()
    text: LongText


class Cause(Wire):
    """The identity of the event that a one-off touchpoint answers."""

    source: str
    id: str


class RhythmItem(Wire):
    """A touchpoint type that returns every so many days."""

    touchpoint_type: Name
    every_days: Annotated[int, Field(ge=1, le=3660)]
    channel: Channel
    owner: Owner
    reason: Reason
    csm_id: Id | None = None
    purpose: Text = ""
    topic: Topic | None = None
    """None: internal work, no customer is contacted."""
    minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    urgency: Urgency = "spread"
    """When the first one comes: as `soon` as the last contact allows, or `spread` over the interval."""
    last_touch_at: Instant | None = None
    audience: tuple[Role, ...] = ()
    never_skip: bool = False
    """It may move, but one of each period always takes place."""


class OneOffItem(Wire):
    """A single touchpoint with a window. The id derives from its cause."""

    id: Id
    touchpoint_type: Name
    window: Window
    deadline: Instant | None = None
    channel: Channel
    owner: Owner
    reason: Reason
    csm_id: Id | None = None
    purpose: Text = ""
    topic: Topic | None = None
    minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    audience: tuple[Role, ...] = ()
    spacing_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    """Not created when one of the same type came due within so many days."""
    cause: Cause | None = None
    never_skip: bool = False


class Avoid(Wire):
    """A stretch of time in which nothing of these types is to be held: a pause, a season. `to` itself is outside it."""

    name: Name
    from_: Instant = Field(validation_alias="from", serialization_alias="from")
    to: Instant | None = None
    """None: until further notice."""
    touchpoint_types: tuple[Name, ...] = ()
    """Empty: all that a customer hears of (`topic` is not null)."""
    text: LongText = ""


class Change(Wire):
    """One difference from the plan before, for people; the scheduler compares plans itself."""

    what: Literal["rhythm", "touchpoint"]
    kind: Literal["added", "changed", "withdrawn"]
    touchpoint_type: Name
    id: Id | None = None
    text: Text


class Plan(Wire):
    """What should happen with an account, whole: evaluation returns it, the outbox carries it, the scheduler keeps it."""

    rhythms: tuple[RhythmItem, ...] = ()
    """At most one per touchpoint type, in order of type."""
    touchpoints: tuple[OneOffItem, ...] = ()
    """One-offs in order of window and id."""
    avoid: tuple[Avoid, ...] = ()
    """In order of time."""


class PlanAdjusted(Plan):
    """The plan of an account, whole; the highest version wins."""

    account_id: Id
    version: Version
    policy: str
    changes: tuple[Change, ...] = ()
    decided_at: Instant
    segment: Segment | None = None
    stage: Stage | None = None
    color: Color | None = None
