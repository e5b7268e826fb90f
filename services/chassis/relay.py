"""The relay carries the outbox to Kafka.

It has no cursor (identity values are not commit order): it reads the oldest rows, produces them and deletes
them after the acknowledgement. One relay works at a time per database, by a transaction-scoped advisory lock:
a replica that dies or freezes loses the lock with its session. A crash between acknowledgement and delete
repeats records with the same id and content; readers are idempotent. A record that the broker refuses for its
size becomes a dead letter, so that it does not block the rows behind it. A pass takes fewer rows while they are slow to
be acknowledged, and waits as long as something is: what was not acknowledged in time is sent again, under the same id.
"""

import asyncio
from collections.abc import Sequence

import asyncpg
import structlog

from services.chassis.audit import TOPIC as AUDIT
from services.chassis.clock import monotonic
from services.chassis.database import Connection, Database
from services.chassis.dead_letters import UNSENT, Record, announce_alone, dead_letter_record
from services.chassis.faults import fault
from services.chassis.kafka import Delivery, Producer
from services.chassis.kafka_message import Message
from services.chassis.loops import Loop
from services.chassis.outages import KafkaAway
from services.chassis.outbox import NOT_OURS, Outbox, unpack
from services.chassis.pace import Pace
from services.chassis.record_signatures import sign_event, sign_record
from services.chassis.telemetry import METRICS
from services.chassis.tracing import traces
from services.chassis.work_poll import FALLBACK_SECONDS

log = structlog.get_logger(__name__)

RELAY_LOCK = 0x6472756D  # "drum": the advisory lock that makes one relay per database
MOST_BYTES = 16 << 20  # of the payloads of a pass, but for one row
SEND_SECONDS = 7.0  # without an acknowledgement: the broker is away
LONGEST_SECONDS = 12.0  # of a pass whose rows are acknowledged slowly
FINISH_SECONDS = 5.0  # in which refused rows are sent alone; the next pass does the rest
RESEND_SECONDS = 2.0  # with the two above less than the session's transaction_timeout
ALIVE_SECONDS = 3.0  # between two signs of life of the session, which its server ends when it is idle for ten

OLDEST = """
SELECT id, topic, key, headers, payload FROM (
    SELECT *, sum(coalesce(octet_length(payload), 0)) OVER (ORDER BY id) - coalesce(octet_length(payload), 0) AS before
    FROM (SELECT id, topic, key, headers, payload FROM outbox ORDER BY id LIMIT $1) AS oldest
) AS summed WHERE before < $2 ORDER BY id
"""
DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
WORK = "EXISTS (SELECT FROM outbox)"
HAS_ROWS = f"SELECT {WORK}"


