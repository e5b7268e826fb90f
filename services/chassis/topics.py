# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""Topics are made once, with a partition count that is never changed: a key's partition must not move."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from services.chassis.kafka import client_options
from services.chassis.settings import Kafka

KNOWN_WITHIN = 30.0  # real seconds until a topic just made must be known to the broker that is asked


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic to be created if absent; `configs` are the broker's own names (cleanup.policy, …)."""

    name: str
    configs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a service must know of the broker: whose offsets these are, and how many partitions there are."""

    id: str
    partitions: Mapping[str, int]


class TopicsNotMade(Exception):
    """The broker refused to create a topic; the message carries its reason."""


async def ensure_topics(kafka: Kafka, topics: Sequence[TopicSpec]) -> Cluster:
    """Create what is missing. Safe to call from many processes at once.

    Raises `TopicsNotMade`, and TimeoutError when the topics do not become known in time.
    """
    admin = AIOKafkaAdminClient(**client_options(kafka), request_timeout_ms=15_000)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [_new_topic(kafka, topic) for topic in topics if topic.name not in existing]
        if missing:
            _raise_refusals(await admin.create_topics(missing))
        partitions = await _known(admin, topics, {each.name for each in missing}, kafka.partitions)
        cluster = await admin.describe_cluster()
        return Cluster(str(cluster["cluster_id"]), partitions)
    finally:
        await admin.close()


async def _known(
    admin: AIOKafkaAdminClient, topics: Sequence[TopicSpec], new: set[str], wanted: int
) -> dict[str, int]:
    """Partitions by topic, once the broker that answers knows all of them.

    A broker that has not yet heard of a topic just made describes it as unknown, with no partitions: taken at its
    word, a consumer would read nothing of it for ever, and say nothing.
    """
    names = [topic.name for topic in topics]
    async with asyncio.timeout(KNOWN_WITHIN):
        while True:
            described = cast("list[dict[str, Any]]", await admin.describe_topics(names))
            known = {
                str(each["topic"]): len(each["partitions"])
                for each in described
                if not each["error_code"]
                and len(each["partitions"]) >= (wanted if each["topic"] in new else 1)
            }
            if len(known) == len(names):
                return known
            await asyncio.sleep(0.1)


def _new_topic(kafka: Kafka, topic: TopicSpec) -> NewTopic:
    return NewTopic(
        name=topic.name,
        num_partitions=kafka.partitions,
        replication_factor=kafka.replication_factor,
        # aiokafka takes the broker's default (-1) only beside an assignment, which may be empty.
        replica_assignments={} if kafka.replication_factor == -1 else None,
        topic_configs=dict(topic.configs),
    )


def _raise_refusals(answer: Any) -> None:
    for name, code, *message in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise TopicsNotMade(f"topic {name}: {error.__name__} {message}")
