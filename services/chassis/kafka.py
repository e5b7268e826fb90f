# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The connection to Kafka: client options and the producer.

The producer is idempotent and waits for all in-sync replicas. aiokafka never gives up an idempotent batch while
the broker is away, and after some broker errors its sender task ends for good; so every wait has a limit, a
missing acknowledgement is *unknown* (not failed), and a producer whose sender ended is replaced by a new one.
Records are put into batches here: a future and a coroutine for each record would cost more than all the rest.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerClosed, RecordListTooLargeError
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from services.chassis.kafka_message import Message
from services.chassis.outages import OUTAGES, KafkaAway
from services.chassis.progress_timeout import ProgressTimeout
from services.chassis.settings import Kafka
from services.chassis.time_slices import yield_if_long
from services.chassis.tracing import traces

log = structlog.get_logger(__name__)

MOST_IN_BATCH = 256 * 1024  # bytes
LARGEST_RECORD = 2 * 1024 * 1024  # bytes
TOO_LARGE = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)  # the broker's refusals of a batch for its size

Outcome = asyncio.Future[Exception | None]
"""The result of sending a batch: None when every in-sync replica has it."""


class Delivery(Enum):
    """The result of sending a record."""

    ACKNOWLEDGED = auto()
    UNKNOWN = auto()  # not acknowledged in time: it may be stored, or may still arrive
    TOO_LARGE = auto()  # it exceeds LARGEST_RECORD, or the broker refused its batch for its size


def client_options(kafka: Kafka) -> dict[str, Any]:
    """The options of every aiokafka client, from the settings."""
    options: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap_servers or "",
        "security_protocol": kafka.security_protocol,
        "metadata_max_age_ms": 60_000,
    }
    if kafka.security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_username or ""
        options["sasl_plain_password"] = kafka.sasl_password or ""
    if kafka.security_protocol.endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context(cafile=kafka.ssl_ca_file)
    return options


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key, as Kafka's default partitioner chooses it."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


