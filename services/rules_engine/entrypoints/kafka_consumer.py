"""Kafka records: signals, outcomes and touchpoint events are applied; what cannot be read becomes a dead letter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from schemas.envelope import Envelope, from_kafka
from schemas.events import check_subject, read_data
from schemas.problems import Malformed
from schemas.touchpoints import TouchpointData
from services.cadence.account.events import fact_event
from services.chassis.audit import AuditLog, Change
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.outbox import Outbox
from services.chassis.time_slices import in_slices
from services.rules_engine.application.apply_events import apply_events
from services.rules_engine.application.ports import UnitOfWork
from services.rules_engine.domain.account import (
    BatchCounts,
    Clocks,
    EvaluationContext,
    IncomingEvent,
    Receipt,
    ReceiptState,
    event_identity,
    incoming_event,
)
from services.rules_engine.entrypoints.event_audit import change_of, without_claims

# Of what the scheduler announces, the engine needs only these; the rest is not even parsed.
ISSUED: Final = frozenset(
    {b"drumbeat.touchpoint.due.v1", b"drumbeat.touchpoint.overdue.v1", b"drumbeat.touchpoint.cancelled.v1"}
)
# What concerns many accounts goes into the portfolio, not into the state of one account.
PORTFOLIO_TYPES: Final = frozenset({"csm.described", "program.announced"})
AHEAD: Final = timedelta(minutes=5)
AUDIT: Final = AuditLog("rules_engine")


class PortfolioStore(Protocol):
    """Stores what concerns many accounts, in the same transaction."""

    async def describe_csm(self, incoming: IncomingEvent, real: datetime) -> None: ...

    async def announce_program(self, incoming: IncomingEvent) -> None: ...


def check_time(moment: datetime, now: datetime, clock: ServiceClock) -> None:
    """Raise `Malformed` for what is more than 5 minutes (and 5 s of real time) ahead of the service clock."""
    if moment <= now:
        return
    ahead = moment - now
    if ahead > AHEAD + timedelta(seconds=5 * clock.rate):
        raise Malformed(
            f"time: {moment.isoformat()} is {ahead} ahead of the service clock ({now.isoformat()});"
            " send the moment it happened, or correct the sender's clock"
        )


@dataclass(frozen=True, slots=True)
class EventConsumer:
    """Handles a batch of one partition in the transaction of its offset."""

    clock: ServiceClock
    outbox: Outbox
    context: Callable[[], EvaluationContext]
    work: Callable[[Connection], UnitOfWork]
    portfolio: Callable[[Connection], PortfolioStore]
    count: Callable[[str, BatchCounts], None]
    secrets: Sequence[bytes]
    """An event whose sender is believed is signed under one of them."""

    async def __call__(self, connection: Connection, records: Sequence[Record], real: datetime) -> None:
        now = self.clock.at(real)
        work, portfolio = self.work(connection), self.portfolio(connection)
        events: list[IncomingEvent] = []
        changes: list[Change] = []
        async for record in in_slices(records):
            if record.topic == "touchpoint.events" and _header(record, "ce_type") not in ISSUED:
                continue
            envelope: Envelope | None = None
            try:
                envelope = from_kafka(record.headers, record.value)
                believed = without_claims(self.secrets, record, envelope.type)
                incoming = self._read(believed, envelope, now)
            except Malformed as problem:
                await dead_letter_record(connection, self.outbox, record, reason=str(problem))
                if envelope is not None:
                    await work.acknowledge([_dead_receipt(envelope, record, str(problem))])
                continue
            if incoming.event.type in PORTFOLIO_TYPES:
                await _store(portfolio, incoming, real)
                await work.acknowledge([_folded_receipt(incoming)])
                continue
            events.append(incoming)
            if (change := change_of(envelope, believed.headers)) is not None:
                changes.append(change)
        await AUDIT.record(connection, changes)
        if events:
            counts = await apply_events(work, events, self.context(), Clocks(service=now, real=real))
            self.count(records[0].topic, counts)

    def _read(self, record: Record, envelope: Envelope, now: datetime) -> IncomingEvent:
        if record.topic == "account.signals":
            check_time(envelope.time, now, self.clock)
        if record.topic == "touchpoint.events":
            data = TouchpointData.read(envelope.data)
        else:
            data, envelope.data, _ = read_data(envelope.type, envelope.data)
            check_subject(envelope.subject, data)
        return incoming_event(fact_event(envelope, data), record)


async def _store(portfolio: PortfolioStore, incoming: IncomingEvent, real: datetime) -> None:
    if incoming.event.type == "csm.described":
        await portfolio.describe_csm(incoming, real)
    else:
        await portfolio.announce_program(incoming)


def _folded_receipt(incoming: IncomingEvent) -> Receipt:
    account_id = incoming.event.account_id
    return Receipt(incoming.identity, incoming.content, ReceiptState.FOLDED, account_id)


def _dead_receipt(envelope: Envelope, record: Record, reason: str) -> Receipt:
    content = event_identity(str(record.partition), str(record.offset))[:8]
    return Receipt(
        event_identity(envelope.source, envelope.id),
        content,
        ReceiptState.DEAD,
        envelope.subject,
        reason=reason[:2000],
    )


def _header(record: Record, name: str) -> bytes | None:
    return next((value for header, value in record.headers if header == name), None)
