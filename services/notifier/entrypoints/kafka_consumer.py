"""The Kafka consumer: events and directory records, one partition's batch in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from schemas.cleaning import read_clean
from schemas.directory import (
    ACCOUNT_DIRECTORY,
    CLOCK_DIRECTORY,
    CONTENT_DIRECTORY,
    CSM_DIRECTORY,
    KEY_DIRECTORY,
    MODE_DIRECTORY,
    POLICY_DIRECTORY,
    AccountRecord,
    ClockRecord,
    ContentRecord,
    CsmRecord,
    KeyRecord,
    ModeRecord,
    PolicyRecord,
)
from schemas.envelope import Envelope, binary_type, from_kafka
from schemas.ids import derived_id
from schemas.notices import NOTICE_REQUESTED
from schemas.outcomes import (
    DELIVERY_FINISHED,
    MESSAGE_ENGAGED,
    TOUCHPOINT_SETTLED,
    MessageEngaged,
    TouchpointSettled,
)
from schemas.problems import Malformed
from schemas.touchpoints import TOUCHPOINT_EVENTS
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.key_directory import keep_keys, signed_records
from services.chassis.keys import ApiKey
from services.chassis.outbox import Outbox
from services.chassis.standing_clock import keep_standing_time
from services.chassis.telemetry import METRICS
from services.chassis.time_slices import in_slices
from services.notifier.application.bind_engagements import Engagement, bind_engagements
from services.notifier.application.ingest_events import ingest_events
from services.notifier.application.ports import Now, UnitOfWork
from services.notifier.application.update_directory import (
    AccountDeleted,
    AccountMerged,
    ContentDeleted,
    CsmDeleted,
    DirectoryChange,
    update_directory,
)
from services.notifier.domain.event import Event, parse_event
from services.notifier.domain.situation import NOT_SET_UP
from services.notifier.domain.talk import Settlement

ACCOUNTS, CSMS, KEYS, MODES = "directory.accounts", "directory.csms", "directory.keys", "directory.mode"
CLOCKS = "directory.clock"
CONTENTS, POLICIES = "directory.content", "directory.policy"
TOUCHPOINTS, OUTCOMES = "touchpoint.events", "touchpoint.outcomes"
TOPICS = (TOUCHPOINTS, "account.notices", OUTCOMES, ACCOUNTS, CSMS, KEYS, MODES, CLOCKS, CONTENTS, POLICIES)
EVENT_TYPES = frozenset({*TOUCHPOINT_EVENTS, NOTICE_REQUESTED})
FOR_OTHERS = frozenset({DELIVERY_FINISHED})


@dataclass(slots=True)
class _Batch:
    events: list[Event] = field(default_factory=list[Event])
    changes: list[DirectoryChange] = field(default_factory=list[DirectoryChange])
    keys: list[ApiKey] = field(default_factory=list[ApiKey])
    engagements: list[Engagement] = field(default_factory=list[Engagement])
    engagement_records: dict[str, Record] = field(default_factory=dict[str, Record])
    modes: list[ModeRecord] = field(default_factory=list[ModeRecord])
    moments: list[ClockRecord] = field(default_factory=list[ClockRecord])
    policies: list[PolicyRecord] = field(default_factory=list[PolicyRecord])
    settlements: list[Settlement] = field(default_factory=list[Settlement])


@dataclass(frozen=True, slots=True)
class Consumer:
    """Handles one partition's batch inside the transaction that moves its offset."""

    work: Callable[[Connection], UnitOfWork]
    outbox: Outbox
    clock: ServiceClock
    mail_hold: str | None = None
    fallback_to: str | None = None
    secrets: Sequence[bytes] = ()
    closed: Mapping[str, str] = field(default_factory=lambda: NOT_SET_UP)

    async def __call__(self, connection: Connection, records: Sequence[Record], real: datetime) -> None:
        now = Now(real, self.clock.at(real))
        work, topic = self.work(connection), records[0].topic
        batch = _Batch()
        if topic == KEYS:
            records = signed_records(self.secrets, records)
        async for record in in_slices(records):
            try:
                _read(record, batch)
                if record.value is None and record.topic == TOUCHPOINTS:
                    # All that was announced before of the account is stored first, and then erased with the rest.
                    await self._store(connection, batch, record.topic, work, now)
                    await work.erase_events(_text_key(record))
                    batch = _Batch()
            except Malformed as problem:
                await dead_letter_record(connection, self.outbox, record, reason=str(problem))
        await self._store(connection, batch, topic, work, now)

    async def _store(
        self, connection: Connection, batch: _Batch, topic: str, work: UnitOfWork, now: Now
    ) -> None:
        await _store_settings(connection, batch, work)
        if batch.changes:
            await update_directory(batch.changes, work=work, now=now)
        if batch.engagements:
            problems = await bind_engagements(batch.engagements, work=work, now=now)
            for engagement_id, problem in problems.items():
                record = batch.engagement_records[engagement_id]
                await dead_letter_record(connection, self.outbox, record, reason=problem)
        if batch.settlements:
            settled = {one.touchpoint_id for one in batch.settlements}
            await work.withdraw_reminders(settled, now)
            await work.settle_talks(batch.settlements, now)
        if batch.events and not await ingest_events(
            batch.events,
            work=work,
            now=now,
            mail_hold=self.mail_hold,
            fallback_to=self.fallback_to,
            closed=self.closed,
        ):
            METRICS.duplicates.labels(topic).inc(len(batch.events))