class _PartitionQueue:
    """The records for one partition: one batch is being sent while the next one is filled."""

    def __init__(self, client: AIOKafkaProducer, topic: str, partition: int) -> None:
        self._client = client
        self._topic, self._partition = topic, partition
        self._filling: BatchBuilder | None = None
        self._outcome = Outcome()
        self._batch_closed = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def put(self, record: Message) -> Outcome | None:
        """The outcome of the record's batch, still open; None when the batch being filled has no room for it."""
        if self._filling is None:
            self._filling, self._outcome = self._client.create_batch(), Outcome()
            self._batch_closed.clear()
            if self._running is None:
                self._running = asyncio.create_task(self._run())
        headers = list(record.headers)
        appended = self._filling.append(timestamp=None, key=record.key, value=record.value, headers=headers)
        return None if appended is None else self._outcome

    async def put_when_there_is_room(self, record: Message) -> Outcome:
        while (outcome := self.put(record)) is None:
            await self._batch_closed.wait()
        return outcome

    async def _run(self) -> None:
        try:
            while self._filling is not None:
                batch, outcome, self._filling = self._filling, self._outcome, None
                batch.close()
                self._batch_closed.set()
                await self._send(batch, outcome)
        finally:
            self._running = None

    async def _send(self, batch: BatchBuilder, outcome: Outcome) -> None:
        problem: Exception | None = ProducerClosed()
        try:
            await (await self._client.send_batch(batch, self._topic, partition=self._partition))
            problem = None
        except Exception as raised:  # noqa: BLE001 - whatever it is, it is the batch's outcome
            problem = raised
        finally:
            outcome.set_result(problem)

    async def stop(self) -> None:
        """Give up the batches that are not acknowledged yet, after the client was closed."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
        if self._filling is not None:
            self._filling = None
            self._outcome.set_result(ProducerClosed())
            self._batch_closed.set()


class _Connection:
    """A client with its queues."""

    def __init__(self, client: AIOKafkaProducer) -> None:
        self.client = client
        self._queues: dict[tuple[str, int], _PartitionQueue] = {}

    async def put(
        self, messages: Sequence[Message], outcomes: list[Outcome | None], watch: Callable[[Outcome], None]
    ) -> None:
        """Add the records to their partitions' batches, in order; fills in `outcomes`, one for each, and watches them.

        A record that finds no room waits until the others are added, and those behind it in its partition with it, so
        that a partition that takes nothing delays no other. A record beyond the limit is never sent.
        """
        partitions = {
            topic: len(await self.client.partitions_for(topic)) for topic in {m.topic for m in messages}
        }
        full: list[tuple[int, _PartitionQueue]] = []
        blocked: set[_PartitionQueue] = set()
        for index, message in enumerate(messages):
            if _is_too_large(message):
                log.error("produce.too_large", topic=message.topic, key=message.key, limit=LARGEST_RECORD)
                continue
            await yield_if_long()
            queue = self._queue(message.topic, partition_of(message.key, partitions[message.topic]))
            outcomes[index] = outcome = None if queue in blocked else queue.put(message)
            if outcome is None:
                full.append((index, queue))
                blocked.add(queue)
            else:
                watch(outcome)
        for index, queue in full:
            outcomes[index] = outcome = await queue.put_when_there_is_room(messages[index])
            watch(outcome)

    def _queue(self, topic: str, partition: int) -> _PartitionQueue:
        queue = self._queues.get((topic, partition))
        if queue is None:
            queue = self._queues[topic, partition] = _PartitionQueue(self.client, topic, partition)
        return queue

    async def stop(self) -> None:
        await stop_client(self.client)
        for queue in self._queues.values():
            await queue.stop()


class Producer:
    """An idempotent producer that replaces its client after a hard error."""

    def __init__(self, kafka: Kafka, *, client_id: str) -> None:
        self._kafka = kafka
        self._client_id = client_id
        self._connection: _Connection | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        await self._connected()

    async def _connected(self) -> _Connection:
        async with self._starting:
            if self._connection is None:
                client = AIOKafkaProducer(
                    **client_options(self._kafka),
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    max_batch_size=MOST_IN_BATCH,
                    max_request_size=LARGEST_RECORD,
                    request_timeout_ms=8_000,
                )
                try:
                    await client.start()
                except BaseException:
                    await stop_client(client)
                    raise
                self._connection = _Connection(client)
            return self._connection

    async def send(self, messages: Sequence[Message], *, timeout: float) -> list[bool]:  # noqa: ASYNC109
        """Produce in order; returns for each message whether it was acknowledged within `timeout` seconds.

        False means unknown: it may still arrive. Does not raise when the broker is away.
        """
        with traces().sent(messages) as traced:
            results = await self.deliver(traced, seconds=timeout)
        return [result is Delivery.ACKNOWLEDGED for result in results]

    async def deliver(
        self, messages: Sequence[Message], *, seconds: float, at_most: float | None = None
    ) -> list[Delivery]:
        """Like `send`, but returns why a message was not acknowledged.

        With `at_most` it waits so many seconds in all, as long as something is acknowledged every `seconds`.
        """
        if not messages:
            return []
        outcomes: list[Outcome | None] = [None] * len(messages)
        connection: _Connection | None = None
        try:
            async with ProgressTimeout(seconds, at_most) as limit:
                connection = await self._connected()
                await connection.put(messages, outcomes, limit.watch)
                if any(outcomes):
                    await asyncio.wait({outcome for outcome in outcomes if outcome is not None})
        except (TimeoutError, KafkaError, OSError, asyncio.InvalidStateError) as problem:
            away = problem if isinstance(problem, KafkaError) else KafkaAway(repr(problem))
            OUTAGES.report("producer", away)
        else:
            _report_outcomes(outcomes)
        if connection is not None and any(_failed(outcome) for outcome in outcomes):
            await self._discard(connection)
        return [_delivery(*pair) for pair in zip(messages, outcomes, strict=True)]

    async def _discard(self, broken: _Connection) -> None:
        """After a hard error the client's sender task has ended: the next call gets a new client."""
        if self._connection is broken:
            self._connection = None
            await broken.stop()

    async def stop(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.stop()


def _is_too_large(message: Message) -> bool:
    return message.value is not None and len(message.value) > LARGEST_RECORD


def _failed(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.done() and outcome.result() is not None


def _report_outcomes(outcomes: Sequence[Outcome | None]) -> None:
    problems = [outcome.result() for outcome in outcomes if outcome is not None and _failed(outcome)]
    away = next((problem for problem in problems if not isinstance(problem, TOO_LARGE)), None)
    if away is not None:
        OUTAGES.report("producer", away)
    elif not problems:
        OUTAGES.works("producer")


def _delivery(message: Message, outcome: Outcome | None) -> Delivery:
    if outcome is None or not outcome.done():
        return Delivery.TOO_LARGE if _is_too_large(message) else Delivery.UNKNOWN
    problem = outcome.result()
    if problem is None:
        return Delivery.ACKNOWLEDGED
    return Delivery.TOO_LARGE if isinstance(problem, TOO_LARGE) else Delivery.UNKNOWN


async def stop_client(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Stop a client within five seconds: `stop` hangs when batches are pending and the broker is away."""
    try:
        async with asyncio.timeout(5):
            await client.stop()
    except (TimeoutError, KafkaError, OSError, asyncio.CancelledError):
        log.debug("kafka.client_abandoned")
