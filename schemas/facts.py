"""Facts: the data of events about accounts, contacts, CSMs, contracts and programs. One model per event type.

An absent field leaves the stored value unchanged, null clears it; a required field can be neither absent nor null.
"""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from schemas.base import (
    Count,
    Currency,
    Email,
    Language,
    Minutes,
    Money,
    Phone,
    Quantity,
    SchemaModel,
    TrimmedId,
    TrimmedLongText,
    TrimmedName,
    TrimmedText,
    WebAddress,
)
from schemas.times import Away, Country, Day, Instant, Weekday, WorkingHours, Zone
from schemas.vocabulary import (
    Channel,
    Color,
    Complexity,
    ContractStatus,
    CsmRole,
    ExpansionSignal,
    MilestoneKind,
    PreferredChannel,
    PreferredFrequency,
    ProgramKind,
    Role,
    Segment,
    SurveyAnswer,
    Topic,
)

MAX_ENTRIES: Final = 500
"""Entries that one list or map of an event may have."""
MAX_LANGUAGES: Final = 50
"""Languages in which a program may have its body, and systems in which an account may have an id."""


class AccountDescribed(SchemaModel):
    """An account: its size, place, language and CSM."""

    name: TrimmedName | None = None
    arr: Money | None = None
    currency: Currency | None = None
    industry: TrimmedName | None = None
    country: Country | None = None
    region: TrimmedName | None = None
    timezone: Zone | None = None
    language: Language | None = None
    complexity: Complexity | None = None
    csm_id: TrimmedId | None = None
    sales_id: TrimmedId | None = None
    pool: TrimmedName | None = None
    paid_success: bool | None = None
    segment: Segment | None = None
    """Overrides the segment that the policy derives."""
    external_ids: Annotated[dict[TrimmedName, TrimmedId], Field(max_length=MAX_LANGUAGES)] | None = None
    """Other system -> the account's id there."""
    parent_id: TrimmedId | None = None


class ContactDescribed(SchemaModel):
    """A person at the customer. The contact id is unique in the deployment."""

    contact_id: TrimmedId
    name: TrimmedName | None = None
    email: Email | None = None
    role: Role | None = None
    language: Language | None = None
    timezone: Zone | None = None
    phone: Phone | None = None
    slack: TrimmedName | None = None


class ContactLeft(ContactDescribed):
    """A person has left the customer."""


class CsmDescribed(SchemaModel):
    """A customer success manager: working hours, time zone and capacity. The event's subject is the CSM's id."""

    name: TrimmedName | None = None
    email: Email | None = None
    phone: Phone | None = None
    language: Language | None = None
    country: Country | None = None
    region: TrimmedName | None = None
    timezone: Zone | None = None
    weekly_minutes: Minutes | None = None
    working_days: Annotated[tuple[Weekday, ...], Field(max_length=7)] | None = None
    """Empty: works on no day. Null: the default days."""
    working_hours: WorkingHours | None = None
    time_off: Annotated[tuple[Away, ...], Field(max_length=MAX_ENTRIES)] | None = None
    pool: TrimmedName | None = None
    role: CsmRole | None = None
    manager_id: TrimmedId | None = None
    booking_url: WebAddress | None = None
    slack: TrimmedName | None = None
    news_by: Literal["email", "slack"] | None = None


class Limit(SchemaModel):
    """How much of a limit is used."""

    used: Quantity | None
    """Null: not known."""
    limit: Quantity | None = None
    """Null: unlimited."""


class UsageReported(SchemaModel):
    """The usage of the product by an account in a period."""

    period_start: Instant
    period_end: Instant
    active_users: Count | None = None
    seats: Count | None = None
    seats_used: Count | None = None
    events: Count | None = None
    features: Annotated[dict[TrimmedName, Quantity], Field(max_length=MAX_ENTRIES)] | None = None
    limits: Annotated[dict[TrimmedName, Limit], Field(max_length=MAX_ENTRIES)] | None = None

    @model_validator(mode="after")
    def _period_ends_after_it_starts(self) -> Self:
        if self.period_end <= self.period_start:
            raise ValueError("period_end must be later than period_start")
        return self


class MilestoneReached(SchemaModel):
    """The customer reached a milestone."""

    milestone: TrimmedName
    kind: MilestoneKind | None = None
    reached_at: Instant | None = None


class Driver(SchemaModel):
    """One cause of a health score, with its value or an explanation."""

    name: TrimmedText
    value: Annotated[float, Field(ge=-1e15, le=1e15)] | None = None
    text: TrimmedText | None = None


