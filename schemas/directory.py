"""The directory: accounts, CSMs, API keys and the mode as the rules engine stores them. Services keep their copies."""

from typing import Annotated, Final, Literal

from pydantic import Field

from schemas.base import Id, Language, Minutes, Name, SchemaModel, Text, Version
from schemas.times import USUAL_QUIET_HOURS, Away, Instant, QuietHours, SendWindow, Weekday, WorkingHours
from schemas.vocabulary import (
    BudgetScope,
    Channel,
    Color,
    CsmRole,
    Misfire,
    Mode,
    Owner,
    PreferredChannel,
    PreferredFrequency,
    Reader,
    Role,
    Segment,
    Stage,
    Topic,
)

ACCOUNT_DIRECTORY: Final = "drumbeat.account.directory.v1"
CSM_DIRECTORY: Final = "drumbeat.csm.directory.v1"
KEY_DIRECTORY: Final = "drumbeat.key.directory.v1"
CONTENT_DIRECTORY: Final = "drumbeat.content.directory.v1"
POLICY_DIRECTORY: Final = "drumbeat.policy.directory.v1"
MODE_DIRECTORY: Final = "drumbeat.mode.directory.v1"
CLOCK_DIRECTORY: Final = "drumbeat.clock.directory.v1"


class ContactRecord(SchemaModel):
    """A person at the customer."""

    contact_id: Id
    name: Name | None = None
    email: str | None = None
    role: Role | None = None
    language: str | None = None
    timezone: str | None = None
    phone: str | None = None
    slack: str | None = None
    left: bool = False
    time: Instant | None = None
    """With `source` and `id`: the latest event that describes the contact. Of two accounts with the contact, that of the
    latest (time, source, id) has it."""
    source: str | None = None
    id: str | None = None


class PreferenceRecord(SchemaModel):
    """A preference of a contact and the event it came from. The latest (time, source, id) wins."""

    contact_id: Id
    topic: Topic | None = None
    """null: all topics."""
    channel: PreferredChannel | None = None
    """null: all channels."""
    frequency: PreferredFrequency | None = None
    opted_in: bool | None = None
    by_contact: bool | None = None
    """true: the contact's own act; only another one lifts an opt-out by it."""
    time: Instant
    source: str
    id: str


class PauseRecord(SchemaModel):
    """A pause of outreach that is in force, for one contact or for the whole account."""

    contact_id: Id | None = None
    until: Instant | None = None
    reason: Text
    time: Instant
    source: str
    id: str


class AccountRecord(SchemaModel):
    """An account and its contacts. The highest version wins."""

    account_id: Id
    name: Name | None = None
    timezone: str | None = None
    """As it was told; else the zone of the country, if all clocks there show the same time."""
    timezone_derived: bool = False
    """true: the zone was not told, it is that of the country."""
    zones: tuple[str, ...] = ()
    """The zones of a country whose clocks differ, when no zone was told; else empty."""
    language: str | None = None
    country: str | None = None
    region: str | None = None
    industry: str | None = None
    csm_id: Id | None = None
    sales_id: Id | None = None
    pool: Name | None = None
    segment: Segment | None = None
    stage: Stage | None = None
    color: Color | None = None
    contacts: tuple[ContactRecord, ...] = ()
    preferences: tuple[PreferenceRecord, ...] = ()
    pauses: tuple[PauseRecord, ...] = ()
    merged_into: Id | None = None
    """The account ended: what readers keep of it is that account's now."""
    erased_contacts: tuple[str, ...] = ()
    """Contacts that were erased: `derived_id("contact", contact_id)` of each. Readers delete what they keep of them."""
    version: Version


class CsmRecord(SchemaModel):
    """A customer success manager. For a field that is null the policy's default applies."""

    csm_id: Id
    name: Name | None = None
    email: str | None = None
    country: str | None = None
    region: Name | None = None
    timezone: str | None = None
    """As it was told; else the zone of the country, if all clocks there show the same time."""
    timezone_derived: bool = False
    weekly_minutes: Minutes | None = None
    working_days: tuple[Weekday, ...] | None = None
    working_hours: WorkingHours | None = None
    time_off: tuple[Away, ...] = ()
    pool: Name | None = None
    phone: str | None = None
    language: str | None = None
    role: CsmRole | None = None
    manager_id: Id | None = None
    booking_url: str | None = None
    slack: str | None = None
    news_by: Literal["email", "slack"] | None = None
    """`slack`: urgent news also comes there."""
    version: Version


