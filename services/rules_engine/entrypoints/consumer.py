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
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection
from services.chassis.dead_letters import Record, bury
from services.chassis.outbox import Outbox
from services.rules_engine.application.account import Heard, Receipt, ReceiptState, Tally
from services.rules_engine.application.hear import hear
from services.rules_engine.application.judge import Bench, Moment
from services.rules_engine.application.ports import Work
from services.rules_engine.entrypoints.translate import heard, identity

log = structlog.get_logger(__name__)

# Of what the scheduler announces, only this concerns the engine; the rest is not even parsed.
ISSUED: Final = frozenset(
    {b"drumbeat.touchpoint.due.v1", b"drumbeat.touchpoint.overdue.v1", b"drumbeat.touchpoint.cancelled.v1"}
)
AHEAD: Final = timedelta(minutes=5)


class Book(Protocol):
    """Keeps what concerns many accounts, in the same transaction."""

    async def csm_described(self, told: Heard, real: datetime) -> None: ...

    async def program_announced(self, told: Heard) -> None: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """What the consumer needs of the rest of the service."""

    clock: ServiceClock
    outbox: Outbox
    bench: Callable[[], Bench]
    work: Callable[[Connection], Work]
    book: Callable[[Connection], Book]
    counted: Callable[[str, Tally], None]


class TooFarAhead(Exception):
    """The event's time lies in the future, beyond what clocks may differ."""


def check_time(moment: datetime, now: datetime, clock: ServiceClock) -> None:
    """Refuse what is more than 5 minutes (and 5 s of real time) ahead of the service clock."""
    ahead = moment - now
    if ahead > AHEAD + timedelta(seconds=5 * clock.rate):
        raise TooFarAhead(
            f"time: {moment.isoformat()} lies {ahead} ahead of the service clock ({now.isoformat()});"
            " send the moment it happened, or correct the sender's clock"
        )


class SignalConsumer:
    """The handler of a partition batch."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def __call__(self, connection: Connection, records: Sequence[Record], real: datetime) -> None:
        now = self._engine.clock.at(real)
        work, book = self._engine.work(connection), self._engine.book(connection)
        facts: list[Heard] = []
        for record in records:
            told = await self._read(connection, work, record, now)
            if told is None:
                continue
            match told.event.type:
                case "csm.described":
                    await book.csm_described(told, real)
                case "program.announced":
                    await book.program_announced(told)
                case _:
                    facts.append(told)
                    continue
            await work.acknowledge(
                [Receipt(told.identity, told.content, ReceiptState.FOLDED, told.event.account_id)]
            )
        if facts:
            tally = await hear(work, facts, self._engine.bench(), Moment(service=now, real=real))
            self._engine.counted(records[0].topic, tally)

    async def _read(self, connection: Connection, work: Work, record: Record, now: datetime) -> Heard | None:
        envelope: Envelope | None = None
        try:
            if record.topic == "touchpoint.events" and _header(record, "ce_type") not in ISSUED:
                return None
            envelope = from_kafka(record.headers, record.value)
            if record.topic == "account.signals":
                check_time(envelope.time, now, self._engine.clock)
            return heard(envelope, _letter(record.topic, envelope), record)
        except (Malformed, TooFarAhead) as problem:
            await bury(connection, self._engine.outbox, record, reason=str(problem))
            if envelope is not None:
                await work.acknowledge([_dead(envelope, record, str(problem))])
            return None


def _letter(topic: str, envelope: Envelope) -> Wire:
    if topic == "touchpoint.events":
        return TouchpointData.read(envelope.data)
    return parse_data(envelope.type, envelope.data)


def _dead(envelope: Envelope, record: Record, reason: str) -> Receipt:
    content = identity(str(record.partition), str(record.offset))[:8]
    return Receipt(
        identity(envelope.source, envelope.id),
        content,
        ReceiptState.DEAD,
        envelope.subject,
        reason=reason[:2000],
    )


def _header(record: Record, name: str) -> bytes | None:
    return next((value for each, value in record.headers if each == name), None)
