"""Facts: what the world tells Drumbeat about an account, its people and those who look after them.

A field that is absent leaves the belief unchanged, null clears it; a required field can be neither. One model
per type, so that what a producer may send is written down in one place.
"""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from schemas.base import (
    Count,
    Currency,
    Email,
    Id,
    Language,
    LongText,
    Minutes,
    Money,
    Name,
    Quantity,
    Text,
    Wire,
)
from schemas.forms import ONE_LINE
from schemas.times import Away, Day, Instant, Weekday, WorkingHours, Zone
from schemas.vocabulary import Channel, Color, Complexity, Frequency, Role, Segment, Topic

MOST_ENTRIES: Final = 500


class AccountDescribed(Wire):
    """What a company is: its size, place, language and who looks after it."""

    name: Name | None = None
    arr: Money | None = None
    currency: Currency | None = None
    industry: Name | None = None
    country: Annotated[str, Field(min_length=2, max_length=64, pattern=ONE_LINE)] | None = None
    timezone: Zone | None = None
    language: Language | None = None
    complexity: Complexity | None = None
    csm_id: Id | None = None
    pool: Name | None = None
    paid_success: bool | None = None
    segment: Segment | None = None
    """Overrides the segment that the policy would derive."""


class ContactDescribed(Wire):
    """A person at the customer. The id is unique in the deployment."""

    contact_id: Id
    name: Name | None = None
    email: Email | None = None
    role: Role | None = None
    language: Language | None = None
    timezone: Zone | None = None
    phone: Annotated[str, Field(min_length=1, max_length=64, pattern=ONE_LINE)] | None = None
    slack: Name | None = None


class ContactLeft(ContactDescribed):
    """A person is no longer at the customer."""


class CsmDescribed(Wire):
    """A customer success manager: hours, zone and capacity. The subject of the event is the CSM's id."""

    name: Name | None = None
    email: Email | None = None
    timezone: Zone | None = None
    weekly_minutes: Minutes | None = None
    working_days: Annotated[tuple[Weekday, ...], Field(max_length=7)] | None = None
    working_hours: WorkingHours | None = None
    time_off: Annotated[tuple[Away, ...], Field(max_length=MOST_ENTRIES)] | None = None
    pool: Name | None = None


class Limit(Wire):
    """How much of an allowance is used up."""

    used: Quantity
    limit: Quantity


class UsageReported(Wire):
    """What an account did with the product in a period."""

    period_start: Instant
    period_end: Instant
    active_users: Count | None = None
    seats: Count | None = None
    seats_used: Count | None = None
    events: Count | None = None
    features: Annotated[dict[Name, Quantity], Field(max_length=MOST_ENTRIES)] | None = None
    limits: Annotated[dict[Name, Limit], Field(max_length=MOST_ENTRIES)] | None = None

    @model_validator(mode="after")
    def _period_runs_forward(self) -> Self:
        if self.period_end <= self.period_start:
            raise ValueError("period_end must be later than period_start")
        return self


class MilestoneReached(Wire):
    """The customer got somewhere worth noticing."""

    milestone: Name
    kind: Literal["adoption", "success", "go_live"] | None = None


class Driver(Wire):
    """One cause of a health score, with its weight or an explanation."""

    name: Text
    value: Annotated[float, Field(ge=-1e15, le=1e15)] | None = None
    text: Text | None = None


def _form_of_driver(value: object) -> str:
    return "text" if isinstance(value, str) else "driver"


_Driver = Annotated[
    Annotated[Text, Tag("text")] | Annotated[Driver, Tag("driver")], Discriminator(_form_of_driver)
]


class HealthScored(Wire):
    """How well an account does: a score, a colour or both; the policy derives an absent colour."""

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
    def _says_something(self) -> Self:
        if self.score is None and self.color is None:
            raise ValueError("score or color is required; give a score of 0 to 100, or red, yellow or green")
        return self


class NpsAnswered(Wire):
    """An answer to the recommendation question."""

    contact_id: Id | None = None
    score: Annotated[int, Field(ge=0, le=10)]
    comment: LongText | None = None


class SurveyAnswered(Wire):
    """An answer to a survey, about the rhythm of contact or about satisfaction."""

    survey: Name | None = None
    touchpoint_type: Name | None = None
    answer: Literal["too_much", "too_little", "about_right"] | None = None
    csat: Annotated[int, Field(ge=1, le=5)] | None = None


class ContractChanged(Wire):
    """A contract: its state, its term and its worth. Signed while active means the next term is signed."""

    contract_id: Id
    status: Literal["draft", "active", "signed", "churned"] | None = None
    starts_on: Day | None = None
    renews_on: Day | None = None
    signed_at: Instant | None = None
    arr: Money | None = None
    auto_renew: bool | None = None


class ExpansionSignalled(Wire):
    """A sign that the account may want more."""

    signal: Literal["seat_limit", "usage_limit", "power_users", "advanced_feature", "team_growth", "other"]
    detail: Text | None = None


class RequestReceived(Wire):
    """The customer came to us."""

    request_id: Id
    channel: Name | None = None


class RequestAnswered(RequestReceived):
    """We answered a request; the two times say how fast."""


class PreferenceChanged(Wire):
    """How a contact wishes to be contacted; an absent topic means all topics, an absent channel all."""

    contact_id: Id
    topic: Topic | None = None
    channel: Channel | None = None
    frequency: Frequency | None = None
    opted_in: bool | None = None


class InteractionLogged(Wire):
    """Contact outside the plan, which counts as contact."""

    channel: Channel | None = None
    touchpoint_type: Name | None = None
    contact_id: Id | None = None
    at: Instant | None = None
    notes: LongText | None = None
    initiated_by: Literal["us", "customer"] | None = None


class OutreachPaused(Wire):
    """Customers are left alone: one contact, or the whole account when no contact is named."""

    contact_id: Id | None = None
    until: Instant | None = None
    reason: Annotated[Text, Field(min_length=1)]


class OutreachResumed(OutreachPaused):
    """A pause ends."""


class ProgramAnnounced(Wire):
    """Something that concerns many accounts. The subject of the event is `*`."""

    program_id: Id
    kind: Literal["release", "webinar", "newsletter", "event"] | None = None
    at: Instant | None = None
    title: Text | None = None
    audience: Text | None = None
    """A condition in the words of the policy."""
    meaningful: bool | None = None
