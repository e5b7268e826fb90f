# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""How far the clocks of the database server and of the broker are from the clock of this host."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from services.chassis.clock import real_now
from services.chassis.kafka import client_options
from services.chassis.settings import Kafka

ALLOWED_SECONDS = 2.0
TOPIC = "clock.checks"
"""One partition, whose records get the time of the broker: Kafka has no request for it."""
_TRIES = 3
_ANSWER_SECONDS = 10.0
_CONFIGS = {"message.timestamp.type": "LogAppendTime", "retention.ms": "3600000"}

Now = Callable[[], datetime]


async def measure_database_skew(url: str, *, now: Now = real_now) -> float:
    """Seconds by which the database's clock is ahead. Raises what asyncpg raises without an answer in time."""
    connection = await asyncpg.connect(url, timeout=_ANSWER_SECONDS, command_timeout=_ANSWER_SECONDS)
    try:
        return await _measure(lambda: connection.fetchval("SELECT clock_timestamp()"), now)
    finally:
        await connection.close()


async def measure_broker_skew(kafka: Kafka, *, now: Now = real_now) -> float:
    """Seconds by which the broker's clock is ahead. Raises KafkaError or TimeoutError without an answer in time."""
    async with asyncio.timeout(_ANSWER_SECONDS):
        await _create_topic(kafka)
        producer = AIOKafkaProducer(
            **client_options(kafka), client_id="drumbeat-clock", request_timeout_ms=5_000
        )
        await producer.start()
        try:

            async def read() -> datetime:
                stored: Any = await producer.send_and_wait(TOPIC, b"", partition=0)
                return datetime.fromtimestamp(stored.timestamp / 1000, UTC)

            return await _measure(read, now)
        finally:
            await producer.stop()


async def _measure(read: Callable[[], Awaitable[datetime]], now: Now) -> float:
    """The skew of the quickest of a few answers: it lies within half of the time that the answer took."""
    answers: list[tuple[timedelta, timedelta]] = []
    for _ in range(_TRIES):
        before = now()
        at = await read()
        took = now() - before
        answers.append((took, at - before - took / 2))
    return min(answers)[1].total_seconds()


async def _create_topic(kafka: Kafka) -> None:
    admin = AIOKafkaAdminClient(**client_options(kafka), request_timeout_ms=5_000)
    await admin.start()
    try:
        if TOPIC in set(await admin.list_topics()):
            return
        topic = NewTopic(
            name=TOPIC,
            num_partitions=1,
            replication_factor=-1,
            replica_assignments={},
            topic_configs=_CONFIGS,
        )
        created: Any = await admin.create_topics([topic])
        for _, code, *_ in created.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(TOPIC)
    finally:
        await admin.close()


def describe_skew(what: str, seconds: float) -> str | None:
    """A sentence with the remedy about a clock that is too far from this host's; None when it is near enough."""
    if abs(seconds) <= ALLOWED_SECONDS:
        return None
    direction = "ahead of" if seconds > 0 else "behind"
    return (
        f"the clock of {what} is {abs(seconds):.1f} s {direction} this machine's: synchronise both by NTP "
        f"(chrony or systemd-timesyncd)"
    )
