"""The whole plan of an account, as the rules engine publishes it and the scheduler reconciles its calendar with it."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, JsonValue

from schemas.base import Id, LongText, Name, SchemaModel, Text, Version
from schemas.recurrence_dates import read_rule
from schemas.recurrence_rule import MOST_LENGTH
from schemas.times import USUAL_QUIET_HOURS, Day, Instant, QuietHours, Window
from schemas.vocabulary import (
    Channel,
    Color,
    Owner,
    Precedence,
    Priority,
    Role,
    Segment,
    Stage,
    Topic,
    Urgency,
)

PLAN_ADJUSTED: Final = "drumbeat.plan.adjusted.v1"


class FactRef(SchemaModel):
    """A fact that a rule read, and the event it came from."""

    name: Name
    value: JsonValue = None
    source: str | None = None
    id: str | None = None
    time: Instant | None = None


class Reason(SchemaModel):
    """Why: the rule, the hash of its policy, the facts the rule read, and a sentence for people."""

    rule: Name
    policy: str
    facts: tuple[FactRef, ...] = ()
    text: LongText


class Cause(SchemaModel):
    """The identity of the event that caused a one-off touchpoint."""

    source: str
    id: str


class About(SchemaModel):
    """The thing a one-off is about, so that its message names the dates of that thing and of no other."""

    contract_id: Id | None = None
    renews_on: Day | None = None
    """The end of the term it is about."""
    notice_on: Day | None = None
    """The last day for notice to that term."""
    program_id: Id | None = None


def _check_rule(text: str) -> str:
    read_rule(text)
    return text


RecurrenceText = Annotated[str, Field(max_length=MOST_LENGTH), AfterValidator(_check_rule)]
"""The value of an RRULE (RFC 5545 section 3.3.10) without start, end and time of day; see `schemas.recurrence_rule`."""


class RhythmItem(SchemaModel):
    """A touchpoint type that repeats every `every_days` days, or by `rrule`."""

    touchpoint_type: Name
    every_days: Annotated[int, Field(ge=1, le=3660)]
    channel: Channel
    owner: Owner
    reason: Reason
    csm_id: Id | None = None
    purpose: Text = ""
    topic: Topic | None = None
    """null: internal work, no customer is contacted."""
    minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    urgency: Urgency = "spread"
    """When the first touchpoint takes place: as `soon` as the last contact allows, or `spread` over the interval."""
    last_touch_at: Instant | None = None
    audience: tuple[Role, ...] = ()
    never_skip: bool = False
    """A touchpoint may move, but one takes place in every period."""
    precedence: Precedence = "default"
    """Of the rule."""
    rrule: RecurrenceText | None = None
    """Its days by the calendar; `every_days` is their mean interval. null: every `every_days` days."""
    priority: Priority | None = None
    """The higher is given up later when the weeks of its owner cannot hold all; null: by its precedence."""
    folds_into: tuple[Name, ...] = ()
    """Types of rhythms that take in its occurrences within three days of theirs, for the same person."""


class OneOffItem(SchemaModel):
    """A single touchpoint with a window. Its id is derived from its cause."""

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
    """Not created when a touchpoint of the same type came due within so many days."""
    cause: Cause | None = None
    never_skip: bool = False
    precedence: Precedence = "default"
    """Of the rule."""
    priority: Priority | None = None
    """The higher is given up later when the weeks of its owner cannot hold all; null: by its precedence."""
    about: About | None = None
    """null: about the account as a whole."""


class Avoid(SchemaModel):
    """A period in which no touchpoint of these types takes place: a pause or a blackout. `to` itself is outside it."""

    name: Name
    from_: Instant = Field(validation_alias="from", serialization_alias="from")
    to: Instant | None = None
    """null: until further notice."""
    touchpoint_types: tuple[Name, ...] = ()
    """Empty: all types that contact a customer (whose `topic` is not null)."""
    text: LongText = ""
    first_on: Day | None = None
    """Of a blackout: its first day, by the customer's clocks; `from` is where it begins in UTC. null: a pause."""
    last_on: Day | None = None
    """Of a blackout: its last day, included; `to` is where it ends in UTC."""


class Change(SchemaModel):
    """One difference from the previous plan, for people. The scheduler compares plans itself."""

    what: Literal["rhythm", "touchpoint"]
    kind: Literal["added", "changed", "withdrawn"]
    touchpoint_type: Name
    id: Id | None = None
    text: Text


class Plan(SchemaModel):
    """What should happen with an account, whole: evaluation returns it, the outbox carries it, the scheduler keeps it."""

    rhythms: tuple[RhythmItem, ...] = ()
    """At most one per touchpoint type, in order of type."""
    touchpoints: tuple[OneOffItem, ...] = ()
    """One-offs in order of window and id."""
    avoid: tuple[Avoid, ...] = ()
    """In order of time."""
    withdrawn: tuple[Id, ...] = ()
    """One-offs that came due after an answer which the same person revised since: cancelled unless somebody acted."""
    quiet_hours: QuietHours = USUAL_QUIET_HOURS


class PlanAdjusted(Plan):
    """The plan of an account, whole; the highest version wins."""

    account_id: Id
    version: Version
    policy: str
    changes: tuple[Change, ...] = ()
    merged_from: tuple[Id, ...] = ()
    """Accounts that were merged into this one: their calendars move to it."""
    decided_at: Instant
    segment: Segment | None = None
    stage: Stage | None = None
    color: Color | None = None
