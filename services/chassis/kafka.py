# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The one door to Kafka: connection options and the producer.

The producer is idempotent and waits for all in-sync replicas. aiokafka never gives up on an idempotent batch
while the broker is away, and after some broker troubles its sender dies for good; so every wait has a limit,
a missing acknowledgement is *unknown* (not failed), and a producer that broke is replaced by a new one.
"""

import asyncio
import ssl
from collections.abc import Sequence
from typing import NamedTuple, TypedDict

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.chassis.settings import Kafka

log = structlog.get_logger(__name__)

Headers = Sequence[tuple[str, bytes]]


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


class Producer:
    """An idempotent producer that replaces its client when that broke."""

    def __init__(self, kafka: Kafka, *, client_id: str) -> None:
        self._kafka = kafka
        self._client_id = client_id
        self._client: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        await self._connected()

    async def _connected(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._client is None:
                client = AIOKafkaProducer(
                    **client_options(self._kafka),
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    max_batch_size=256 * 1024,
                    max_request_size=2 * 1024 * 1024,
                    request_timeout_ms=8_000,
                )
                try:
                    await client.start()
                except BaseException:
                    await _stop(client)
                    raise
                self._client = client
            return self._client

    async def send(self, messages: Sequence[Message], *, timeout: float) -> list[bool]:  # noqa: ASYNC109
        """Produce in order; answer for each whether it was acknowledged within `timeout` seconds.

        False means unknown: it may still arrive. Never raises for a broker that is away.
        """
        if not messages:
            return []
        waiting: list[asyncio.Future[object]] = []
        try:
            async with asyncio.timeout(timeout):
                client = await self._connected()
                for each in messages:
                    headers = list(each.headers)
                    sent = await client.send(each.topic, each.value, key=each.key, headers=headers)
                    waiting.append(sent)
                await asyncio.wait(waiting)
        except (TimeoutError, KafkaError, OSError, asyncio.InvalidStateError) as problem:
            log.warning("produce.unacknowledged", problem=repr(problem), records=len(messages))
        acknowledged = [_acknowledged(each) for each in waiting]
        acknowledged += [False] * (len(messages) - len(acknowledged))
        if not all(acknowledged):
            await self._discard_if_broken(waiting)
        return acknowledged

    async def _discard_if_broken(self, waiting: Sequence["asyncio.Future[object]"]) -> None:
        """After a hard error the client's sender task is dead: the next send gets a new client."""
        broken = any(each.done() and not each.cancelled() and each.exception() for each in waiting)
        if broken and self._client is not None:
            client, self._client = self._client, None
            await _stop(client)

    async def stop(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await _stop(client)


def _acknowledged(future: "asyncio.Future[object]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


async def _stop(client: AIOKafkaProducer) -> None:
    """`stop` of an idempotent producer with pending batches hangs while the broker is away."""
    try:
        async with asyncio.timeout(5):
            await client.stop()
    except (TimeoutError, KafkaError, OSError, asyncio.CancelledError):
        log.warning("producer.abandoned")
