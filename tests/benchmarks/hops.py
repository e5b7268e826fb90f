"""Where the time of an event goes: each hop by what it left behind, all by the clock of this one machine."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, Protocol

import asyncpg
from confluent_kafka import Consumer, TopicPartition

from services.chassis.database import database_url
from services.chassis.schema_versions import DATABASES
from tests.benchmarks.figures import percentile
from tests.stack import Stack

RELEASED = """
SELECT account_id, extract(epoch FROM released_at)::float8 FROM touchpoint
WHERE type = 'risk_action_plan' AND account_id = ANY($1)
"""
TOLD = """
SELECT d.account_id, extract(epoch FROM d.created_at)::float8,
    extract(epoch FROM coalesce((d.tries -> 0 ->> 'at')::timestamptz, d.tried_at))::float8
FROM delivery d WHERE coalesce(d.tries -> 0 ->> 'at', d.tried_at::text) IS NOT NULL AND d.channel = 'webhook'
    AND d.touchpoint_type = 'risk_action_plan' AND d.account_id = ANY($1)
"""
STATIONS = (
    "posted", "acknowledged", "plan on Kafka", "released", "due on Kafka", "delivery written", "attempt", "received",
)  # fmt: skip


class Seen(Protocol):
    """What the driver saw, by number, in seconds since the epoch."""

    sent_at: dict[int, float]
    acknowledged: dict[int, float]
    came_at: dict[int, float]


def account(number: int) -> str:
    return f"acc-{number:05}"


async def hops(stack: Stack, seen: Seen, numbers: Sequence[int]) -> dict[str, dict[str, float]]:
    """p50 and p99 in milliseconds of each hop."""
    names = {account(each): each for each in numbers}
    plans = _stamps(
        stack.kafka.bootstrap, "touchpoint.commands", b"drumbeat.plan.adjusted.v1", b"red-action-plan"
    )
    dues = _stamps(
        stack.kafka.bootstrap, "touchpoint.events", b"drumbeat.touchpoint.due.v1", b"risk_action_plan"
    )
    released = {row[0]: row[1] for row in await _rows(stack, "scheduler", RELEASED, names)}
    told = {row[0]: (row[1], row[2]) for row in await _rows(stack, "notifier", TOLD, names)}
    ways = [
        (
            seen.sent_at[number], seen.acknowledged[number], plans[name], released[name], dues[name], *told[name],
            seen.came_at[number],
        )
        for name, number in names.items()
    ]  # fmt: skip
    found: dict[str, dict[str, float]] = {}
    for index, (one, other) in enumerate(pairwise(STATIONS)):
        took = [(way[index + 1] - way[index]) * 1000 for way in ways]
        found[f"{one} -> {other}"] = {"p50": median(took), "p99": percentile(took, 0.99)}
    return found


async def _rows(stack: Stack, service: str, query: str, names: Iterable[str]) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url(stack.postgres.url, DATABASES[service]))
    try:
        return await connection.fetch(query, list(names))
    finally:
        await connection.close()


def _stamps(bootstrap: str, topic: str, kind: bytes, holding: bytes) -> Mapping[str, float]:
    """When each account's first record of this kind was produced (a millisecond's accuracy)."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False})
    parts = [*reader.list_topics(topic, timeout=20).topics[topic].partitions]
    ends = {part: reader.get_watermark_offsets(TopicPartition(topic, part), timeout=20) for part in parts}
    reader.assign([TopicPartition(topic, part, ends[part][0]) for part in parts])
    waiting = {part for part, (low, high) in ends.items() if high > low}
    found: dict[str, float] = {}
    while waiting:
        record: Any = reader.poll(20)
        assert record is not None, f"{topic}: nothing more came of {waiting}"
        assert record.error() is None, record.error()
        headers = dict(record.headers() or [])
        if headers.get("ce_type") == kind and holding in (record.value() or b""):
            found.setdefault(record.key().decode(), record.timestamp()[1] / 1000)
        if record.offset() >= ends[record.partition()][1] - 1:
            waiting.discard(record.partition())
    reader.close()
    return found
