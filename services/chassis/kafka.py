# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The one door to Kafka: connection options and the producer.

The producer is idempotent and waits for all in-sync replicas. aiokafka never gives up on an idempotent batch
while the broker is away, and after some broker troubles its sender dies for good; so every wait has a limit,
a missing acknowledgement is *unknown* (not failed), and a producer that broke is replaced by a new one.
Records are put into batches here: a future and a coroutine for each would cost more than all the rest.
"""

import asyncio
import ssl
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, TypedDict

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from services.chassis.settings import Kafka

log = structlog.get_logger(__name__)

MOST_IN_BATCH = 256 * 1024  # bytes
LARGEST_RECORD = 2 * 1024 * 1024  # bytes

Headers = Sequence[tuple[str, bytes]]
Outcome = asyncio.Future[Exception | None]
"""What became of a batch: None when every in-sync replica has it."""


class ClientOptions(TypedDict, total=False):
    bootstrap_servers: str
    security_protocol: str
    sasl_mechanism: str
    sasl_plain_username: str
    sasl_plain_password: str
    ssl_context: ssl.SSLContext
    metadata_max_age_ms: int


def client_options(kafka: Kafka) -> ClientOptions:
    """What every client of the broker is built with."""
    options = ClientOptions(
        bootstrap_servers=kafka.bootstrap_servers or "",
        security_protocol=kafka.security_protocol,
        metadata_max_age_ms=60_000,
    )
    if kafka.security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_username or ""
        options["sasl_plain_password"] = kafka.sasl_password or ""
    if kafka.security_protocol.endswith("SSL"):
        options["ssl_context"] = ssl.create_default_context(cafile=kafka.ssl_ca_file)
    return options


class Message(NamedTuple):
    """A record to be produced. `value` None is a tombstone."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers


class NotAcknowledged(Exception):
    """The broker did not acknowledge in time: the records may or may not be stored."""


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key, as every Kafka client by default chooses it."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


class _Lane:
    """The records for one partition: one batch on its way to the broker, one being filled meanwhile."""

    def __init__(self, client: AIOKafkaProducer, topic: str, partition: int) -> None:
        self._client = client
        self._topic, self._partition = topic, partition
        self._filling: BatchBuilder | None = None
        self._outcome = Outcome()
        self._left = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def put(self, record: Message) -> Outcome | None:
        """What will become of the record's batch; None when the batch being filled has no room for it."""
        if self._filling is None:
            self._filling, self._outcome = self._client.create_batch(), Outcome()
            self._left.clear()
            if self._running is None:
                self._running = asyncio.create_task(self._run())
        headers = list(record.headers)
        put = self._filling.append(timestamp=None, key=record.key, value=record.value, headers=headers)
        return None if put is None else self._outcome

    async def put_when_there_is_room(self, record: Message) -> Outcome:
        while (outcome := self.put(record)) is None:
            await self._left.wait()
        return outcome

    async def _run(self) -> None:
        try:
            while self._filling is not None:
                batch, outcome, self._filling = self._filling, self._outcome, None
                batch.close()
                self._left.set()
                await self._send(batch, outcome)
        finally:
            self._running = None

    async def _send(self, batch: BatchBuilder, outcome: Outcome) -> None:
        problem: Exception | None = ProducerClosed()
        try:
            await (await self._client.send_batch(batch, self._topic, partition=self._partition))
            problem = None
        except Exception as trouble:  # noqa: BLE001 - whatever it was, those who wait for the batch are told
            problem = trouble
        finally:
            outcome.set_result(problem)

    async def stop(self) -> None:
        """Give up what is still on its way, when the client is closed."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
        if self._filling is not None:
            self._filling = None
            self._outcome.set_result(ProducerClosed())
            self._left.set()


class _Connection:
    """A client with its lanes."""

    def __init__(self, client: AIOKafkaProducer) -> None:
        self.client = client
        self._lanes: dict[tuple[str, int], _Lane] = {}

    async def put(self, messages: Sequence[Message], outcomes: list[Outcome | None]) -> None:
        """Hand the records over, each partition's in order; `outcomes` has one place for each.

        A record that finds no room waits after the others are handed over, so that a partition that takes
        nothing holds up no other. A record beyond the limit is never handed over.
        """
        partitions = {
            each: len(await self.client.partitions_for(each)) for each in {m.topic for m in messages}
        }
        full: list[tuple[int, _Lane]] = []
        for index, each in enumerate(messages):
            if each.value is not None and len(each.value) > LARGEST_RECORD:
                log.error("produce.too_large", topic=each.topic, key=each.key, bytes=len(each.value))
                continue
            lane = self._lane(each.topic, partition_of(each.key, partitions[each.topic]))
            outcomes[index] = outcome = lane.put(each)
            if outcome is None:
                full.append((index, lane))
        for index, lane in full:
            outcomes[index] = await lane.put_when_there_is_room(messages[index])

    def _lane(self, topic: str, partition: int) -> _Lane:
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = _Lane(self.client, topic, partition)
        return lane

    async def stop(self) -> None:
        await _stop(self.client)
        for each in self._lanes.values():
            await each.stop()


class Producer:
    """An idempotent producer that replaces its client when that broke."""

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
                    await _stop(client)
                    raise
                self._connection = _Connection(client)
            return self._connection

    async def send(self, messages: Sequence[Message], *, timeout: float) -> list[bool]:  # noqa: ASYNC109
        """Produce in order; answer for each whether it was acknowledged within `timeout` seconds.

        False means unknown: it may still arrive. Never raises for a broker that is away.
        """
        if not messages:
            return []
        outcomes: list[Outcome | None] = [None] * len(messages)
        connection: _Connection | None = None
        try:
            async with asyncio.timeout(timeout):
                connection = await self._connected()
                await connection.put(messages, outcomes)
                handed_over = {each for each in outcomes if each is not None}
                if handed_over:
                    await asyncio.wait(handed_over)
        except (TimeoutError, KafkaError, OSError, asyncio.InvalidStateError) as problem:
            log.warning("produce.unacknowledged", problem=repr(problem), records=len(messages))
        if connection is not None and any(_failed(each) for each in outcomes):
            await self._discard(connection)
        return [each is not None and each.done() and each.result() is None for each in outcomes]

    async def _discard(self, broken: _Connection) -> None:
        """After a hard error the client's sender task is dead: the next send gets a new client."""
        if self._connection is broken:
            self._connection = None
            await broken.stop()

    async def stop(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.stop()


def _failed(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.done() and outcome.result() is not None


async def _stop(client: AIOKafkaProducer) -> None:
    """`stop` of an idempotent producer with pending batches hangs while the broker is away."""
    try:
        async with asyncio.timeout(5):
            await client.stop()
    except (TimeoutError, KafkaError, OSError, asyncio.CancelledError):
        log.warning("producer.abandoned")
