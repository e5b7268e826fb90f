"""Kafka records: signals, outcomes and touchpoint events are applied; what cannot be read becomes a dead letter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from schemas.base import SchemaModel
from schemas.envelope import Envelope, from_kafka
from schemas.events import parse_data
from schemas.problems import Malformed
from schemas.touchpoints import TouchpointData
from services.cadence.account.events import fact_event
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.outbox import Outbox
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

log = structlog.get_logger(__name__)

# Of what the scheduler announces, the engine needs only these; the rest is not even parsed.
ISSUED: Final = frozenset(
    {b"drumbeat.touchpoint.due.v1", b"drumbeat.touchpoint.overdue.v1", b"drumbeat.touchpoint.cancelled.v1"}
)
# What concerns many accounts goes into the portfolio, not into the state of one account.
PORTFOLIO_TYPES: Final = frozenset({"csm.described", "program.announced"})
AHEAD: Final = timedelta(minutes=5)


class PortfolioStore(Protocol):
    """Stores what concerns many accounts, in the same transaction."""

    async def describe_csm(self, incoming: IncomingEvent, real: datetime) -> None: ...

    async def announce_program(self, incoming: IncomingEvent) -> None: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """What the consumer needs of the rest of the service."""

    clock: ServiceClock
    outbox: Outbox
    context: Callable[[], EvaluationContext]
    work: Callable[[Connection], UnitOfWork]
    portfolio: Callable[[Connection], PortfolioStore]
    count: Callable[[str, BatchCounts], None]


class TooFarAhead(Exception):
    """The event's time is in the future, by more than clocks may differ."""


def check_time(moment: datetime, now: datetime, clock: ServiceClock) -> None:
    """Refuse what is more than 5 minutes (and 5 s of real time) ahead of the service clock."""
    if moment <= now:
        return
    ahead = moment - now
    if ahead > AHEAD + timedelta(seconds=5 * clock.rate):
        raise TooFarAhead(
            f"time: {moment.isoformat()} is {ahead} ahead of the service clock ({now.isoformat()});"
            " send the moment it happened, or correct the sender's clock"
        )


class Unreadable(Exception):
    """A record that is no event; `envelope` is there when at least that could be read."""

    def __init__(self, reason: str, envelope: Envelope | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.envelope = envelope


class EventConsumer:
    """Handles a batch of one partition in the transaction of its offset."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def __call__(self, connection: Connection, records: Sequence[Record], real: datetime) -> None:
        now = self._engine.clock.at(real)
        work, portfolio = self._engine.work(connection), self._engine.portfolio(connection)
        events: list[IncomingEvent] = []
        for record in records:
            try:
                incoming = self._read(record, now)
            except Unreadable as refused:
                await self._dead_letter(connection, work, record, refused)
                continue
            if incoming is None:
                continue
            if incoming.event.type not in PORTFOLIO_TYPES:
                events.append(incoming)
                continue
            if incoming.event.type == "csm.described":
                await portfolio.describe_csm(incoming, real)
            else:
                await portfolio.announce_program(incoming)
            account_id = incoming.event.account_id
            await work.acknowledge(
                [Receipt(incoming.identity, incoming.content, ReceiptState.FOLDED, account_id)]
            )
        if events:
            counts = await apply_events(work, events, self._engine.context(), Clocks(service=now, real=real))
            self._engine.count(records[0].topic, counts)

    def _read(self, record: Record, now: datetime) -> IncomingEvent | None:
        """The event in a record; None when the engine does not need it. Raises `Unreadable`."""
        envelope: Envelope | None = None
        try:
            if record.topic == "touchpoint.events" and _header(record, "ce_type") not in ISSUED:
                return None
            envelope = from_kafka(record.headers, record.value)
            if record.topic == "account.signals":
                check_time(envelope.time, now, self._engine.clock)
            return incoming_event(fact_event(envelope, _data(record.topic, envelope)), record)
        except (Malformed, TooFarAhead) as problem:
            raise Unreadable(str(problem), envelope) from problem

    async def _dead_letter(
        self, connection: Connection, work: UnitOfWork, record: Record, refused: Unreadable
    ) -> None:
        await dead_letter_record(connection, self._engine.outbox, record, reason=refused.reason)
        if refused.envelope is not None:
            await work.acknowledge([_dead_receipt(refused.envelope, record, refused.reason)])


def _data(topic: str, envelope: Envelope) -> SchemaModel:
    if topic == "touchpoint.events":
        return TouchpointData.read(envelope.data)
    return parse_data(envelope.type, envelope.data)


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
