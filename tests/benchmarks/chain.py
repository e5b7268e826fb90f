# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The bare chain: three hops over Kafka, a transaction and an outbox each, woken in process; nothing decided.

Run as a module it is the first two hops (`python -m tests.benchmarks.chain BOOTSTRAP DATABASE_URL`); the third is
in the process that measures.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.chassis.database import Connection
from services.chassis.settings import Kafka
from services.chassis.topics import TopicSpec, ensure_topics
from services.devstack.embedded import processes
from tests.benchmarks.probes import Probe
from tests.stack import ROOT

TOPICS = ("bench.first", "bench.second", "bench.third")
PARTITIONS = 12
TABLES = """
CREATE TABLE chain_offset (topic text, part int, next bigint, PRIMARY KEY (topic, part));
CREATE TABLE chain_inbox (topic text, id text, at timestamptz DEFAULT now(), PRIMARY KEY (topic, id));
CREATE TABLE chain_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text NOT NULL, key text NOT NULL, payload bytea NOT NULL
)
"""
ADVANCE = """
INSERT INTO chain_offset VALUES ($2, $3, $1) ON CONFLICT (topic, part) DO UPDATE SET next = excluded.next
WHERE chain_offset.next <= excluded.next
"""
REMEMBER = "INSERT INTO chain_inbox (topic, id) SELECT $1, * FROM unnest($2::text[]) ON CONFLICT DO NOTHING"
APPEND = "INSERT INTO chain_outbox (topic, key, payload) SELECT $1, * FROM unnest($2::text[], $3::bytea[])"
OLDEST = """
SELECT id, key, payload FROM chain_outbox WHERE topic = $1 ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED
"""
DELETE = "DELETE FROM chain_outbox WHERE id = ANY($1::bigint[])"
PADDING = b"x" * 280


async def producer(bootstrap: str) -> AIOKafkaProducer:
    made = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=0)
    await made.start()
    return made


async def session(url: str) -> Connection:
    return await asyncpg.connect(url, server_settings={"jit": "off"})


class Hop:
    """Reads a topic; each poll is one transaction; what follows goes out through the outbox."""

    def __init__(self, bootstrap: str, url: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._url = url
        self._topic = topic
        self._bell = asyncio.Event()

    async def open(self) -> None:
        self._session = await session(self._url)
        places = [TopicPartition(self._topic, part) for part in range(PARTITIONS)]
        self._client = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, enable_auto_commit=False, fetch_max_wait_ms=500
        )
        await self._client.start()
        self._client.assign(places)
        await self._client.seek_to_beginning(*places)

    async def read(self, *, then: str | None, told: Callable[[Sequence[Any]], None]) -> None:
        while True:
            batches = await self._client.getmany(timeout_ms=1000, max_records=1000)
            records = [each for batch in batches.values() for each in batch]
            if not records:
                continue
            async with self._session.transaction():
                for place, batch in batches.items():
                    await self._session.execute(ADVANCE, batch[-1].offset + 1, self._topic, place.partition)
                keys = [(each.key or b"").decode() for each in records]
                await self._session.execute(REMEMBER, self._topic, keys)
                if then is not None:
                    await self._session.execute(APPEND, then, keys, [each.value for each in records])
            self._bell.set()
            told(records)

    async def relay(self, topic: str) -> None:
        connection, sender = await session(self._url), await producer(self._bootstrap)
        while True:
            self._bell.clear()
            async with connection.transaction():
                rows = await connection.fetch(OLDEST, topic)
                if rows:
                    sent = [await sender.send(topic, row[2], key=row[1].encode()) for row in rows]
                    await asyncio.gather(*sent)
                    await connection.execute(DELETE, [row[0] for row in rows])
            if not rows:
                await self._bell.wait()

    async def close(self) -> None:
        await self._client.stop()
        await self._session.close()


class Chain(Probe):
    """The bare chain, its first two hops in a process of their own."""

    def __init__(self, folder: Path, bootstrap: str, url: str) -> None:
        super().__init__()
        self._log = folder / "chain.log"
        self._bootstrap = bootstrap
        self._url = url

    async def __aenter__(self) -> Self:
        await ensure_topics(
            Kafka(bootstrap_servers=self._bootstrap), [TopicSpec(each, {}) for each in TOPICS]
        )
        connection = await session(self._url)
        for statement in TABLES.split(";"):
            await connection.execute(statement)
        await connection.close()
        command = [sys.executable, "-m", "tests.benchmarks.chain", self._bootstrap, self._url]
        self._hops = processes.spawn(command, log=self._log, cwd=str(ROOT))
        self._producer = await producer(self._bootstrap)
        self._last = Hop(self._bootstrap, self._url, TOPICS[2])
        await self._last.open()
        self._reading = asyncio.create_task(self._last.read(then=None, told=self._told))
        return self

    @property
    def pid(self) -> int:
        """Of the process with the first two hops."""
        return self._hops.pid

    def _told(self, records: Sequence[Any]) -> None:
        for each in records:
            self.arrive(int(each.key))

    async def send(self, number: int) -> None:
        await self._producer.send(TOPICS[0], PADDING, key=str(number).encode())

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        await asyncio.wait([self._reading])
        await self._last.close()
        await self._producer.stop()
        processes.kill(self._hops)


async def _hops(bootstrap: str, url: str) -> None:
    hops = [Hop(bootstrap, url, topic) for topic in TOPICS[:2]]
    for each in hops:
        await each.open()
    async with asyncio.TaskGroup() as group:
        for each, then in zip(hops, TOPICS[1:], strict=True):
            group.create_task(each.read(then=then, told=lambda records: None))
            group.create_task(each.relay(then))


if __name__ == "__main__":
    uvloop.run(_hops(*sys.argv[1:3]))
