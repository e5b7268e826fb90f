"""Who is who, as the rules engine believes it; each service keeps its own copy of the people it needs."""

from typing import Annotated, Final

from pydantic import Field

from schemas.base import Id, Minutes, Name, Text, Version, Wire
from schemas.times import Away, Instant, Weekday, WorkingHours
from schemas.vocabulary import Channel, Color, Frequency, Role, Segment, Stage, Topic

ACCOUNT_DIRECTORY: Final = "drumbeat.account.directory.v1"
CSM_DIRECTORY: Final = "drumbeat.csm.directory.v1"
KEY_DIRECTORY: Final = "drumbeat.key.directory.v1"


class ContactRecord(Wire):
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


class PreferenceRecord(Wire):
    """A wish of a contact, with the event it came from: the latest (time, source, id) wins."""

    contact_id: Id
    topic: Topic | None = None
    """None: all topics."""
    channel: Channel | None = None
    """None: all channels."""
    frequency: Frequency | None = None
    opted_in: bool | None = None
    time: Instant
    source: str
    id: str


class PauseRecord(Wire):
    """A pause of outreach in force, of one contact or of the whole account."""

    contact_id: Id | None = None
    until: Instant | None = None
    reason: Text
    time: Instant
    source: str
    id: str


class AccountRecord(Wire):
    """An account and its people. The highest version wins."""

    account_id: Id
    name: Name | None = None
    timezone: str | None = None
    language: str | None = None
    country: str | None = None
    industry: str | None = None
    csm_id: Id | None = None
    pool: Name | None = None
    segment: Segment | None = None
    stage: Stage | None = None
    color: Color | None = None
    contacts: tuple[ContactRecord, ...] = ()
    preferences: tuple[PreferenceRecord, ...] = ()
    pauses: tuple[PauseRecord, ...] = ()
    version: Version


class CsmRecord(Wire):
    """A customer success manager. What is None has the policy's default."""

    csm_id: Id
    name: Name | None = None
    email: str | None = None
    timezone: str | None = None
    weekly_minutes: Minutes | None = None
    working_days: tuple[Weekday, ...] | None = None
    working_hours: WorkingHours | None = None
    time_off: tuple[Away, ...] = ()
    pool: Name | None = None
    version: Version


class KeyRecord(Wire):
    """An API key as every service checks it: never the key, only its SHA-256 in hex."""

    key_id: Id
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: tuple[Name, ...] = ()
    expires_at: Instant | None = None
    revoked: bool = False
    version: Version
