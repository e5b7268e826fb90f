"""The calendar as it stands: what the scheduler answers to the rules engine, which simulates a book from it."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Id, LongText, Minutes, Name, SchemaModel, Text
from schemas.plans import About, Cause, PlanAdjusted, Reason
from schemas.times import USUAL_QUIET_HOURS, Away, Instant, QuietHours
from schemas.vocabulary import Channel, CsmRole, Owner, Precedence, Priority, Role, Topic, TouchpointStatus

MOST_ACCOUNTS = 500


class TouchpointContent(SchemaModel):
    """What a touchpoint is about. The open occurrences of a rhythm share the content of their rhythm."""

    channel: Channel
    purpose: Text
    topic: Topic | None
    audience: tuple[Role, ...]
    reason: Reason
    quiet_hours: QuietHours = USUAL_QUIET_HOURS
    precedence: Precedence = "default"
    priority: Priority | None = None
    about: About | None = None
    cause: Cause | None = None


class StandingTouchpoint(SchemaModel):
    """A touchpoint that is open, that the plan names, of the calendar itself, or that may come back."""

    id: Id
    type: Name
    origin: Literal["rhythm", "one_off", "hand", "calendar"]
    status: TouchpointStatus
    due_at: Instant
    start_at: Instant
    end_at: Instant
    deadline: Instant | None = None
    owner: Owner
    csm_id: Id | None = None
    minutes: int = 0
    number: int | None = None
    pinned: bool = False
    sequence: int = 1
    released_at: Instant | None = None
    content: TouchpointContent | None = None
    """null: that of its rhythm."""
    closure: Name | None = None
    """The kind of a cancellation."""
    closure_text: LongText = ""
    follows: Id | None = None
    shift: LongText | None = None
    """Why it is not due at `start_at`."""
    group: Id | None = None
    move_reason: LongText | None = None
    earliest_at: Instant | None = None
    """With `latest_at`: the window in which it may be levelled."""
    latest_at: Instant | None = None
    soft_days: int = 0


class StandingFormer(SchemaModel):
    """Moments that a rhythm had with another interval."""

    every_days: int
    owner: Owner
    anchor: Instant
    after: Instant
    left_at: Instant
    rrule: str | None = None


class StandingSeries(SchemaModel):
    """A rhythm as the calendar stores it."""

    type: Name
    every_days: int
    anchor: Instant
    until: Instant | None = None
    last_number: int
    active: bool
    content: TouchpointContent
    owner: Owner
    csm_id: Id | None = None
    minutes: int
    left_out: tuple[Instant, ...] = ()
    former: tuple[StandingFormer, ...] = ()
    phase_from: Instant | None = None
    phase_to: Instant | None = None
    rrule: str | None = None


class StandingAccount(SchemaModel):
    """The calendar of one account. `timezone` to `region`, `csm_id`, `sales_id` and `pool` are the directory's."""

    account_id: Id
    timezone: str | None = None
    zones: tuple[str, ...] = ()
    country: str | None = None
    region: str | None = None
    csm_id: Id | None = None
    sales_id: Id | None = None
    pool: Name | None = None
    pooled_csm: Id | None = None
    """Who of its pool leads it."""
    sales: Id | None = None
    """Who of sales leads it."""
    handovers: Annotated[dict[Id, Id], Field(max_length=1000)] = {}  # noqa: RUF012
    """By the person whom plan and directory name the one who leads instead."""
    plan: PlanAdjusted | None = None
    """The plan that the calendar follows."""
    spec: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    """A digest of what decides when its touchpoints are; null: not known."""
    last_due_at: Annotated[dict[Name, Instant], Field(max_length=1000)] = {}  # noqa: RUF012
    """By touchpoint type."""
    series: tuple[StandingSeries, ...] = ()
    touchpoints: tuple[StandingTouchpoint, ...] = ()


class StandingPerson(SchemaModel):
    """Somebody who leads touchpoints. `working_days`: 0 is Monday; null: the usual ones."""

    csm_id: Id
    name: Name | None = None
    timezone: str | None = None
    country: str | None = None
    region: str | None = None
    time_off: tuple[Away, ...] = ()
    busy: tuple[int, ...] = ()
    """When their own calendar has something else: starts and ends by turns, in microseconds since 1970."""
    weekly_minutes: Minutes | None = None
    working_days: tuple[int, ...] | None = None
    day_start: str | None = None
    """`HH:MM`."""
    day_end: str | None = None
    pool: Name | None = None
    role: CsmRole | None = None
    described: bool = True
    """false: no directory record describes the person."""
    levelled: bool = False
    """Whether the person's book was levelled before."""


class StandingPage(SchemaModel):
    """Accounts in the order of their ids. `people` and `left` are on the first page only."""

    items: tuple[StandingAccount, ...]
    people: tuple[StandingPerson, ...] = ()
    left: tuple[Id, ...] = ()
    """People who have left and whose accounts are being shared out."""
    next_cursor: str | None = None
