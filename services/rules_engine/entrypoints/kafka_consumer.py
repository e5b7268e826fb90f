"""Messages knock: signals, outcomes and touchpoint events become facts; what cannot be read is buried with its reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from schemas.base import Wire
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
from services.rules_engine.application.ports import Work
from services.rules_engine.application.replan_account import EvaluationContext, Moment
from services.rules_engine.domain.account import (
    IncomingEvent,
    Receipt,
    ReceiptState,
    Tally,
    event_identity,
    incoming_event,
)

log = structlog.get_logger(__name__)

# Of what the scheduler announces, only this concerns the engine; the rest is not even parsed.
ISSUED: Final = frozenset(
    {b"drumbeat.touchpoint.due.v1", b"drumbeat.touchpoint.overdue.v1", b"drumbeat.touchpoint.cancelled.v1"}
)
# What concerns many accounts goes into the book, not into the memory of one.
BOOKED: Final = frozenset({"csm.described", "program.announced"})
AHEAD: Final = timedelta(minutes=5)


class Portfolio(Protocol):
    """Keeps what concerns many accounts, in the same transaction."""

    async def csm_described(self, told: IncomingEvent, real: datetime) -> None: ...

    async def program_announced(self, told: IncomingEvent) -> None: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """What the consumer needs of the rest of the service."""

    clock: ServiceClock
    outbox: Outbox
    context: Callable[[], EvaluationContext]
    work: Callable[[Connection], Work]
    portfolio: Callable[[Connection], Portfolio]
    counted: Callable[[str, Tally], None]


class TooFarAhead(Exception):
    """The event's time lies in the future, beyond what clocks may differ."""


def check_time(moment: datetime, now: datetime, clock: ServiceClock) -> None:
    """Refuse what is more than 5 minutes (and 5 s of real time) ahead of the service clock."""
    if moment <= now:
        return
    ahead = moment - now
    if ahead > AHEAD + timedelta(seconds=5 * clock.rate):
        raise TooFarAhead(
            f"time: {moment.isoformat()} lies {ahead} ahead of the service clock ({now.isoformat()});"
            " send the moment it happened, or correct the sender's clock"
        )


class Unreadable(Exception):
    """A record that is no fact; `envelope` is there when at least that could be read."""

    def __init__(self, reason: str, envelope: Envelope | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.envelope = envelope


class SignalConsumer:
    """The handler of a partition batch."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def __call__(self, connection: Connection, records: Sequence[Record], real: datetime) -> None:
        now = self._engine.clock.at(real)
        work, portfolio = self._engine.work(connection), self._engine.portfolio(connection)
        facts: list[IncomingEvent] = []
        for record in records:
            try:
                told = self._read(record, now)
            except Unreadable as refused:
                await self._bury(connection, work, record, refused)
                continue
            if told is None:
                continue
            if told.event.type not in BOOKED:
                facts.append(told)
                continue
            if told.event.type == "csm.described":
                await portfolio.csm_described(told, real)
            else:
                await portfolio.program_announced(told)
            await work.acknowledge(
                [Receipt(told.identity, told.content, ReceiptState.FOLDED, told.event.account_id)]
            )
        if facts:
            tally = await apply_events(work, facts, self._engine.context(), Moment(service=now, real=real))
            self._engine.counted(records[0].topic, tally)

    def _read(self, record: Record, now: datetime) -> IncomingEvent | None:
        """The fact in a record; None when the engine has nothing to do with it. Raises Unreadable."""
        envelope: Envelope | None = None
        try:
            if record.topic == "touchpoint.events" and _header(record, "ce_type") not in ISSUED:
                return None
            envelope = from_kafka(record.headers, record.value)
            if record.topic == "account.signals":
                check_time(envelope.time, now, self._engine.clock)
            return incoming_event(fact_event(envelope, _letter(record.topic, envelope)), record)
        except (Malformed, TooFarAhead) as problem:
            raise Unreadable(str(problem), envelope) from problem

    async def _bury(self, connection: Connection, work: Work, record: Record, refused: Unreadable) -> None:
        await dead_letter_record(connection, self._engine.outbox, record, reason=refused.reason)
        if refused.envelope is not None:
            await work.acknowledge([_dead(refused.envelope, record, refused.reason)])


def _letter(topic: str, envelope: Envelope) -> Wire:
    if topic == "touchpoint.events":
        return TouchpointData.read(envelope.data)
    return parse_data(envelope.type, envelope.data)


def _dead(envelope: Envelope, record: Record, reason: str) -> Receipt:
    content = event_identity(str(record.partition), str(record.offset))[:8]
    return Receipt(
        event_identity(envelope.source, envelope.id),
        content,
        ReceiptState.DEAD,
        envelope.subject,
        reason=reason[:2000],
    )


def _header(record: Record, name: str) -> bytes | None:
    return next((value for each, value in record.headers if each == name), None)