class Relay(Loop):
    """Carries the outbox of one database to Kafka, oldest rows first.

    `secret` signs the entries of the audit log; None: they are sent as they are.
    """

    def __init__(
        self, database: Database, producer: Producer, outbox: Outbox, secret: bytes | None = None
    ) -> None:
        super().__init__("relay", interval=FALLBACK_SECONDS, run_once=self._look, work=WORK)
        self._database = database
        self._producer = producer
        self._outbox = outbox
        self._secret = secret
        self._pace = Pace()
        self._expects_rows = True

    def wake(self) -> None:
        self._expects_rows = True
        super().wake()

    async def _look(self) -> float | None:
        """A pass. One that nobody asked for seldom finds rows, and looks first without a transaction and its lock."""
        expects_rows, self._expects_rows = self._expects_rows, False
        if not expects_rows and not await self._database.pool.fetchval(HAS_ROWS):
            return None
        try:
            pause = await self._move_batch()
        except asyncpg.LockNotAvailableError:
            pause = 0  # a relay of another replica is at work for long
        self._expects_rows = self._expects_rows or pause is not None
        return pause

    async def _move_batch(self) -> float | None:
        """Move one batch: 0 when there may be more rows. Raises `KafkaAway` when some were not acknowledged."""
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", RELAY_LOCK)
            rows = await connection.fetch(OLDEST, self._pace.rows, MOST_BYTES)
            if not rows:
                return None
            messages = [self._message(row) for row in rows]
            fault("relay.before_produce")
            began = monotonic()
            with traces().sent(messages) as traced:
                deliveries = await self._deliver(connection, traced)
            unknown = sum(delivery is Delivery.UNKNOWN for delivery in deliveries)
            self._pace.adapt(len(rows), monotonic() - began, unknown)
            fault("relay.after_produce")
            finished, refused = await self._finish(
                connection, [*zip(rows, messages, deliveries, strict=True)]
            )
            await connection.execute(DELETE, [row[0] for row in rows[:finished]])
        fault("relay.after_delete")
        METRICS.outbox_relayed.inc(finished - refused)
        # After a refusal the client is replaced, and what it still had is sent again: nothing is away.
        if finished < len(rows) and Delivery.TOO_LARGE not in deliveries:
            raise KafkaAway("the broker did not acknowledge the outbox")
        return 0

    def _message(self, row: asyncpg.Record) -> Message:
        """The record; what has to be signed is as it leaves, also what waited since an earlier release."""
        _, topic, key, headers, payload = row
        sent = unpack(headers)
        if NOT_OURS in sent:
            sent.remove(NOT_OURS)
        elif self._secret is not None and topic == AUDIT:
            sent.append(sign_record(self._secret, topic, key, payload or b""))
        elif self._secret is not None and topic == "account.signals":
            sent.append(sign_event(self._secret, topic, key, sent, payload or b""))
        return Message(topic, key.encode(), payload, sent)

    async def _deliver(self, connection: Connection, messages: Sequence[Message]) -> list[Delivery]:
        """Produce in order, and keep the session of the transaction alive meanwhile."""
        send = self._producer.deliver(messages, seconds=SEND_SECONDS, at_most=LONGEST_SECONDS)
        sending = asyncio.create_task(send)
        try:
            while not (await asyncio.wait([sending], timeout=ALIVE_SECONDS))[0]:
                await connection.execute("SELECT")
        finally:
            sending.cancel()
        return sending.result()

    async def _finish(
        self, connection: Connection, batch: Sequence[tuple[asyncpg.Record, Message, Delivery]]
    ) -> tuple[int, int]:
        """(how many of the oldest rows are finished, how many of these became dead letters).

        The rows behind one without an acknowledgement are sent again after it, which keeps their order.
        """
        refused = 0
        smallest: dict[str, int] = {}  # by topic, of what was refused alone
        deadline = monotonic() + FINISH_SECONDS
        for index, (row, message, delivery) in enumerate(batch):
            if delivery is Delivery.UNKNOWN or (delivery is Delivery.TOO_LARGE and monotonic() > deadline):
                return index, refused
            if delivery is Delivery.ACKNOWLEDGED:
                continue
            size = _size_of(message)
            if size < smallest.get(message.topic, size + 1):
                # Perhaps only its batch was too large: alone it shows.
                (alone,) = await self._producer.deliver([message], seconds=RESEND_SECONDS)
                if alone is not Delivery.TOO_LARGE:
                    return index + (alone is Delivery.ACKNOWLEDGED), refused
                smallest[message.topic] = size
            await self._dead_letter(connection, row[0], message)
            refused += 1
        return len(batch), refused

    async def _dead_letter(self, connection: Connection, row_id: int, message: Message) -> None:
        topic, key, value, headers = message
        size = len(value or b"")
        log.error("relay.record_too_large", topic=topic, key=key[:200], bytes=size)
        announcement = announce_alone(message)
        if announcement is not None:
            await self._outbox.append(connection, [announcement])
            return
        reason = f"too large to be sent ({size} bytes): raise max.message.bytes of the topic, then replay it"
        record = Record(topic, UNSENT, row_id, key, value, tuple(headers), 0)
        await dead_letter_record(connection, self._outbox, record, reason=reason)


def _size_of(message: Message) -> int:
    """About as many bytes as the record has on the broker."""
    headers = sum(len(name) + len(value) for name, value in message.headers)
    return len(message.key) + len(message.value or b"") + headers
