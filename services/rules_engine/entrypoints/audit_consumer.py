"""Kafka records of `audit.entries`: the entries of all services go into one chain, uses of keys to the keys.

Whoever may write to Kafka must not be able to write history: what no service of this deployment has signed is a dead
letter, counted and logged.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from schemas.audit import AUDIT_RECORDED, KEY_USED, AuditEntry, KeyUsed
from schemas.envelope import from_kafka
from schemas.problems import Malformed
from services.chassis.audit import TOPIC
from services.chassis.batches import Handler
from services.chassis.database import Connection
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.outbox import Outbox
from services.chassis.record_signatures import find_forgery
from services.chassis.telemetry import METRICS

log = structlog.get_logger(__name__)

Append = Callable[[Connection, Sequence[AuditEntry]], Awaitable[None]]
RecordUse = Callable[[Connection, Mapping[str, datetime]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class AuditConsumer:
    """Appends the entries of one partition in the transaction of its offset; other topics go to `others`.

    `secrets`: an entry is signed under one of them.
    """

    secrets: Sequence[bytes]
    outbox: Outbox
    append: Append
    record_use: RecordUse
    others: Handler

    async def __call__(self, connection: Connection, records: Sequence[Record], real: datetime) -> None:
        if records[0].topic != TOPIC:
            await self.others(connection, records, real)
            return
        forged = {
            record.offset: problem
            for record in records
            if (problem := find_forgery(self.secrets, record)) is not None
        }
        if forged:
            _report(records[0], forged)
        reports = [
            report
            for record in records
            if (report := await self._read(connection, record, forged.get(record.offset))) is not None
        ]
        entries = [report for report in reports if isinstance(report, AuditEntry)]
        if entries:
            await self.append(connection, entries)
        if used := latest_uses(report for report in reports if isinstance(report, KeyUsed)):
            await self.record_use(connection, used)

    async def _read(
        self, connection: Connection, record: Record, forgery: str | None
    ) -> AuditEntry | KeyUsed | None:
        """None for a record that is a dead letter now."""
        try:
            if forgery is not None:
                raise Malformed(f"no entry of a service of this deployment: {forgery}")
            return read_report(record)
        except Malformed as problem:
            await dead_letter_record(connection, self.outbox, record, reason=str(problem))
            return None


def latest_uses(reports: Iterable[KeyUsed]) -> dict[str, datetime]:
    """When each key or user was last active, whatever the order of the reports."""
    used: dict[str, datetime] = {}
    for report in reports:
        used |= {key: max(at, used.get(key, at)) for key, at in report.used.items()}
    return used


def _report(record: Record, forged: Mapping[int, str]) -> None:
    offset, problem = next(iter(forged.items()))
    METRICS.audit_entries_refused.inc(len(forged))
    first = f"{record.topic}/{record.partition}@{offset}"
    log.error("audit.entry_refused", records=len(forged), first=first, problem=problem)


def read_report(record: Record) -> AuditEntry | KeyUsed:
    """Raises Malformed."""
    envelope = from_kafka(record.headers, record.value)
    if envelope.type == KEY_USED:
        return KeyUsed.read(envelope.data)
    if envelope.type != AUDIT_RECORDED:
        raise Malformed(f"type: {envelope.type!r} does not belong on this topic; send {AUDIT_RECORDED}")
    return AuditEntry.read(envelope.data)
