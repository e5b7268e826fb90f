"""Kafka records of `audit.entries`: the entries of all services go into one chain."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.audit import AUDIT_RECORDED, AuditEntry
from schemas.envelope import from_kafka
from schemas.problems import Malformed
from services.chassis.audit import TOPIC
from services.chassis.batches import Handler
from services.chassis.database import Connection
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.outbox import Outbox

Append = Callable[[Connection, Sequence[AuditEntry]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class AuditConsumer:
    """Appends the entries of one partition in the transaction of its offset; other topics go to `others`."""

    outbox: Outbox
    append: Append
    others: Handler

    async def __call__(self, connection: Connection, records: Sequence[Record], real: datetime) -> None:
        if records[0].topic != TOPIC:
            await self.others(connection, records, real)
            return
        entries: list[AuditEntry] = []
        for record in records:
            try:
                entries.append(read_entry(record))
            except Malformed as problem:
                await dead_letter_record(connection, self.outbox, record, reason=str(problem))
        if entries:
            await self.append(connection, entries)


def read_entry(record: Record) -> AuditEntry:
    """Raises Malformed."""
    envelope = from_kafka(record.headers, record.value)
    if envelope.type != AUDIT_RECORDED:
        raise Malformed(f"type: {envelope.type!r} does not belong on this topic; send {AUDIT_RECORDED}")
    return AuditEntry.read(envelope.data)