async def _store_settings(connection: Connection, batch: _Batch, work: UnitOfWork) -> None:
    """Store what holds for the whole deployment."""
    if batch.keys:
        await keep_keys(connection, batch.keys)
    for record in batch.modes:
        await work.save_mode(record)
    for moment in batch.moments:
        await keep_standing_time(connection, moment.now)
    for policy in batch.policies:
        await work.save_catalogue(policy)


def _read(record: Record, batch: _Batch) -> None:
    """Read a record into the batch. Raises Malformed."""
    if record.value is None:
        batch.changes += _deletion(record)
        return
    if record.topic == OUTCOMES:
        _read_outcome(record, record.value, batch)
        return
    envelope = from_kafka(record.headers, record.value)
    if envelope.type in EVENT_TYPES:
        batch.events.append(parse_event(envelope.id, envelope.type, envelope.time, envelope.data))
    elif not _read_directory(envelope, batch):
        raise Malformed(f"type: {envelope.type!r} is not one that the notifier reads on {record.topic}")


def _read_directory(envelope: Envelope, batch: _Batch) -> bool:
    """Read a record of one of the directories into the batch; False for another type. Raises Malformed."""
    if envelope.type == ACCOUNT_DIRECTORY:
        batch.changes.append(_account_change(AccountRecord.read(envelope.data)))
    elif envelope.type == CSM_DIRECTORY:
        batch.changes.append(CsmRecord.read(envelope.data))
    elif envelope.type == KEY_DIRECTORY:
        batch.keys.append(_key(KeyRecord.read(envelope.data)))
    elif envelope.type == CONTENT_DIRECTORY:
        batch.changes.append(ContentRecord.read(envelope.data))
    elif envelope.type == POLICY_DIRECTORY:
        batch.policies.append(PolicyRecord.read(envelope.data))
    elif envelope.type == MODE_DIRECTORY:
        batch.modes.append(ModeRecord.read(envelope.data))
    elif envelope.type == CLOCK_DIRECTORY:
        batch.moments.append(ClockRecord.read(envelope.data))
    else:
        return False
    return True


def _account_change(record: AccountRecord) -> DirectoryChange:
    return record if record.merged_into is None else AccountMerged(record.account_id, record.merged_into)


def _read_outcome(record: Record, value: bytes, batch: _Batch) -> None:
    """Read an engagement, or what settles a touchpoint, into the batch; the rest is for others. Raises Malformed."""
    known_type = binary_type(record.headers)
    if known_type in FOR_OTHERS:
        return
    if known_type == TOUCHPOINT_SETTLED:
        batch.settlements += _settlements(record, value)
        return
    envelope = from_kafka(record.headers, value)
    if envelope.type == MESSAGE_ENGAGED:
        engagement_id = derived_id("engagement", envelope.source, envelope.id)
        content = MessageEngaged.read(envelope.data)
        batch.engagements.append(Engagement(engagement_id, envelope.time, content, envelope.source))
        batch.engagement_records[engagement_id] = record
    elif envelope.type == TOUCHPOINT_SETTLED:
        batch.settlements += _settlements(record, value)
    elif envelope.type not in FOR_OTHERS:
        raise Malformed(f"type: {envelope.type!r} is not an outcome")


def _settlements(record: Record, value: bytes) -> list[Settlement]:
    """What an outcome settles; none where it names no touchpoint, or cannot be read: the scheduler reports that."""
    try:
        envelope = from_kafka(record.headers, value)
        settled = read_clean(TouchpointSettled, envelope.data).message
    except Malformed:
        return []
    if settled.outcome == "reopened" or settled.touchpoint_id is None:
        return []
    return [Settlement(settled.touchpoint_id, settled.outcome, settled.at or envelope.time)]


def _deletion(record: Record) -> list[DirectoryChange]:
    """What a tombstone deletes of the directory. Keys are revoked, never deleted. Raises Malformed."""
    key = _text_key(record)
    if record.topic == ACCOUNTS:
        return [AccountDeleted(key)]
    if record.topic == CSMS:
        return [CsmDeleted(key)]
    if record.topic == CONTENTS:
        return [ContentDeleted(key)]
    if record.topic not in (POLICIES, KEYS, MODES, CLOCKS, TOUCHPOINTS):
        raise Malformed("value: the record has none; an event needs data")
    return []


def _text_key(record: Record) -> str:
    """Raises Malformed."""
    try:
        return (record.key or b"").decode()
    except UnicodeDecodeError as problem:
        raise Malformed(f"key: not UTF-8 ({problem})") from problem


def _key(record: KeyRecord) -> ApiKey:
    return ApiKey(
        key_id=record.key_id,
        sha256=record.sha256,
        scopes=frozenset(record.scopes),
        expires_at=record.expires_at,
        revoked=record.revoked,
        version=record.version,
    )