_Driver = Annotated[
    Annotated[TrimmedText, Tag("text")] | Annotated[Driver, Tag("driver")],
    Discriminator(lambda value: "text" if isinstance(value, str) else "driver"),
]


class HealthScored(SchemaModel):
    """The health of an account: a score, a colour or both. The policy derives an absent colour from the score."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["score"], "properties": {"score": {"type": "number"}}},
                {"required": ["color"], "properties": {"color": {"type": "string"}}},
            ]
        }
    )

    score: Annotated[float, Field(ge=0, le=100)] | None = None
    color: Color | None = None
    drivers: Annotated[tuple[_Driver, ...], Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _has_score_or_color(self) -> Self:
        if self.score is None and self.color is None:
            raise ValueError("score or color is required; give a score of 0 to 100, or red, yellow or green")
        return self


class NpsAnswered(SchemaModel):
    """An answer to the NPS question, "how likely are you to recommend us?"."""

    contact_id: TrimmedId | None = None
    score: Annotated[int, Field(ge=0, le=10)]
    comment: TrimmedLongText | None = None
    answered_at: Instant | None = None


class SurveyAnswered(SchemaModel):
    """An answer to a survey about the frequency of contact or about satisfaction."""

    contact_id: TrimmedId | None = None
    survey: TrimmedName | None = None
    touchpoint_type: TrimmedName | None = None
    answer: SurveyAnswer | None = None
    csat: Annotated[int, Field(ge=1, le=5)] | None = None
    answered_at: Instant | None = None


class ContractChanged(SchemaModel):
    """A contract: its status, term and revenue. `signed` while the contract is active signs the next term."""

    contract_id: TrimmedId
    status: ContractStatus | None = None
    starts_on: Day | None = None
    renews_on: Day | None = None
    signed_at: Instant | None = None
    arr: Money | None = None
    currency: Currency | None = None
    auto_renew: bool | None = None
    term_months: Annotated[int, Field(ge=1, le=1200)] | None = None
    notice_days: Annotated[int, Field(ge=0, le=3660)] | None = None

    @model_validator(mode="after")
    def _starts_before_it_renews(self) -> Self:
        if self.starts_on is not None and self.renews_on is not None and self.starts_on >= self.renews_on:
            raise ValueError(
                f"starts_on ({self.starts_on}) must be before renews_on ({self.renews_on}); correct one of the two"
            )
        return self


class ExpansionSignalled(SchemaModel):
    """A sign that the customer may need more of the product."""

    signal: ExpansionSignal
    detail: TrimmedText | None = None


class RequestReceived(SchemaModel):
    """The customer sent us a request."""

    request_id: TrimmedId
    channel: TrimmedName | None = None
    answered_at: Instant | None = None


class RequestAnswered(RequestReceived):
    """We answered a request. The time between the two events is the response time."""


class PreferenceChanged(SchemaModel):
    """How a contact wants to be contacted. Without topic or channel: all of them; `suggested` ends a preference."""

    absent_means_all: ClassVar[frozenset[str]] = frozenset({"topic", "channel"})

    contact_id: TrimmedId
    topic: Topic | None = None
    channel: PreferredChannel | None = None
    frequency: PreferredFrequency | None = None
    opted_in: bool | None = None
    by_contact: bool | None = None
    """true: the contact's own act. Only the contact lifts such an opt-out; what a tool synchronizes does not."""


class InteractionLogged(SchemaModel):
    """Contact with the customer outside the plan. It counts as contact."""

    channel: Channel | None = None
    touchpoint_type: TrimmedName | None = None
    contact_id: TrimmedId | None = None
    at: Instant | None = None
    notes: TrimmedLongText | None = None
    initiated_by: Literal["us", "customer"] | None = None


class OutreachPaused(SchemaModel):
    """Outreach to one contact is paused, or to the whole account when no contact is named."""

    absent_means_all: ClassVar[frozenset[str]] = frozenset({"contact_id"})

    contact_id: TrimmedId | None = None
    until: Instant | None = None
    reason: TrimmedText


class OutreachResumed(OutreachPaused):
    """A pause of outreach ends."""


class ProgramAnnounced(SchemaModel):
    """A release, webinar, newsletter, event or tips for many accounts. The event's subject is `*`."""

    program_id: TrimmedId
    kind: ProgramKind | None = None
    at: Instant | None = None
    ends_at: Instant | None = None
    title: TrimmedText | None = None
    url: WebAddress | None = None
    body: Annotated[dict[Language, TrimmedLongText], Field(max_length=MAX_LANGUAGES)] | None = None
    """Language -> Markdown."""
    audience: TrimmedText | None = None
    """A condition of the policy language; absent or null: all accounts."""
    meaningful: bool | None = None
