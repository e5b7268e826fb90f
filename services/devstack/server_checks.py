# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""Checks of the database server and the broker: their clocks, and partitions of which nobody reads the next record."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from services.chassis.clock_skew import (
    ALLOWED_SECONDS,
    describe_skew,
    measure_broker_skew,
    measure_database_skew,
)
from services.chassis.database import database_url
from services.chassis.kafka import client_options
from services.chassis.schema_versions import DATABASES
from services.chassis.settings import Kafka, Settings
from services.devstack.check import Check

STUCK_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_CHECK_SECONDS = 30.0
_POLL_MILLISECONDS = 2_000
_REMEDY = "the log of {service} says why; see “Lag, and partitions that do not advance” in docs/runbook.md"
_UNMEASURED = "check that the database and the broker run, take connections from here, and are migrated"
OFFSETS = """
SELECT topic, part, next_offset, extract(epoch FROM clock_timestamp() - updated_at)::float8
FROM consumer_offset
WHERE cluster = $1 AND halted IS NULL AND clock_timestamp() - updated_at > make_interval(secs => $2)
"""
UNAVAILABLE = (asyncpg.PostgresError, asyncpg.InterfaceError, KafkaError, OSError, TimeoutError)


class Position(NamedTuple):
    """Where a service stands in a partition, and for how many seconds it has not moved."""

    partition: TopicPartition
    next_offset: int
    idle_seconds: float


def check_servers(settings: Settings) -> Iterator[Check]:
    """Nothing while there is no address of a database or of a broker: the first start brings both."""
    if settings.database.url is not None and settings.kafka.bootstrap_servers is not None:
        yield from asyncio.run(_check_servers(settings.database.url, settings.kafka))


async def _check_servers(url: str, kafka: Kafka) -> list[Check]:
    checks = [
        await check_clock(
            "the database", measure_database_skew(database_url(url, DATABASES["rules_engine"]))
        ),
        await check_clock("the broker", measure_broker_skew(kafka)),
    ]
    return [*checks, *await measure_positions(url, kafka)]


async def measure_positions(url: str, kafka: Kafka) -> list[Check]:
    """`check_positions` of all services; `url`: of the database server. A check that cannot be made has a remedy too."""
    databases = {service: database_url(url, name) for service, name in DATABASES.items()}
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return [check async for check in check_positions(databases, kafka)]
    except UNAVAILABLE as problem:
        reason = str(problem) or type(problem).__name__
        return [Check("positions", f"not measured ({reason})", _UNMEASURED)]


async def check_clock(what: str, measured: Any) -> Check:
    """Whether the clock of a server is near this host's. `measured`: awaitable seconds by which it is ahead."""
    name = f"clock of {what}"
    try:
        seconds = float(await measured)
    except UNAVAILABLE as problem:
        reason = str(problem) or type(problem).__name__
        return Check(
            name, f"not measured ({reason})", f"check that {what} runs and takes connections from here"
        )
    wrong = describe_skew(what, seconds)
    if wrong is None:
        return Check(name, f"within {ALLOWED_SECONDS:g} s of this machine's")
    result, _, remedy = wrong.partition(": ")
    return Check(name, result, remedy)


async def check_positions(databases: Mapping[str, str], kafka: Kafka) -> AsyncIterator[Check]:
    """The partitions of which a service has not read the next record for a minute, though it is there.

    Halted ones are read by nobody, and `/readyz` names them. `databases`: the URL of each service's database.
    """
    cluster = await _cluster_id(kafka)
    client = AIOKafkaConsumer(
        **client_options(kafka),
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
    )
    await client.start()
    try:
        stuck = 0
        for service, url in databases.items():
            for position in await _idle_positions(url, cluster):
                problem = await _problem_of(client, position)
                if problem:
                    stuck += 1
                    yield Check(service, problem, _REMEDY.format(service=service))
        if not stuck:
            yield Check("positions", "every service has read its partitions")
    finally:
        await client.stop()


async def _cluster_id(kafka: Kafka) -> str:
    admin = AIOKafkaAdminClient(**client_options(kafka), request_timeout_ms=5_000)
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()


async def _idle_positions(url: str, cluster: str) -> Sequence[Position]:
    connection = await asyncpg.connect(url, timeout=_ANSWER_SECONDS, command_timeout=_ANSWER_SECONDS)
    try:
        rows = await connection.fetch(OFFSETS, cluster, STUCK_SECONDS)
    finally:
        await connection.close()
    return [Position(TopicPartition(row[0], row[1]), row[2], row[3]) for row in rows]


async def _problem_of(client: AIOKafkaConsumer, position: Position) -> str:
    """Why a partition does not advance; empty when it has no further record.

    An offset before the end proves nothing: the markers of transactions have offsets too. The record itself is read.
    """
    partition, next_offset, idle_seconds = position
    name = f"the partition {partition.topic}/{partition.partition}"
    ends: Any = await client.end_offsets([partition])
    if next_offset >= ends[partition]:
        return ""
    client.assign([partition])
    client.seek(partition, next_offset)
    try:
        found: Any = await client.getmany(partition, timeout_ms=_POLL_MILLISECONDS, max_records=1)
    except OffsetOutOfRangeError:
        return f"{name} is halted: its stored offset {next_offset} is not on the broker"
    return f"{name} is stuck at offset {next_offset} for {idle_seconds:.0f} s" if found else ""