class KeyRecord(SchemaModel):
    """An API key as every service checks it: never the key itself, only its SHA-256 in hex."""

    key_id: Id
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: tuple[Name, ...] = ()
    expires_at: Instant | None = None
    revoked: bool = False
    version: Version


class TouchpointTypeRecord(SchemaModel):
    """A type of touchpoint as the catalogue of the policy describes it."""

    touchpoint_type: Name
    owner: Owner
    channel: Channel
    purpose: Text
    topic: Topic | None = None
    """null: internal work, no customer is contacted."""
    minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    """What one costs its owner, preparation included."""
    audience: tuple[Role, ...] = ()
    """Empty: every role."""
    agenda: tuple[Text, ...] = ()
    """What is discussed."""
    expects: Text = ""
    """The outcome it should have."""
    invites: bool = False
    """Whether the customer and its owner get it into their calendars."""
    share: bool | None = None
    """Whether a colleague of the account's pool may lead it when its owner's weeks are full; null: if pooled."""
    remind_hours: tuple[Annotated[int, Field(ge=1, le=24_000)], ...] = ()
    """How many hours before it its owner and the invited customer are reminded, the longest first."""
    misfire: Misfire | None = None
    """What an outage does to it; null: what is usual for its owner."""
    grace_minutes: Annotated[int, Field(ge=0, le=1_440_000)] = 0
    """How late it may be without a misfire."""
    group: bool = False
    """Held for many customers at once: it is no contact with one of them."""
    send_window: SendWindow | None = None
    """When customers get its messages; null: as for all messages."""
    approve: bool = False
    """Whether its message to a customer waits for the approval of whoever leads the account."""
    approve_hours: Annotated[int, Field(ge=1, le=24_000)] | None = None
    """How long it waits for that; null: as long as the message is worth sending."""
    hand_off: Name | None = None
    """The automation platform that writes to the customer instead of Drumbeat."""


class ContentRecord(SchemaModel):
    """A content file in force: what a reader of one language gets about a type. The highest version wins.

    Its key is `language/touchpoint_type`, for the owner `language/owner/touchpoint_type`; a tombstone removes it.
    """

    language: Language
    touchpoint_type: Name
    reader: Reader
    text: Annotated[str, Field(max_length=100_000)]
    """The whole file: front matter (YAML) and body (Markdown with placeholders)."""
    policy: str
    """The hash of the policy it belongs to."""
    version: Version


class HolidayRecord(SchemaModel):
    """A public holiday that a deployment adds to those of the package, or takes from them."""

    name: Text
    on: Annotated[str, Field(pattern=r"^(\d{4}-)?\d\d-\d\d$")]
    """A date, `2026-12-24`, or a month and day of every year, `12-24`."""
    country: str | None = None
    """null: everywhere."""
    region: Text | None = None
    """null: in the whole country."""
    works: bool = False
    """true: it is a working day there, whatever the package says."""


class ContactBudgetRecord(SchemaModel):
    """How many contacts a person at the customer, or an account, has at most in any period of this length."""

    name: Name
    per: BudgetScope
    at_most: Annotated[int, Field(ge=1, le=9_999)]
    within_hours: Annotated[int, Field(ge=1, le=100_000)]
    channels: tuple[Channel, ...] = ()
    """Empty: contacts over every channel."""
    exempt: tuple[Name, ...] = ()
    """Touchpoint types whose messages count and never wait."""


class PolicyRecord(SchemaModel):
    """What other services need of the policy in force. The highest version wins."""

    policy: str
    """The hash of the policy."""
    touchpoint_types: tuple[TouchpointTypeRecord, ...] = ()
    """In order of type."""
    quiet_hours: QuietHours = USUAL_QUIET_HOURS
    send_window: SendWindow | None = None
    """When customers get messages, unless their type says otherwise; null: whenever there are no quiet hours."""
    contact_budgets: tuple[ContactBudgetRecord, ...] = ()
    holidays: tuple[HolidayRecord, ...] = ()
    """Public holidays that the deployment adds or takes away."""
    version: Version


class ModeRecord(SchemaModel):
    """The mode of the deployment. The highest version wins."""

    mode: Mode
    hold_from: Instant | None = None
    """Start of the last period in which nothing reached customers (`hold`, `observe`); null: not known."""
    hold_until: Instant | None = None
    """Its end; null while it lasts, or when there was none."""
    version: Version


class ClockRecord(SchemaModel):
    """Where a service clock with rate 0 stands: it moves only when it is advanced, and never back."""

    now: Instant
    """Service time."""
