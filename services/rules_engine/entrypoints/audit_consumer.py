"""Kafka records of `audit.entries`: the entries of all services go into one chain.

Whoever may write to Kafka must not be able to write history: what no service of this deployment has signed is a dead
letter, counted and logged.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from schemas.audit import AUDIT_RECORDED, AuditEntry
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


@dataclass(frozen=True, slots=True)
class AuditConsumer:
    """Appends the entries of one partition in the transaction of its offset; other topics go to `others`.

    `secrets`: an entry is signed under one of them.
    """

    secrets: Sequence[bytes]
    outbox: Outbox
    append: Append
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
        entries: list[AuditEntry] = []
        for record in records:
            try:
                if record.offset in forged:
                    raise Malformed(f"no entry of a service of this deployment: {forged[record.offset]}")
                entries.append(read_entry(record))
            except Malformed as problem:
                await dead_letter_record(connection, self.outbox, record, reason=str(problem))
        if entries:
            await self.append(connection, entries)


def _report(record: Record, forged: Mapping[int, str]) -> None:
    offset, problem = next(iter(forged.items()))
    METRICS.audit_entries_refused.inc(len(forged))
    first = f"{record.topic}/{record.partition}@{offset}"
    log.error("audit.entry_refused", records=len(forged), first=first, problem=problem)


def read_entry(record: Record) -> AuditEntry:
    """Raises Malformed."""
    envelope = from_kafka(record.headers, record.value)
    if envelope.type != AUDIT_RECORDED:
        raise Malformed(f"type: {envelope.type!r} does not belong on this topic; send {AUDIT_RECORDED}")
    return AuditEntry.read(envelope.data)
