"""A message knocks: announcements, notices and directory records, a partition's batch in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from schemas.directory import (
    ACCOUNT_DIRECTORY,
    CSM_DIRECTORY,
    KEY_DIRECTORY,
    AccountRecord,
    CsmRecord,
    KeyRecord,
)
from schemas.envelope import Envelope, from_kafka
from schemas.notices import NOTICE_REQUESTED
from schemas.problems import Malformed
from schemas.touchpoints import TOUCHPOINT_EVENTS
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.key_directory import keep_keys
from services.chassis.keys import ApiKey
from services.chassis.outbox import Outbox
from services.chassis.telemetry import METRICS
from services.notifier.application.intake import hear
from services.notifier.application.learn import Learned, learn
from services.notifier.application.ports import Now, Work
from services.notifier.domain.announcement import Announcement

GROUP = "notifier"
TOPICS = (
    "touchpoint.events",
    "account.notices",
    "directory.accounts",
    "directory.csms",
    "directory.keys",
)
ANNOUNCING = frozenset({*TOUCHPOINT_EVENTS, NOTICE_REQUESTED})


@dataclass(frozen=True, slots=True)
class Translate:
    """How messages become the notifier's own values."""

    announcement: Callable[[Envelope], Announcement]
    learned: Callable[[AccountRecord], Learned]
    person: Callable[[CsmRecord], Learned]


@dataclass(slots=True)
class _Batch:
    heard: list[Announcement] = field(default_factory=list[Announcement])
    learned: list[Learned] = field(default_factory=list[Learned])
    keys: list[ApiKey] = field(default_factory=list[ApiKey])


class Listener:
    """Handles one partition's batch inside the transaction that moves its offset."""

    def __init__(
        self,
        *,
        work: Callable[[Connection], Work],
        translate: Translate,
        outbox: Outbox,
        clock: ServiceClock,
        live: bool,
    ) -> None:
        self._work = work
        self._translate = translate
        self._outbox = outbox
        self._clock = clock
        self._live = live

    async def __call__(self, connection: Connection, records: Sequence[Record], real: datetime) -> None:
        now = Now(real, self._clock.at(real))
        batch = _Batch()
        for record in records:
            try:
                self._read(record, batch)
            except Malformed as problem:
                await dead_letter_record(connection, self._outbox, record, reason=str(problem))
        work = self._work(connection)
        if batch.keys:
            await keep_keys(connection, batch.keys)
        if batch.learned:
            await learn(batch.learned, work=work, now=now)
        if batch.heard:
            anything = await hear(batch.heard, work=work, live=self._live, now=now)
            if not anything:
                METRICS.duplicates.labels(records[0].topic).inc(len(batch.heard))

    def _read(self, record: Record, batch: _Batch) -> None:
        if record.value is None:
            if record.topic.startswith("directory."):
                batch.learned += _forgotten(record)
                return
            raise Malformed("value: the record has none; an event needs data")
        envelope = from_kafka(record.headers, record.value)
        if envelope.type in ANNOUNCING:
            batch.heard.append(self._translate.announcement(envelope))
        elif envelope.type == ACCOUNT_DIRECTORY:
            batch.learned.append(self._translate.learned(AccountRecord.read(envelope.data)))
        elif envelope.type == CSM_DIRECTORY:
            batch.learned.append(self._translate.person(CsmRecord.read(envelope.data)))
        elif envelope.type == KEY_DIRECTORY:
            batch.keys.append(_key(KeyRecord.read(envelope.data)))
        else:
            raise Malformed(f"type: {envelope.type!r} is not one that the notifier reads on {record.topic}")


def _forgotten(record: Record) -> list[Learned]:
    """A tombstone: the one the key names is to be forgotten. Keys are revoked, never forgotten."""
    try:
        name = (record.key or b"").decode()
    except UnicodeDecodeError as problem:
        raise Malformed(f"key: not UTF-8 ({problem})") from problem
    if record.topic == "directory.accounts":
        return [Learned(forgotten_account=name)]
    return [Learned(forgotten_person=name)] if record.topic == "directory.csms" else []


def _key(record: KeyRecord) -> ApiKey:
    return ApiKey(
        key_id=record.key_id,
        sha256=record.sha256,
        scopes=frozenset(record.scopes),
        expires_at=record.expires_at,
        revoked=record.revoked,
        version=record.version,
    )
