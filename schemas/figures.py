"""Figures of accounts for messages: the notifier asks the rules engine for them when it writes a message.

`POST /v1/figures` of the rules engine takes `FiguresWanted` and answers `FiguresFound`. They are asked for and never sent
around, so that a message has the figures of the moment in which it is written.
"""

from typing import Annotated

from pydantic import Field

from schemas.base import Count, Id, LongText, Money, Name, Quantity, SchemaModel, Text
from schemas.plans import About
from schemas.times import Day, Instant
from schemas.vocabulary import Channel, Color, MilestoneKind, ProgramKind, Segment, Stage

MOST_WANTED = 100


class FiguresRequest(SchemaModel):
    """One account, the thing a message is about, and the kind of program it presents."""

    account_id: Id
    about: About | None = None
    program_kind: ProgramKind | None = None
    """Present the program that `about` names, else the newest of this kind that is for the account."""


class FiguresWanted(SchemaModel):
    items: Annotated[tuple[FiguresRequest, ...], Field(min_length=1, max_length=MOST_WANTED)]


class FeatureUse(SchemaModel):
    """How often a feature was used in the last 30 days, and in the 30 before. null: not known."""

    name: Name
    count: Count
    before: Count | None = None


class LimitUse(SchemaModel):
    """A limit of the contract and how much of it is used. `limit` null: unlimited."""

    name: Name
    used: Quantity
    limit: Quantity | None = None


class WeekOfUse(SchemaModel):
    """Active users on average in a week that begins on this day. null: not reported."""

    begins_on: Day
    active_users: Quantity | None = None


class UsageFigures(SchemaModel):
    """Usage of the last 30 days against the 30 before; each number is null when it is not known, never 0 instead."""

    begins_on: Day
    ends_on: Day
    """The last day with a report."""
    active_users: Quantity | None = None
    """On average in the last 30 days."""
    active_users_before: Quantity | None = None
    seats: Count | None = None
    """The latest that was reported."""
    seats_used: Count | None = None
    seats_used_before: Count | None = None
    """The latest of the 30 days before."""
    events: Count | None = None
    events_before: Count | None = None
    features: tuple[FeatureUse, ...] = ()
    """The most used first, at most ten."""
    limits: tuple[LimitUse, ...] = ()
    weeks: tuple[WeekOfUse, ...] = ()
    """At most the last thirteen, oldest first."""


class ContractFigures(SchemaModel):
    """The term a message is about, else the running one that ends first."""

    contract_id: Id
    starts_on: Day | None = None
    renews_on: Day | None = None
    """The end of that term."""
    notice_on: Day | None = None
    auto_renew: bool | None = None
    is_assumed: bool = False
    """The date was not told: the contract renewed itself one term after the last that was."""
    arr: Money | None = None
    currency: str | None = None


class ProgramFigures(SchemaModel):
    """A release, webinar, newsletter or event as it was announced."""

    program_id: Id
    kind: ProgramKind | None = None
    title: Text | None = None
    at: Instant | None = None
    ends_at: Instant | None = None
    url: str | None = None
    body: dict[str, LongText] = Field(default_factory=dict)
    """Language -> Markdown."""


class MilestoneFigures(SchemaModel):
    """A milestone reached in the last 90 days."""

    milestone: Text
    kind: MilestoneKind | None = None
    reached_at: Instant


class RequestFigures(SchemaModel):
    """A request of the customer that has no answer yet."""

    request_id: Id
    received_at: Instant
    channel: Channel | None = None


class ConversationFigures(SchemaModel):
    """The last conversation with the account: a call or meeting that took place, or contact that was logged."""

    at: Instant
    touchpoint_type: Name | None = None
    channel: Channel | None = None
    notes: LongText | None = None


class AccountFigures(SchemaModel):
    """What is known of an account as of now. For an account that does not exist only `account_id` is there."""

    account_id: Id
    name: Name | None = None
    language: str | None = None
    arr: Money | None = None
    currency: str | None = None
    segment: Segment | None = None
    stage: Stage | None = None
    color: Color | None = None
    health_score: Quantity | None = None
    nps_score: Count | None = None
    usage: UsageFigures | None = None
    contract: ContractFigures | None = None
    program: ProgramFigures | None = None
    milestones: tuple[MilestoneFigures, ...] = ()
    """The newest first, at most ten."""
    requests: tuple[RequestFigures, ...] = ()
    """The oldest first, at most ten."""
    conversation: ConversationFigures | None = None


class FiguresFound(SchemaModel):
    """In the order of the request."""

    items: tuple[AccountFigures, ...]
